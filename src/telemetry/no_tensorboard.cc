// The twin without protocol buffers.
#include "telemetry/tensorboard.h"

namespace millwright::telemetry {

bool HasTensorBoard() { return false; }

Result<std::unique_ptr<Sink>> OpenTensorBoard(const std::string& folder) {
  return BadInput(
      "{}: this build cannot write event files for TensorBoard: it was made without "
      "protocol buffers",
      folder);
}

}  // namespace millwright::telemetry
