// The twin of router_httplib.cc in builds without cpp-httplib.
#include "app/dashboard/web/router.h"

namespace millwright::app::web {

Result<std::unique_ptr<Router>> MakeRouter(const Routes&) {
  return Failed("--web: this build has no web server, as cpp-httplib was not found");
}

}  // namespace millwright::app::web
