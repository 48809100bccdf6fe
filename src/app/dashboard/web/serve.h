// millwright dashboard --web: run folders as a page in the browser.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace millwright::app::web {

struct ServeOptions {
  std::vector<std::string> run_dirs;  // one or more; only read
  std::string bind = "127.0.0.1";     // the address that is listened on
  int port = 8420;                    // 0: one that is free
};

struct ServedAt {
  std::string url;      // the page's address
  std::string warning;  // a line that says who else sees what; empty: nobody but this machine
};

// Serves the page until `stop` is set, which it looks at a few times a second. `ready` is called
// once, when it can be opened. Run folders may come, go and come back. Bad input: one that is no
// folder, an address or a port that cannot be listened on. Fails in a build without cpp-httplib.
Status Serve(const ServeOptions& options, const std::atomic<bool>& stop,
             const std::function<void(const ServedAt& at)>& ready);

}  // namespace millwright::app::web
