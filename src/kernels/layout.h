// Where each operand lies in a program's surfaces. Computed once; the generated slices and the host
// that fills the surface both read it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mil/type.h"

namespace millwright::kernels {

// One operand inside a port: a rectangle of the port's [rows, columns] matrix. `transposed` says
// that the surface holds the transpose of the operand.
struct Segment {
  std::string operand;
  int64_t row = 0, column = 0;
  int64_t rows = 0, columns = 0;  // in the surface
  bool transposed = false;
};

// One input or output surface: a dense row-major matrix.
struct Port {
  std::string name;
  mil::Type type;
  int64_t rows = 0, columns = 0;
  std::vector<Segment> segments;

  // True if the surface is exactly one operand as it is in host memory.
  bool IsWholeOperand() const {
    return segments.size() == 1 && !segments[0].transposed && segments[0].rows == rows &&
           segments[0].columns == columns;
  }
};

// A weight that a program of binding kConstant reads from "@model_path/weights/<file>".
struct WeightBlob {
  std::string file;
  std::string operand;
  bool transposed = false;  // the blob holds the transpose of the operand
};

}  // namespace millwright::kernels
