// Where everything stands on a screen of a given size.
#pragma once

#include "app/dashboard/terminal/cell_grid.h"

namespace millwright::app::dashboard {

inline constexpr Size kSmallest = {60, 18};

// Empty rectangles are not drawn.
struct Layout {
  bool too_small = false;
  Rect title, network, progress, findings;  // one row each, findings more on tall screens
  Rect loss, stats;
  Rect charts;  // a row of small charts; only on tall screens
  Rect samples, log;
  Rect keys;  // the last row
};

Layout MakeLayout(Size size);

}  // namespace millwright::app::dashboard
