// One _ANEInMemoryModel from descriptor to unload.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "device/ane/objects.h"
#include "device/ane/path.h"
#include "device/ane/target.h"

namespace millwright::device::ane {

class InMemoryModel {
 public:
  // The model of `source`, neither compiled nor loaded yet.
  static Result<std::unique_ptr<InMemoryModel>> Create(std::shared_ptr<const Api> api,
                                                       const Source& source);
  InMemoryModel(const InMemoryModel&) = delete;
  InMemoryModel& operator=(const InMemoryModel&) = delete;
  // Unloads, and removes the staged files.
  ~InMemoryModel();

  // Of text, weights and options: equal programs have equal ones.
  const std::string& identifier() const { return identifier_; }

  // Stages the files and compiles, unless the system has the compiled program already. A
  // compilation is counted against `budget`.
  Status Compile(const Source& source, int budget);
  // Loads; a first failure is tried once more after 100 ms.
  Status Load();
  // Runs `request`, an _ANERequest.
  Status Evaluate(Id request) const;

  // The symbol numbers of the loaded program's inputs or outputs, ascending; `count` numbers from 0
  // where the system does not say.
  Result<std::vector<int64_t>> Symbols(bool inputs, size_t count) const;

 private:
  explicit InMemoryModel(std::shared_ptr<const Api> api) : api_(std::move(api)) {}
  Status CallCompile() const;
  Status CallLoad() const;

  std::shared_ptr<const Api> api_;  // outlives the references
  Ref model_, options_;
  std::string identifier_, folder_;
  bool staged_ = false, loaded_ = false;
};

}  // namespace millwright::device::ane
