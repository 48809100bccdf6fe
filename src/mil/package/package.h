// Core ML packages (.mlpackage): a MIL program as the ML Program that Core ML's public API loads.
//
// A package is a folder:
//   Manifest.json                            which of the items below is the model
//   Data/com.apple.CoreML/model.mlmodel      a protocol buffer: ports, operations, small constants
//   Data/com.apple.CoreML/weights/weight.bin the large constants, in the format of mil/weights.h
// Sources: coremltools 9.0, mlmodel/format/*.proto, modelpackage/src/ModelPackage.cpp and
// converters/mil/backend/mil/load.py (which constants lie where).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::mil {

// The two files of a package, in memory.
struct EncodedPackage {
  std::string model;               // model.mlmodel; the same program gives the same bytes
  std::vector<std::byte> weights;  // weight.bin; empty where no constant is large
  int specification_version = 0;   // 6 for ios15, 7 for ios16, 8 for ios17, 9 for ios18
  std::vector<std::string> notes;  // what PrepareForCoreMl changed, a line each
};

// Encodes the program that PrepareForCoreMl (prepare.h) makes of `program`, which is verified
// first. Constants in weight files are copied into the one weight file, and so are immediates of 10
// elements or more of a type that Core ML reads from there. `lenient_blobs` as `lenient` of
// WeightStore::Read. Bad input: what Core ML could not load, and weights that are missing or
// malformed.
Result<EncodedPackage> EncodePackage(const Program& program, const WeightStore& weights,
                                     bool lenient_blobs = false);

// The program of a model.mlmodel, not verified, so that programs with operations that are not known
// here can be looked at. Its constants point into "@model_path/weights/weight.bin" as in the
// package. Bad input: not an ML Program, or one with what MIL text has no form for here (flexible
// shapes, states, lists, nested blocks). Arguments come in the order in which an operation
// documents them; the format keeps none.
Result<Program> DecodePackage(std::span<const std::byte> model);

// Encodes `program` and writes the package. `folder` must not exist, its parent must; it appears
// whole or not at all.
struct WrittenPackage {
  int specification_version = 0;
  uint64_t model_bytes = 0, weight_bytes = 0;
  std::vector<std::string> notes;
};
Result<WrittenPackage> WritePackage(const Program& program, const WeightStore& weights,
                                    const std::string& folder, bool lenient_blobs = false);

// The program of a package, or of a lone .mlmodel file.
struct ReadPackageResult {
  Program program;
  std::string weights_folder;  // for LoadWeights
};
Result<ReadPackageResult> ReadPackage(const std::string& path);

}  // namespace millwright::mil
