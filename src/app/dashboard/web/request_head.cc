#include "app/dashboard/web/request_head.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace millwright::app::web {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Takes the next line off `text`, without its end.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  return line;
}

bool HasControls(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return (c < 32 && c != '\t') || c == 127; });
}

int CheckRequestLine(std::string_view line) {
  const size_t target = line.find(' ');
  const size_t version = line.rfind(' ');
  if (HasControls(line) || line.find('\t') != std::string_view::npos ||
      target == std::string_view::npos || version <= target)
    return 400;
  const std::string_view protocol = line.substr(version + 1);
  if (protocol != "HTTP/1.1" && protocol != "HTTP/1.0") return 400;
  const std::string_view method = line.substr(0, target);
  if (method != "GET" && method != "HEAD") return 405;
  if (version - target - 1 > kLongestTarget) return 414;
  return line[target + 1] == '/' ? 0 : 400;
}

bool IsNumeric(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), address.data()) == 1;
  }
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1;
}

std::string OwnName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return {};
  return Lower(name.data());
}

}  // namespace

size_t HeadEnd(std::string_view bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  return end == std::string_view::npos ? end : end + 4;
}

bool HostIsSafe(std::string_view host) {
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const std::string_view port = host.substr(colon + 1);
    if (!std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c); })) {
      return false;
    }
    host = host.substr(0, colon);
  }
  const std::string name = Lower(host);
  return name == "localhost" || IsNumeric(name) || (!name.empty() && name == OwnName());
}

CheckedRequest CheckRequest(std::string_view head) {
  const std::string_view first = TakeLine(head);
  const int refused = CheckRequestLine(first);
  if (refused != 0) return {refused, {}};
  std::string request = std::string(first) + "\r\n";
  std::string_view host;
  int hosts = 0;
  for (std::string_view line = TakeLine(head); !line.empty(); line = TakeLine(head)) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || HasControls(line)) return {400, {}};
    const std::string name = Lower(line.substr(0, colon));
    const std::string_view value = Trim(line.substr(colon + 1));
    if (name == "host") {
      host = value;
      ++hosts;
    } else if (name == "last-event-id" && value.size() <= 64) {
      request += "Last-Event-ID: " + std::string(value) + "\r\n";
    }
  }
  if (hosts != 1) return {400, {}};
  if (!HostIsSafe(host)) return {421, {}};
  return {0, request + "Connection: close\r\n\r\n"};
}

}  // namespace millwright::app::web
