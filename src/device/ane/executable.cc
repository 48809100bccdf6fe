#include "device/ane/executable.h"

#include <algorithm>

#include "device/ane/ane_surface.h"
#include "device/ports.h"

namespace millwright::device::ane {
namespace {

// The surfaces of one side of a request.
class SideSurfaces {
 public:
  explicit SideSurfaces(std::vector<AneSurface*> surfaces) : surfaces_(std::move(surfaces)) {}

  // Makes all surfaces as large as the largest one (fact B9).
  Status Equalise() {
    size_t largest = 0;
    for (const AneSurface* surface : surfaces_) {
      largest = std::max(largest, surface->memory()->bytes());
    }
    for (AneSurface* surface : surfaces_) {
      if (Status status = surface->Grow(largest); !status) return status;
    }
    return {};
  }

  // The memory as it is now, for a request; IsCurrent is true until one of them is replaced.
  std::vector<Memory*> Take() {
    std::vector<Memory*> memory;
    generations_.clear();
    for (const AneSurface* surface : surfaces_) {
      memory.push_back(surface->memory());
      generations_.push_back(surface->generation());
    }
    return memory;
  }
  bool IsCurrent() const {
    return std::ranges::equal(surfaces_, generations_, {}, &AneSurface::generation);
  }

  const std::vector<AneSurface*>& all() const { return surfaces_; }

 private:
  std::vector<AneSurface*> surfaces_;
  std::vector<uint64_t> generations_;
};

class AneCall final : public Call {
 public:
  AneCall(std::shared_ptr<Path> path, std::shared_ptr<LoadedProgram> program,
          std::vector<AneSurface*> inputs, std::vector<AneSurface*> outputs)
      : path_(std::move(path)),
        program_(std::move(program)),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)) {}

  // Builds the request. Another call that shares a surface may make it larger later; then it is
  // built anew.
  Status Prepare() {
    request_.reset();
    if (path_->wants_equal_sizes()) {
      if (Status status = inputs_.Equalise(); !status) return status;
      if (Status status = outputs_.Equalise(); !status) return status;
    }
    const std::vector<Memory*> in = inputs_.Take(), out = outputs_.Take();
    auto request = program_->Bind(in, out);
    if (!request) return request.error();
    request_ = *std::move(request);
    return {};
  }

  Status Run() override {
    Status status = TryRun();
    for (AneSurface* output : outputs_.all()) {
      if (status) {
        output->Written();
      } else {
        output->Spoil("the last run failed: " + status.error().message);
      }
    }
    return status;
  }

 private:
  Status TryRun() {
    for (const AneSurface* input : inputs_.all()) {
      if (Status status = input->CheckReadable(); !status) return status;
    }
    if (request_ == nullptr || !inputs_.IsCurrent() || !outputs_.IsCurrent()) {
      if (Status status = Prepare(); !status) return status;
    }
    for (AneSurface* output : outputs_.all()) {
      if (Status status = output->Mark(); !status) return status;
    }
    if (Status status = request_->Evaluate(); !status) return status;
    for (AneSurface* output : outputs_.all()) {
      if (Status status = output->CheckWritten(); !status) return status;
    }
    return {};
  }

  std::shared_ptr<Path> path_;
  std::shared_ptr<LoadedProgram> program_;
  SideSurfaces inputs_, outputs_;
  std::unique_ptr<Request> request_;  // refers to program and surfaces
};

// The surfaces as those of this device. A surface on both sides would be marked before it is read.
Result<std::vector<AneSurface*>> AneSurfaces(std::span<Surface* const> surfaces) {
  std::vector<AneSurface*> result;
  for (Surface* surface : surfaces) {
    auto* ours = dynamic_cast<AneSurface*>(surface);
    if (ours == nullptr) return BadInput("device ane wants surfaces of its own");
    result.push_back(ours);
  }
  return result;
}

class AneExecutable final : public Executable {
 public:
  AneExecutable(std::shared_ptr<Path> path, std::shared_ptr<LoadedProgram> program,
                mil::Function function)
      : path_(std::move(path)), program_(std::move(program)), function_(std::move(function)) {}

  Result<std::unique_ptr<Call>> Bind(std::span<Surface* const> inputs,
                                     std::span<Surface* const> outputs) override {
    if (Status status = CheckPorts(function_, inputs, outputs); !status) return status.error();
    auto in = AneSurfaces(inputs);
    if (!in) return in.error();
    auto out = AneSurfaces(outputs);
    if (!out) return out.error();
    for (const AneSurface* surface : *out) {
      if (std::ranges::find(*in, surface) != in->end() || std::ranges::count(*out, surface) > 1) {
        return BadInput("device ane: a surface of {} is bound twice in one call",
                        mil::ToString(surface->desc().type));
      }
    }
    auto call = std::make_unique<AneCall>(path_, program_, *std::move(in), *std::move(out));
    if (Status status = call->Prepare(); !status) return status.error();
    return std::unique_ptr<Call>(std::move(call));
  }

 private:
  std::shared_ptr<Path> path_;
  std::shared_ptr<LoadedProgram> program_;
  mil::Function function_;
};

}  // namespace

std::unique_ptr<Executable> MakeExecutable(std::shared_ptr<Path> path,
                                           std::shared_ptr<LoadedProgram> program,
                                           mil::Function function) {
  return std::make_unique<AneExecutable>(std::move(path), std::move(program), std::move(function));
}

}  // namespace millwright::device::ane
