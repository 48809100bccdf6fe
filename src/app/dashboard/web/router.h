// From a request to an answer, in memory.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"

namespace millwright::app::web {

using Parameters = std::map<std::string, std::string>;  // of the query string, decoded

struct Reply {
  int status = 200;
  std::string type;  // "application/json"
  std::string body;
};
// What a path answers with. Called from several threads at once.
using Route = std::function<Reply(const Parameters&)>;
using Routes = std::map<std::string, Route>;  // by path: "/api/runs"

// What becomes of a connection.
struct Answer {
  std::string response;       // bytes to send, after which it is closed
  bool stream = false;        // send nothing of the above but all messages from now on
  std::string last_event_id;  // of a stream: what the viewer saw last
};

// The path that is a stream of messages.
inline constexpr const char* kEventsPath = "/events";

// One for each thread that answers.
class Router {
 public:
  virtual ~Router() = default;
  // `request` is what CheckRequest passes on.
  virtual Answer Handle(const std::string& request) = 0;
};

// A router over `routes`, which must outlive it. Fails in a build without cpp-httplib.
Result<std::unique_ptr<Router>> MakeRouter(const Routes& routes);

// A whole response of one line of text, for what never reaches a router.
std::string PlainResponse(int status);

}  // namespace millwright::app::web
