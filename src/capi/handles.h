// What the handles of the C interface stand for, and which of them are alive.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "device/device.h"
#include "mil/program.h"
#include "mil/weights.h"

// NOLINTBEGIN(readability-identifier-naming): the names of a C interface.
struct mw_ane_program;

struct mw_ane_device {
  std::unique_ptr<millwright::device::Device> device;
  std::string description;
  std::set<mw_ane_program*> programs;
};

struct mw_ane_program {
  mw_ane_device* owner = nullptr;
  millwright::mil::Function function;
  millwright::mil::WeightStore weights;
  std::unique_ptr<millwright::device::Executable> executable;
  std::vector<std::unique_ptr<millwright::device::Surface>> inputs, outputs;
  std::unique_ptr<millwright::device::Call> call;
  bool evaluated = false;
};
// NOLINTEND(readability-identifier-naming)

namespace millwright::capi {

// The registry: handles are looked up, never followed blindly.
mw_ane_device* Register(std::unique_ptr<mw_ane_device> device);
mw_ane_program* Register(mw_ane_device& owner, std::unique_ptr<mw_ane_program> program);
// Bad input for what is no living handle.
Status Check(const mw_ane_device* device);
Status Check(const mw_ane_program* program);
// Frees a living handle; a device takes its programs along.
void Release(mw_ane_device* device);
void Release(mw_ane_program* program);

}  // namespace millwright::capi
