// Several processes that train one model together.
#pragma once

#include <memory>
#include <span>

#include "base/result.h"

namespace millwright::parallel {

// The group of processes. Every call is made by all of them in the same order.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;  // 0 <= rank < size
  virtual int size() const = 0;

  // Replaces `values` by their sum over all processes; every process gets the same bits.
  virtual Status AllReduceSum(std::span<float> values) = 0;
  virtual Status AllReduceSum(std::span<double> values) = 0;

  // Returns when all processes have called it.
  virtual Status Barrier() = 0;
};

// The group of this process alone.
std::unique_ptr<Communicator> MakeSingle();

}  // namespace millwright::parallel
