// _ANEIOSurfaceObject and _ANERequest, and what the engine makes of a request.
#include <span>
#include <variant>
#include <vector>

#include "device/ane/emulator/classes.h"
#include "device/ane/emulator/entry.h"
#include "device/ane/emulator/methods.h"

namespace millwright::device::ane::emulator {
namespace {

constexpr size_t kSmallestSurface = 49152;  // fact B8

EngineError Bad(long code, std::string_view why) {
  return {code, fmt::format("Program Inference error (0x{:x}): {}", code, why)};
}

// The memory of each port of the function, in its order; by symbol number in the request.
std::variant<std::vector<std::span<std::byte>>, EngineError> ResolveSide(
    const EngineProgram& program, const std::vector<mil::ValueId>& ports,
    const std::vector<size_t>& order, const Array& surfaces, const Array& indices) {
  if (surfaces.elements.size() != ports.size() || indices.elements.size() != ports.size()) {
    return Bad(0x1d, "the number of surfaces");
  }
  std::vector<std::span<std::byte>> memory(ports.size());
  size_t size = 0;
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto* index = dynamic_cast<const Number*>(indices.elements[i].get());
    const auto* wrapper = dynamic_cast<const SurfaceWrapper*>(surfaces.elements[i].get());
    if (index == nullptr || wrapper == nullptr) return Bad(0x1d, "an element of the request");
    if (index->value < 0 || index->value >= static_cast<int64_t>(order.size())) {
      return Bad(0x2, "a symbol index");
    }
    IoSurfaceObject& surface = *wrapper->surface.get();
    const std::span<std::byte> bytes = surface.memory.span();
    if (size != 0 && bytes.size() != size) return Bad(0x1d, "surfaces of unequal sizes");
    size = bytes.size();
    if (size < kSmallestSurface || surface.readers + surface.writers > 0) {
      return Bad(0x9, "a surface that is too small, or locked");
    }
    const size_t port = order[static_cast<size_t>(index->value)];
    if (bytes.size() < program.BytesOf(ports[port])) return Bad(0x1d, "a surface is too small");
    memory[port] = bytes;
  }
  for (const auto& bytes : memory) {
    if (bytes.empty()) return Bad(0x2, "a symbol twice");
  }
  return memory;
}

}  // namespace

EngineStatus RunRequest(EngineProgram& program, const RequestObject& request) {
  const mil::Function& function = program.function();
  auto inputs = ResolveSide(program, function.inputs, program.input_order(), *request.inputs.get(),
                            *request.input_indices.get());
  if (const auto* error = std::get_if<EngineError>(&inputs)) return *error;
  auto outputs = ResolveSide(program, function.outputs, program.output_order(),
                             *request.outputs.get(), *request.output_indices.get());
  if (const auto* error = std::get_if<EngineError>(&outputs)) return *error;
  const Status status = program.Run(std::get<0>(inputs), std::get<0>(outputs));
  if (!status) return Bad(0x9, status.error().message);
  return std::nullopt;
}

namespace methods {

Id wrap_surface(Id, Selector, Id surface) {
  if (Enter(Entry::wrap_surface) != Fault::kNone) return nullptr;
  auto* object = As<IoSurfaceObject>(surface);
  return object == nullptr ? nullptr : Autorelease(new SurfaceWrapper(object));
}

// Weights and statistics are ignored (fact C4); there is one procedure.
Id make_request(Id, Selector, Id inputs, Id input_indices, Id outputs, Id output_indices, Id, Id,
                Id procedure) {
  if (Enter(Entry::make_request) != Fault::kNone) return nullptr;
  auto* request = new RequestObject;
  request->inputs = Held(As<Array>(inputs));
  request->input_indices = Held(As<Array>(input_indices));
  request->outputs = Held(As<Array>(outputs));
  request->output_indices = Held(As<Array>(output_indices));
  const auto* number = As<Number>(procedure);
  const bool whole = request->inputs && request->input_indices && request->outputs &&
                     request->output_indices && number != nullptr && number->value == 0;
  if (whole) return Autorelease(request);
  Release(request);
  return nullptr;
}

}  // namespace methods
}  // namespace millwright::device::ane::emulator
