// A terminal that a test can type into and look at: tmux, without a user.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace millwright::testing {

inline bool HasTmux() { return std::system("tmux -V >/dev/null 2>&1") == 0; }

inline std::string Quoted(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// What a shell command prints.
inline std::string OutputOf(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "";
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    text.push_back(static_cast<char>(c));
  }
  ::pclose(pipe);
  return text;
}

// Rows without spaces at their ends.
inline std::string WithoutTrailingSpaces(const std::string& screen) {
  std::string text;
  for (const char c : screen) {
    if (c == '\n') text.erase(text.find_last_not_of(' ') + 1);
    text.push_back(c);
  }
  return text;
}

// A screen of its own, on a server of its own, that runs a shell script in a folder.
class Tmux {
 public:
  Tmux(const std::string& folder, const std::string& script, int width, int height)
      : server_("millwright-" + std::to_string(::getpid()) + "-" + std::to_string(Next())) {
    Command("new-session -d -c " + Quoted(folder) + " -x " + std::to_string(width) + " -y " +
            std::to_string(height) + " " + Quoted(script));
    Command("set -g status off");
    Resize(width, height);  // the status line had taken a row
  }
  ~Tmux() { Command("kill-server"); }
  Tmux(const Tmux&) = delete;
  Tmux& operator=(const Tmux&) = delete;

  // Keys by tmux's names: "q", "Tab", "Up".
  void Press(const std::string& keys) { Command("send-keys " + keys); }
  void Resize(int width, int height) {
    Command("resize-window -x " + std::to_string(width) + " -y " + std::to_string(height));
  }
  std::string Screen() const { return WithoutTrailingSpaces(Command("capture-pane -p")); }

  // Waits at most four minutes; the screen, or the last one if it never was so.
  std::string WaitFor(const std::function<bool(const std::string&)>& wanted) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(4);
    std::string screen = Screen();
    while (!wanted(screen) && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      screen = Screen();
    }
    return screen;
  }
  std::string WaitForText(const std::string& text) const {
    return WaitFor(
        [&](const std::string& screen) { return screen.find(text) != std::string::npos; });
  }

 private:
  static int Next() {
    static int count = 0;
    return ++count;
  }
  std::string Command(const std::string& command) const {
    return OutputOf("tmux -u -f /dev/null -L " + server_ + " " + command + " 2>/dev/null");
  }

  std::string server_;
};

}  // namespace millwright::testing
