// What `millwright mil run` starts from, and what its forms (a plain run, --trace, --compare)
// share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/mil_file.h"
#include "base/npy.h"
#include "base/numerics.h"
#include "device/device.h"
#include "mil/ops/op.h"

namespace millwright::app {

struct MilRunFlags {
  std::string file;
  std::string function;
  std::string weights;
  bool lenient_blobs = false;
  std::vector<std::string> inputs, outputs;  // NAME=FILE
  std::optional<uint64_t> random;            // the seed of inputs that are not given
  bool random_weights = false;
  std::string device = "cpu";
  std::string precision = "fp32";
  int threads = 0;
  int repeat = 1;
  bool explain = false;
  std::string trace;    // a new folder
  std::string compare;  // "reference[:PRECISION]"
  bool json = false;    // the report of --explain, --trace and --compare
};

// A program of one function with all that it needs.
struct MilRun {
  MilFile file;
  mil::Program program;
  mil::WeightStore weights;
  std::vector<std::vector<double>> inputs;  // in the order of the function's inputs

  const mil::Function& function() const { return program.main(); }
};

// Reads program and weights. Bad input: a file that cannot be read, a program that is not valid.
Result<MilRun> LoadMilRun(const MilRunFlags& flags);

// Reads program, weights and inputs. Bad input: a file that cannot be read, a program that is not
// valid, an input that is missing, unknown or of another shape or kind than the program's.
Result<MilRun> PrepareMilRun(const MilRunFlags& flags);

// `--trace`: writes every value that the program computes into a new folder, and prints a line about
// each.
Status TraceRun(const MilRunFlags& flags, const MilRun& run, device::Device& device,
                Precision precision);

// `--compare`: runs the program on the reference, too, and says where the two runs part. Whether
// they do.
Result<bool> CompareRuns(const MilRunFlags& flags, const MilRun& run, device::Device& device,
                         Precision precision);

// Index of an output of `function`, and the file it goes to, for each of `--output NAME=FILE`. Bad
// input: an unknown name, a name or a file twice, a folder that does not exist.
Result<std::vector<std::pair<size_t, std::string>>> OutputFiles(
    const mil::Function& function, const std::vector<std::string>& arguments);

// `array` as a file holds it, in `dtype`.
NpyArray ToNpy(const mil::Array& array, DType dtype);

// One line about `array`, which is called `name`: type, min, max, mean, and what is odd about it.
std::string SummaryLine(std::string_view name, const mil::Array& array);

}  // namespace millwright::app
