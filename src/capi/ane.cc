// Devices and programs of the C interface.
#include <millwright/ane.h>

#include <atomic>
#include <cstring>

#include "capi/handles.h"
#include "capi/last_error.h"
#include "device/ane/ane_device.h"
#include "device/ane/compile_budget.h"
#include "mil/text.h"

using namespace millwright;

namespace {

using Ports = std::vector<std::unique_ptr<device::Surface>>;

std::atomic<int>& CountBase() {
  static std::atomic<int> base = 0;
  return base;
}

Result<std::unique_ptr<mw_ane_device>> Open(const char* library) {
  device::DeviceOptions options{.precision = Precision::kAne};
  if (library != nullptr) options.ane.libraries = {library};
  auto opened = device::OpenAneDevice(options);
  if (!opened) return opened.error();
  auto device = std::make_unique<mw_ane_device>();
  device->device = *std::move(opened);
  for (const std::string& line : device->device->Describe()) device->description += line + "\n";
  return device;
}

Result<mil::WeightStore> Weights(const char* const* paths, const uint8_t* const* files,
                                 const size_t* file_bytes, int count) {
  mil::WeightStore weights;
  if (count < 0) return BadInput("{} weight files", count);
  if (count > 0 && (paths == nullptr || files == nullptr || file_bytes == nullptr)) {
    return BadInput("weight files: an array is null");
  }
  for (int i = 0; i < count; ++i) {
    if (paths[i] == nullptr || files[i] == nullptr) return BadInput("weight file {} is null", i);
    const auto* first = reinterpret_cast<const std::byte*>(files[i]);
    weights.Put(paths[i], std::vector<std::byte>(first, first + file_bytes[i]));
  }
  return weights;
}

Status AddSurfaces(device::Device& device, const mil::Function& function,
                   const std::vector<mil::ValueId>& ports, Ports* surfaces) {
  for (mil::ValueId port : ports) {
    auto surface = device.NewSurface(function.value(port).type);
    if (!surface) return surface.error().In(function.value(port).id);
    surfaces->push_back(*std::move(surface));
  }
  return {};
}

Status Bind(mw_ane_program* program) {
  std::vector<device::Surface*> inputs, outputs;
  for (const auto& surface : program->inputs) inputs.push_back(surface.get());
  for (const auto& surface : program->outputs) outputs.push_back(surface.get());
  auto call = program->executable->Bind(inputs, outputs);
  if (!call) return call.error();
  program->call = *std::move(call);
  return {};
}

Result<std::unique_ptr<mw_ane_program>> Compile(device::Device& device, std::string_view text,
                                                mil::WeightStore weights) {
  auto parsed = mil::Parse(text);
  if (!parsed) return parsed.error();
  auto program = std::make_unique<mw_ane_program>();
  program->function = parsed->main();
  program->weights = std::move(weights);
  auto executable = device.Compile(*parsed, program->weights);
  if (!executable) return executable.error();
  program->executable = *std::move(executable);
  const mil::Function& function = program->function;
  Status status = AddSurfaces(device, function, function.inputs, &program->inputs);
  if (status) status = AddSurfaces(device, function, function.outputs, &program->outputs);
  if (status) status = Bind(program.get());
  if (!status) return status.error();
  return program;
}

// The port of a living program, or why there is none.
Result<device::Surface*> Port(const mw_ane_program* program, bool input, int index) {
  if (Status status = capi::Check(program); !status) return status.error();
  const Ports& ports = input ? program->inputs : program->outputs;
  if (index < 0 || static_cast<size_t>(index) >= ports.size()) {
    return BadInput("{} {}: the program has {}", input ? "input" : "output", index, ports.size());
  }
  return ports[static_cast<size_t>(index)].get();
}

Status CheckBytes(const device::Surface& surface, const void* data, size_t bytes) {
  if (data == nullptr) return BadInput("no data");
  if (bytes == surface.desc().bytes()) return {};
  return BadInput("{} bytes for {}, which has {}", bytes, mil::ToString(surface.desc().type),
                  surface.desc().bytes());
}

Status Write(mw_ane_program* program, int index, const void* data, size_t bytes) {
  auto surface = Port(program, true, index);
  if (!surface) return surface.error();
  if (Status status = CheckBytes(**surface, data, bytes); !status) return status;
  auto mapping = (*surface)->Map(device::Access::kWrite);
  if (!mapping) return mapping.error();
  std::memcpy(mapping->bytes().data(), data, bytes);
  return {};
}

Status Read(mw_ane_program* program, int index, void* data, size_t bytes) {
  auto surface = Port(program, false, index);
  if (!surface) return surface.error();
  if (Status status = CheckBytes(**surface, data, bytes); !status) return status;
  if (!program->evaluated) return BadInput("output {}: nothing was evaluated", index);
  auto mapping = (*surface)->Map(device::Access::kRead);
  if (!mapping) return mapping.error();
  std::memcpy(data, mapping->bytes().data(), bytes);
  return {};
}

Status Evaluate(mw_ane_program* program) {
  if (Status status = capi::Check(program); !status) return status;
  if (Status status = program->call->Run(); !status) return status;
  program->evaluated = true;
  return {};
}

int Code(const Status& status) { return status ? 0 : capi::Fail(status.error()); }

int64_t PortBytes(const mw_ane_program* program, bool input, int index) {
  const auto surface = Port(program, input, index);
  if (!surface) return capi::Fail(surface.error());
  return static_cast<int64_t>((*surface)->desc().bytes());
}

const char* PortName(const mw_ane_program* program, bool input, int index) {
  if (const auto surface = Port(program, input, index); !surface) {
    capi::Fail(surface.error());
    return nullptr;
  }
  const auto& ports = input ? program->function.inputs : program->function.outputs;
  return program->function.value(ports[static_cast<size_t>(index)]).id.c_str();
}

int PortCount(const mw_ane_program* program, bool input) {
  if (Status status = capi::Check(program); !status) return capi::Fail(status.error());
  return static_cast<int>(input ? program->inputs.size() : program->outputs.size());
}

}  // namespace

