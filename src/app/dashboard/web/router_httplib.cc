// cpp-httplib as what takes requests apart, finds their route and puts responses together. Its own
// server is not used: it keeps a thread for each connection as long as that lives, and hundreds of
// viewers live for hours (docs/design-notes.md).
#include <httplib.h>

#include "app/dashboard/web/response_headers.h"
#include "app/dashboard/web/router.h"

namespace millwright::app::web {
namespace {

// Paths are regular expressions to it.
std::string Pattern(const std::string& path) {
  std::string pattern;
  for (const char c : path) pattern += c == '.' ? std::string("\\.") : std::string(1, c);
  return pattern;
}

class HttplibRouter : public Router, private httplib::Server {
 public:
  explicit HttplibRouter(const Routes& routes) {
    httplib::Headers headers;
    for (const auto& [name, value] : kResponseHeaders) headers.emplace(name, value);
    set_default_headers(headers);
    for (const auto& [path, route] : routes) {
      Get(Pattern(path),
          [answer = &route](const httplib::Request& request, httplib::Response& response) {
            const Reply reply = (*answer)({request.params.begin(), request.params.end()});
            response.status = reply.status;
            response.set_content(reply.body, reply.type);
          });
    }
    Get(kEventsPath, [this](const httplib::Request& request, httplib::Response&) {
      answer_.stream = request.method == "GET";
      answer_.last_event_id = request.get_header_value("Last-Event-ID");
    });
    set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty()) return;  // a route's own answer
      response.set_content(std::to_string(response.status) + "\n", "text/plain");
    });
  }

  Answer Handle(const std::string& request) override {
    answer_ = {};
    // Reads what is in its buffer and writes behind it.
    httplib::detail::BufferStream stream;
    stream.write(request.data(), request.size());
    Process(this, stream);
    answer_.response = stream.get_buffer().substr(request.size());
    return std::exchange(answer_, {});
  }

 private:
  // process_request is what httplib offers to servers derived from its own. Since version 0.15 it
  // is handed both addresses, which nothing here looks at.
  template <class Self>
  static void Process(Self* self, httplib::Stream& stream) {
    bool closed = false;
    if constexpr (requires { self->process_request(stream, true, closed, nullptr); }) {
      self->process_request(stream, true, closed, nullptr);
    } else {
      self->process_request(stream, "", 0, "", 0, true, closed, nullptr);
    }
  }

  Answer answer_;  // to the request that is being handled
};

}  // namespace

Result<std::unique_ptr<Router>> MakeRouter(const Routes& routes) {
  return std::unique_ptr<Router>(std::make_unique<HttplibRouter>(routes));
}

}  // namespace millwright::app::web
