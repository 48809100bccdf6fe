#include "app/dashboard/web/serve.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <random>

#include "app/dashboard/web/asset_routes.h"
#include "app/dashboard/web/front_door.h"
#include "app/dashboard/web/views.h"
#include "app/dashboard/web/watcher.h"
#include "telemetry/surroundings.h"

namespace millwright::app::web {
namespace {

// Enough that one slow answer holds nobody up.
constexpr size_t kAnsweringThreads = 3;

Result<std::vector<std::unique_ptr<Router>>> MakeRouters(const Routes& routes) {
  std::vector<std::unique_ptr<Router>> routers;
  for (size_t i = 0; i < kAnsweringThreads; ++i) {
    auto router = MakeRouter(routes);
    if (!router) return router.error();
    routers.push_back(std::move(*router));
  }
  return routers;
}

// Some systems start with 256 descriptors.
void AllowConnections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = FrontDoor::kMostConnections + 100;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Tells this server's messages from those of another one at the same address.
std::string NewSession() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

std::string NetworkWarning(const ServeOptions& options, const Listener& listener) {
  if (listener.loopback) return {};
  return fmt::format(
      "warning: --bind {0}: whoever reaches port {1} of this machine sees the curves, settings, "
      "paths, texts and log of {2}, without a password and not encrypted; the page can neither "
      "stop nor change a run. To see it alone, leave --bind out and use ssh -L {1}:localhost:{1} "
      "{3}",
      options.bind, listener.port, fmt::join(options.run_dirs, ", "), telemetry::HostName());
}

}  // namespace

Status Serve(const ServeOptions& options, const std::atomic<bool>& stop,
             const std::function<void(const ServedAt& at)>& ready) {
  auto runs = OpenRuns(options.run_dirs);
  if (!runs) return runs.error();
  Routes routes;
  AddAssets(routes);
  AddViews(*runs, routes);
  auto routers = MakeRouters(routes);
  if (!routers) return routers.error();
  auto listener = Listen(options.bind, options.port);
  if (!listener) return listener.error();
  auto wake = WakePipe::Open();
  if (!wake) return wake.error();

  // A viewer that leaves while it is written to is no reason to end.
  std::signal(SIGPIPE, SIG_IGN);
  AllowConnections();
  MessageLog log(*wake, NewSession());
  AnswerPool pool(std::move(*routers), *wake);
  const Watcher watcher(*runs, log);
  FrontDoor door(*listener, *wake, pool, log);
  ready({.url = fmt::format("http://{}:{}/", listener->host, listener->port),
         .warning = NetworkWarning(options, *listener)});
  door.Run(stop);
  return {};
}

}  // namespace millwright::app::web
