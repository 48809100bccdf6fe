// The twin of the server in builds without cpp-httplib.
#include "app/dashboard/web/serve.h"

namespace millwright::app::web {

Status Serve(const ServeOptions&, const std::atomic<bool>&,
             const std::function<void(const std::string& url)>&) {
  return Failed("--web: this build has no web server, as cpp-httplib was not found");
}

}  // namespace millwright::app::web
