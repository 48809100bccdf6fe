// The page's files as routes.
#pragma once

#include "app/dashboard/web/router.h"

namespace millwright::app::web {

// Adds "/" (index.html) and "/<name>" of each other asset. Nothing is read from disk, so there is
// no path that could leave a folder.
void AddAssets(Routes& routes);

}  // namespace millwright::app::web
