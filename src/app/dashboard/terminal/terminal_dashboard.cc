#include "app/dashboard/terminal/terminal_dashboard.h"

#include <algorithm>
#include <cstdio>

#include "app/dashboard/terminal/locale_charset.h"
#include "app/dashboard/terminal/quit_signals.h"
#include "app/dashboard/terminal/run_session.h"
#include "app/dashboard/terminal/screen.h"
#include "app/dashboard/terminal/terminal.h"

namespace millwright::app::dashboard {
namespace {

constexpr int kLookEveryMs = 250;
constexpr int kInterruptedExit = 130;

// The loop between the terminal, the run and what the user did.
class Loop {
 public:
  Loop(Terminal& terminal, RunSession& session, const QuitSignals& signals, bool ascii)
      : terminal_(terminal), session_(session), signals_(signals), ascii_(ascii) {}

  // The exit code.
  int Run() {
    bool more = session_.Refresh();
    for (;;) {
      terminal_.Paint(DrawScreen(session_.content(), view_, terminal_.size(), ascii_));
      const int pressed = terminal_.ReadKey(more ? 0 : kLookEveryMs);
      if (pressed == key::kResized) terminal_.Forget();
      if (pressed == key::kHungUp) leave_ = true;
      Act(HandleKey(pressed, Context(), view_));
      ObeySignals();
      if (Finished()) return signals_.asked() > 0 ? kInterruptedExit : 0;
      more = !view_.paused && session_.Refresh();
      TakeNews();
    }
  }

 private:
  KeyContext Context() const {
    const auto& steps = session_.content().history.steps();
    return {.own_run = session_.content().own_run,
            .first_step = steps.empty() ? 0 : steps.steps().front(),
            .last_step = steps.last_step(),
            .page = std::max(1, terminal_.size().height / 3)};
  }

  void Act(Action action) {
    switch (action) {
      case Action::kNone:
        return;
      case Action::kQuit:
        leave_ = true;
        return;
      case Action::kStopAndQuit:
        quit_when_stopped_ = true;
        view_.message = session_.StopAndSave();
        break;
      case Action::kStop:
        view_.message = session_.StopAndSave();
        break;
      case Action::kResume:
        view_.message = session_.Resume();
        break;
      case Action::kGenerate:
        view_.message = session_.Generate();
        break;
    }
    view_.paused = false;  // what was asked for should be seen
  }

  void ObeySignals() {
    if (signals_.hung_up() || signals_.asked() > 1) leave_ = true;
    if (signals_.asked() == 0 || quit_when_stopped_) return;
    quit_when_stopped_ = true;
    if (session_.own_pid() != 0) view_.message = session_.StopAndSave();
    view_.paused = false;
  }

  bool Finished() const { return leave_ || (quit_when_stopped_ && session_.own_pid() == 0); }

  void TakeNews() {
    if (std::string notice = session_.TakeNotice(); !notice.empty()) {
      view_.message = std::move(notice);
    }
    if (session_.TakeFailure()) {
      view_.show_output = true;
      view_.log_scroll = 0;
    }
  }

  Terminal& terminal_;
  RunSession& session_;
  const QuitSignals& signals_;
  bool ascii_;
  ViewState view_;
  bool leave_ = false, quit_when_stopped_ = false;
};

}  // namespace

Result<int> RunTerminalDashboard(const TerminalOptions& options) {
  const bool ascii = !AdoptCharset() || options.ascii;
  RunSession session(options.run_dir);
  int exit_code = 0;
  {
    const QuitSignals signals;
    auto terminal = OpenTerminal();
    if (!terminal) return terminal.error();
    if (options.plan) {
      auto status = session.Start(*options.plan);
      if (!status) return status.error();
    }
    exit_code = Loop(**terminal, session, signals, ascii).Run();
  }
  if (session.own_pid() != 0) {
    fmt::print(stderr, "the run goes on as process {}; millwright dashboard {} shows it again\n",
               session.own_pid(), options.run_dir);
  }
  return exit_code;
}

}  // namespace millwright::app::dashboard
