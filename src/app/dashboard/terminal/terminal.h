// The terminal that the program runs in, for the length of an object's life.
#pragma once

#include <memory>

#include "app/dashboard/terminal/cell_grid.h"
#include "base/result.h"

namespace millwright::app::dashboard {

class Terminal {
 public:
  // Leaves the terminal as it was.
  virtual ~Terminal() = default;

  virtual Size size() const = 0;
  virtual void Paint(const CellGrid& grid) = 0;
  // Draws everything anew with the next Paint, whatever is on the screen.
  virtual void Forget() = 0;
  // A character or one of `key` (view_state.h); key::kNone after so long, or after a signal;
  // key::kHungUp where there is no terminal any more.
  virtual int ReadKey(int timeout_ms) = 0;
};

// Call AdoptCharset before. Bad input: standard input or output is no terminal, TERM names none, or
// one that cannot place its cursor.
Result<std::unique_ptr<Terminal>> OpenTerminal();

}  // namespace millwright::app::dashboard
