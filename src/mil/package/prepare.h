// What a program needs before Core ML takes it, as a rewrite of the program.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "mil/program.h"

namespace millwright::mil {

struct Prepared {
  Program program;
  std::vector<std::string> notes;  // what was changed at the border, a line each
};

// `program`, which must be verified, such that Core ML loads it:
//  - ports have types that it carries: fp32, int32, and fp16 from ios16. Others are cast, as
//    coremltools does: integers from and to int32, bool and fp16 from and to fp32. The port keeps
//    its name. Source: coremltools, mil/backend/mil/passes/adjust_io_to_supported_types.py.
//  - an output that is an input is a copy of it with a name of its own;
//  - literals inside operations are constants with a name; parameters of constexpr operations are
//    attributes; every operation has a `name`;
//  - attributes of the program and its functions, which Core ML's format has no place for, are
//  gone.
// Bad input: several functions of an opset before ios18, which introduced them; an input of rank 0;
// ports of types that nothing casts (8- and 16-bit integers before ios17, bf16, strings).
Result<Prepared> PrepareForCoreMl(const Program& program);

// The number of an opset ("ios17": 17); 0 for another spelling.
int OpsetNumber(const std::string& opset);

}  // namespace millwright::mil
