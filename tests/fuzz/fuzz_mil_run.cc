// A small program that the verifier accepts runs on the reference device, or says why not.
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

#include "device/reference/reference_device.h"
#include "mil/text.h"
#include "mil/verify.h"

namespace millwright {
namespace {

// Products of three sizes stay below a second and a gigabyte.
constexpr int64_t kMostElements = 1024;

bool IsSmall(const mil::Function& function) {
  int64_t total = 0;
  for (const mil::Value& value : function.values) {
    if (value.type.elements() > kMostElements) return false;
    total += value.type.elements();
  }
  return total <= 8 * kMostElements;
}

using Surfaces = std::vector<std::unique_ptr<device::Surface>>;

// Surfaces with zeros, ones, ...; nothing where a type has none.
bool MakeSurfaces(device::Device& device, const mil::Function& function,
                  const std::vector<mil::ValueId>& ports, Surfaces* surfaces) {
  for (mil::ValueId port : ports) {
    auto surface = device.NewSurface(function.value(port).type);
    if (!surface) return false;
    const auto mapping = (*surface)->Map(device::Access::kWrite);
    if (!mapping) std::abort();
    const auto& desc = (*surface)->desc();
    for (int64_t i = 0; i < desc.type.elements(); ++i) {
      StoreElement(desc.storage, mapping->bytes().data(), static_cast<size_t>(i),
                   static_cast<double>(i % 5 - 1));
    }
    surfaces->push_back(*std::move(surface));
  }
  return true;
}

std::vector<device::Surface*> Pointers(const Surfaces& surfaces) {
  std::vector<device::Surface*> pointers;
  for (const auto& surface : surfaces) pointers.push_back(surface.get());
  return pointers;
}

void Run(const mil::Program& program) {
  auto device = device::OpenReferenceDevice({.precision = Precision::kFp16});
  if (!device) std::abort();
  auto executable = (*device)->Compile(program, {});
  if (!executable) return;
  Surfaces in;
  Surfaces out;
  const mil::Function& main = program.main();
  if (!MakeSurfaces(**device, main, main.inputs, &in) ||
      !MakeSurfaces(**device, main, main.outputs, &out)) {
    return;
  }
  auto call = (*executable)->Bind(Pointers(in), Pointers(out));
  if (call) static_cast<void>((*call)->Run().ok());
}

}  // namespace
}  // namespace millwright

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace millwright;
  const auto program = mil::Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (program && mil::Verify(*program) && IsSmall(program->main())) Run(*program);
  return 0;
}