extern "C" {

const char* mw_ane_last_error() { return capi::LastError(); }

mw_ane_device* mw_ane_open(const char* library) {
  capi::ClearError();
  auto device = Open(library);
  if (device) return capi::Register(*std::move(device));
  capi::Fail(device.error());
  return nullptr;
}

void mw_ane_close(mw_ane_device* device) { capi::Release(device); }

const char* mw_ane_describe(mw_ane_device* device) {
  capi::ClearError();
  if (const Status status = capi::Check(device); !status) {
    capi::Fail(status.error());
    return nullptr;
  }
  return device->description.c_str();
}

mw_ane_program* mw_ane_compile(mw_ane_device* device, const char* mil, size_t mil_bytes,
                               const char* const* paths, const uint8_t* const* files,
                               const size_t* file_bytes, int count) {
  capi::ClearError();
  Status status = capi::Check(device);
  if (status && mil == nullptr) status = BadInput("no program text");
  auto weights = Weights(paths, files, file_bytes, count);
  if (status && !weights) status = weights.error();
  if (!status) {
    capi::Fail(status.error());
    return nullptr;
  }
  auto program = Compile(*device->device, {mil, mil_bytes}, *std::move(weights));
  if (program) return capi::Register(*device, *std::move(program));
  capi::Fail(program.error());
  return nullptr;
}

void mw_ane_free(mw_ane_program* program) { capi::Release(program); }

int mw_ane_input_count(mw_ane_program* program) { return PortCount(program, true); }
int mw_ane_output_count(mw_ane_program* program) { return PortCount(program, false); }
int64_t mw_ane_input_bytes(mw_ane_program* program, int index) {
  return PortBytes(program, true, index);
}
int64_t mw_ane_output_bytes(mw_ane_program* program, int index) {
  return PortBytes(program, false, index);
}
const char* mw_ane_input_name(mw_ane_program* program, int index) {
  return PortName(program, true, index);
}
const char* mw_ane_output_name(mw_ane_program* program, int index) {
  return PortName(program, false, index);
}

int mw_ane_write_input(mw_ane_program* program, int index, const void* data, size_t bytes) {
  capi::ClearError();
  return Code(Write(program, index, data, bytes));
}

int mw_ane_read_output(mw_ane_program* program, int index, void* data, size_t bytes) {
  capi::ClearError();
  return Code(Read(program, index, data, bytes));
}

int mw_ane_evaluate(mw_ane_program* program) {
  capi::ClearError();
  return Code(Evaluate(program));
}

int mw_ane_compile_count() { return device::ane::CompilationsOfProcess() - CountBase(); }
void mw_ane_reset_compile_count() { CountBase() = device::ane::CompilationsOfProcess(); }

int mw_ane_compile_budget(mw_ane_device* device) {
  capi::ClearError();
  if (const Status status = capi::Check(device); !status) return capi::Fail(status.error());
  return device->device->caps().compile_budget;
}

}  // extern "C"
