// The JSON endpoints. docs/dashboard.md describes each.
#pragma once

#include "app/dashboard/web/router.h"
#include "app/dashboard/web/watcher.h"

namespace millwright::app::web {

// Adds /api/... to `routes`. `runs` must outlive them.
void AddViews(const WatchedRuns& runs, Routes& routes);

}  // namespace millwright::app::web
