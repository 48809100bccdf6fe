// A whole screen from a run and what the user did to the view of it. Needs no terminal.
#pragma once

#include <string>
#include <vector>

#include "app/dashboard/terminal/cell_grid.h"
#include "app/dashboard/terminal/layout.h"
#include "app/dashboard/terminal/run_history.h"
#include "app/dashboard/terminal/view_state.h"
#include "telemetry/run_status.h"

namespace millwright::app::dashboard {

// What there is to show.
struct ScreenContent {
  std::string run_dir;
  RunHistory history;
  telemetry::RunStatus status;
  std::vector<std::string> output;  // lines that training printed
  bool own_run = false;             // a run that this dashboard started goes on
  bool stopping = false;            // and was asked to stop
  bool generating = false;
};

// Brings scrolling that went too far back into `view`.
CellGrid DrawScreen(const ScreenContent& content, ViewState& view, Size size, bool ascii);

// The parts, each in its rectangle.
void DrawHeader(CellGrid& grid, const Layout& layout, const ScreenContent& content,
                const ViewState& view);
void DrawKeys(CellGrid& grid, const Rect& rect, const ScreenContent& content,
              const ViewState& view);
void DrawLoss(CellGrid& grid, const Rect& rect, const ScreenContent& content,
              const ViewState& view);
void DrawSmallCharts(CellGrid& grid, const Rect& rect, const ScreenContent& content,
                     const ViewState& view);
void DrawStats(CellGrid& grid, const Rect& rect, const ScreenContent& content);
void DrawSamples(CellGrid& grid, const Rect& rect, const ScreenContent& content, ViewState& view);
void DrawLog(CellGrid& grid, const Rect& rect, const ScreenContent& content, ViewState& view);
void DrawHelp(CellGrid& grid);

// The colour of a part of a step: its number in telemetry::PhaseSplit.
Ink InkOfPhase(size_t part);

}  // namespace millwright::app::dashboard
