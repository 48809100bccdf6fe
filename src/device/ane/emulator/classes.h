// The classes of AppleNeuralEngine.framework.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "device/ane/emulator/engine.h"
#include "device/ane/emulator/foundation.h"
#include "device/ane/emulator/object.h"
#include "device/ane/emulator/surface.h"

namespace millwright::device::ane::emulator {

// Makes the classes of methods.def known, without those that were removed (entry.h).
void RegisterClasses();

struct Descriptor final : Object {
  Descriptor() : Object(GetClass("_ANEInMemoryModelDescriptor")) {}
  std::string identifier;
};

struct Model final : Object {
  explicit Model(std::string i) : Object(GetClass("_ANEInMemoryModel")), identifier(std::move(i)) {}
  ~Model() override;
  std::string Folder() const;

  std::string identifier;
  std::shared_ptr<EngineProgram> loaded;  // null unless loaded
};

// What -model of a loaded model returns.
struct InnerModel final : Object {
  explicit InnerModel(std::shared_ptr<EngineProgram> p)
      : Object(GetClass("_ANEModel")), program(std::move(p)) {}
  std::shared_ptr<EngineProgram> program;
};

struct SurfaceWrapper final : Object {
  explicit SurfaceWrapper(IoSurfaceObject* s)
      : Object(GetClass("_ANEIOSurfaceObject")), surface(s) {}
  Held<IoSurfaceObject> surface;
};

struct RequestObject final : Object {
  RequestObject() : Object(GetClass("_ANERequest")) {}
  Held<Array> inputs, input_indices, outputs, output_indices;
};

// Runs `request` on `program`. The error is the hardware's code and what it is about.
struct EngineError {
  long code = 0;
  std::string text;
};
using EngineStatus = std::optional<EngineError>;
EngineStatus RunRequest(EngineProgram& program, const RequestObject& request);

}  // namespace millwright::device::ane::emulator
