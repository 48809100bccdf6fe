// The file of a machine's tuned products: what `bench gemm --tune` writes and --gemm-table reads.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "math/gemm_table.h"

namespace millwright::app {

// What a table holds for: elsewhere other choices may be faster, or impossible.
struct GemmMachine {
  std::string cpu;  // CpuName()
  std::string
      gemm;  // GemmEngine::TableName(): library, its version, vector instructions, fixed rule
  int threads = 0;

  bool operator==(const GemmMachine&) const = default;
};
GemmMachine ThisGemmMachine();

// The machine's own file in the cache folder; its name is a hash of `machine`.
std::string TunedGemmPath(const GemmMachine& machine);

// Bad input: the file is not there, is damaged (named by entry and field), or was measured on
// another machine, with another library or number of threads.
Result<math::GemmTable> ReadGemmTable(const std::string& path, const GemmMachine& machine);

// Makes the file's folder if need be.
Status WriteGemmTable(const std::string& path, const GemmMachine& machine,
                      const math::GemmTable& table);

// The table that --gemm-table means: "fixed" none (null), "tuned" this machine's in the cache, else
// the one in the file of that name.
Result<std::shared_ptr<const math::GemmTable>> GemmTableOfFlag(std::string_view flag);

}  // namespace millwright::app
