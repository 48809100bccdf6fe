// Evaluates a function operation by operation: the meaning of a program, without any cleverness.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/numerics.h"
#include "base/result.h"
#include "mil/ops/op.h"
#include "mil/program.h"
#include "mil/weights.h"

namespace millwright::device {

using ArrayPtr = std::shared_ptr<const mil::Array>;

class Evaluator {
 public:
  // Takes a verified function; loads its constants and computes its constexpr operations. `weights`
  // is not needed afterwards.
  static Result<Evaluator> Create(const mil::Function& function, const mil::WeightStore& weights,
                                  Numerics numerics);

  const mil::Function& function() const { return *function_; }
  const Numerics& numerics() const { return numerics_; }

  // Looks at an operation that has just run. `values` is indexed by value; those of the operation's
  // operands and results are there, others may be null. An error ends the run.
  using Observer =
      std::function<Status(const mil::Operation& operation, std::span<const ArrayPtr> values)>;

  // The outputs for `inputs`, both in the order of the function. Every result is rounded to its
  // dtype by `numerics`; what is no longer needed is freed on the way. Constants and constexpr
  // operations are not observed: they ran in Create.
  Result<std::vector<ArrayPtr>> Run(std::vector<ArrayPtr> inputs,
                                    const Observer& observer = {}) const;

  // By value; null for what is computed at run time.
  std::span<const ArrayPtr> constants() const { return constants_; }

  // What `operation` of this function makes of other operands or in other numerics than those of a
  // run, rounded by `numerics`. `values` is indexed by value, as an observer's.
  Result<std::vector<mil::Array>> Evaluate(const mil::Operation& operation,
                                           std::span<const ArrayPtr> values,
                                           const Numerics& numerics) const;

 private:
  // One operation that is left for run time.
  struct Step {
    const mil::Operation* operation = nullptr;
    std::vector<mil::ValueId> dead;  // values that no later step reads
  };

  Evaluator(const mil::Function& function, Numerics numerics)
      : function_(std::make_shared<const mil::Function>(function)), numerics_(numerics) {}

  Status LoadConstants(const mil::WeightStore& weights);
  Status LoadLiterals(const mil::Operation& operation, const mil::WeightStore& weights);
  void PlanFrees();
  mil::Call MakeCall(const mil::Operation& operation, std::span<const ArrayPtr> values) const;
  Status RunOperation(const mil::Operation& operation, std::vector<ArrayPtr>* values) const;

  std::shared_ptr<const mil::Function> function_;
  Numerics numerics_;
  std::vector<Step> steps_;
  std::vector<ArrayPtr> constants_;  // by value; null for what is computed at run time
  std::map<const mil::Constant*, ArrayPtr> literals_;  // constants written inside an operation
  std::map<mil::ValueId, std::string> texts_;          // values that are strings
};

}  // namespace millwright::device
