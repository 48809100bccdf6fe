#include <fmt/format.h>

#include "app/dashboard/web/response_headers.h"
#include "app/dashboard/web/router.h"

namespace millwright::app::web {
namespace {

const char* ReasonOf(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 414:
      return "URI Too Long";
    case 421:
      return "Misdirected Request";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

}  // namespace

std::string PlainResponse(int status) {
  const std::string body = fmt::format("{} {}\n", status, ReasonOf(status));
  std::string response = fmt::format("HTTP/1.1 {} {}\r\n", status, ReasonOf(status));
  for (const auto& [name, value] : kResponseHeaders) {
    response += fmt::format("{}: {}\r\n", name, value);
  }
  return response + fmt::format(
                        "Content-Type: text/plain\r\nContent-Length: {}\r\n"
                        "Connection: close\r\n\r\n{}",
                        body.size(), body);
}

}  // namespace millwright::app::web
