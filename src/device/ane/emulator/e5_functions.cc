// The e5rt_* functions: compiler, library, operation, ports, buffers, stream.
#include <algorithm>
#include <map>
#include <vector>

#include "base/aligned.h"
#include "device/ane/emulator/engine.h"
#include "device/ane/emulator/entry.h"
#include "device/ane/emulator/exports.h"
#include "device/ane/emulator/object.h"
#include "device/ane/emulator/program_table.h"

namespace millwright::device::ane::emulator {
namespace {

// What the functions return when something is wrong; the real codes are not documented.
constexpr int64_t kBadArgument = 1, kInjected = 11, kCompileFailed = 2, kNotBound = 3,
                  kTooSmall = 4;

struct E5Plain final : Object {
  E5Plain() : Object(GetClass("e5 options")) {}
};

struct E5Library final : Object {
  explicit E5Library(std::shared_ptr<EngineProgram> p)
      : Object(GetClass("e5 library")), program(std::move(p)) {}
  std::shared_ptr<EngineProgram> program;
};

struct E5Buffer final : Object {
  explicit E5Buffer(size_t bytes) : Object(GetClass("e5 buffer")), memory(bytes) {}
  AlignedBuffer<std::byte> memory;
};

struct E5Operation final : Object {
  explicit E5Operation(std::shared_ptr<EngineProgram> p)
      : Object(GetClass("e5 operation")), program(std::move(p)) {}
  std::shared_ptr<EngineProgram> program;
  std::map<std::string, Held<E5Buffer>> buffers;  // by port
};

struct E5Port final : Object {
  E5Port(E5Operation* o, std::string n)
      : Object(GetClass("e5 port")), operation(o), name(std::move(n)) {}
  Held<E5Operation> operation;
  std::string name;
};

struct E5Stream final : Object {
  E5Stream() : Object(GetClass("e5 stream")) {}
  std::vector<Held<E5Operation>> operations;
};

template <class T>
T* Of(E5Handle handle) {
  return As<T>(reinterpret_cast<Id>(handle));
}

// Gives a new object out, or fails.
int64_t Give(Entry entry, E5Handle* out, Object* object) {
  const Fault fault = Enter(entry);
  if (fault != Fault::kNone || object == nullptr || out == nullptr) {
    if (object != nullptr) Release(object);
    return fault != Fault::kNone ? kInjected : kBadArgument;
  }
  *out = reinterpret_cast<E5Handle>(object->id());
  return 0;
}

int64_t Drop(Entry entry, E5Handle* handle) {
  Enter(entry);
  Object* object = handle == nullptr ? nullptr : Live(reinterpret_cast<Id>(*handle));
  if (object == nullptr) return kBadArgument;
  Release(object);
  *handle = nullptr;
  return 0;
}

template <class T>
int64_t Set(Entry entry, E5Handle handle) {
  if (Enter(entry) != Fault::kNone) return kInjected;
  return Of<T>(handle) == nullptr ? kBadArgument : 0;
}

bool HasPort(const mil::Function& function, const std::vector<mil::ValueId>& ports,
             std::string_view name) {
  return std::ranges::any_of(ports,
                             [&](mil::ValueId port) { return function.value(port).id == name; });
}

Object* MakePort(E5Handle operation, const char* name, bool input) {
  auto* object = Of<E5Operation>(operation);
  if (object == nullptr) return nullptr;
  const mil::Function& function = object->program->function();
  const bool known = HasPort(function, input ? function.inputs : function.outputs, name);
  return known ? new E5Port(object, name) : nullptr;
}

int64_t RunOperation(E5Operation& operation) {
  const mil::Function& function = operation.program->function();
  std::vector<std::span<std::byte>> inputs, outputs;
  for (const bool input : {true, false}) {
    for (mil::ValueId port : input ? function.inputs : function.outputs) {
      const auto bound = operation.buffers.find(function.value(port).id);
      if (bound == operation.buffers.end()) return kNotBound;
      const std::span<std::byte> memory = bound->second->memory.span();
      if (memory.size() < operation.program->BytesOf(port)) return kTooSmall;
      (input ? inputs : outputs).push_back(memory);
    }
  }
  return operation.program->Run(inputs, outputs) ? 0 : kNotBound;
}

}  // namespace

int64_t e5rt_e5_compiler_config_options_create(E5Handle* config) {
  return Give(Entry::e5rt_e5_compiler_config_options_create, config, new E5Plain);
}
int64_t e5rt_e5_compiler_config_options_set_cache_bundle_location(E5Handle config, const char*) {
  return Set<E5Plain>(Entry::e5rt_e5_compiler_config_options_set_cache_bundle_location, config);
}
int64_t e5rt_e5_compiler_config_options_release(E5Handle* config) {
  return Drop(Entry::e5rt_e5_compiler_config_options_release, config);
}
int64_t e5rt_e5_compiler_create_with_config(E5Handle* compiler, E5Handle config) {
  return Give(Entry::e5rt_e5_compiler_create_with_config, compiler,
              Of<E5Plain>(config) == nullptr ? nullptr : new E5Plain);
}
int64_t e5rt_e5_compiler_release(E5Handle* compiler) {
  return Drop(Entry::e5rt_e5_compiler_release, compiler);
}
int64_t e5rt_e5_compiler_options_create(E5Handle* options) {
  return Give(Entry::e5rt_e5_compiler_options_create, options, new E5Plain);
}
int64_t e5rt_e5_compiler_options_set_compute_device_types_mask(E5Handle options, uint64_t mask) {
  const int64_t code =
      Set<E5Plain>(Entry::e5rt_e5_compiler_options_set_compute_device_types_mask, options);
  return code != 0 || mask == kNeuralEngineMask ? code : kBadArgument;
}
int64_t e5rt_e5_compiler_options_release(E5Handle* options) {
  return Drop(Entry::e5rt_e5_compiler_options_release, options);
}

int64_t e5rt_e5_compiler_compile(E5Handle compiler, const char* mil_path, E5Handle options,
                                 E5Handle* library) {
  if (Enter(Entry::e5rt_e5_compiler_compile) != Fault::kNone) return kInjected;
  if (Of<E5Plain>(compiler) == nullptr || Of<E5Plain>(options) == nullptr) return kBadArgument;
  auto program = CompileProgram(mil_path, mil_path);
  if (!program) return kCompileFailed;
  auto* object = new E5Library(*std::move(program));
  *library = reinterpret_cast<E5Handle>(object->id());
  return 0;
}

int64_t e5rt_program_library_retain_program_function(E5Handle library, const char* name,
                                                     E5Handle* function) {
  auto* object = Of<E5Library>(library);
  const bool known = object != nullptr && object->program->function().name == name;
  return Give(Entry::e5rt_program_library_retain_program_function, function,
              known ? new E5Library(object->program) : nullptr);
}
int64_t e5rt_program_function_release(E5Handle* function) {
  return Drop(Entry::e5rt_program_function_release, function);
}
int64_t e5rt_program_library_release(E5Handle* library) {
  return Drop(Entry::e5rt_program_library_release, library);
}

int64_t e5rt_precompiled_compute_op_create_options_create_with_program_function(E5Handle* options,
                                                                                E5Handle function) {
  auto* object = Of<E5Library>(function);
  return Give(Entry::e5rt_precompiled_compute_op_create_options_create_with_program_function,
              options, object == nullptr ? nullptr : new E5Library(object->program));
}
int64_t e5rt_precompiled_compute_op_create_options_set_operation_name(E5Handle options,
                                                                      const char*) {
  return Set<E5Library>(Entry::e5rt_precompiled_compute_op_create_options_set_operation_name,
                        options);
}
int64_t e5rt_precompiled_compute_op_create_options_set_allocate_intermediate_buffers(
    E5Handle options, int) {
  return Set<E5Library>(
      Entry::e5rt_precompiled_compute_op_create_options_set_allocate_intermediate_buffers, options);
}
int64_t e5rt_precompiled_compute_op_create_options_release(E5Handle* options) {
  return Drop(Entry::e5rt_precompiled_compute_op_create_options_release, options);
}
int64_t e5rt_execution_stream_operation_create_precompiled_compute_operation_with_options(
    E5Handle* operation, E5Handle options) {
  auto* object = Of<E5Library>(options);
  return Give(
      Entry::e5rt_execution_stream_operation_create_precompiled_compute_operation_with_options,
      operation, object == nullptr ? nullptr : new E5Operation(object->program));
}
int64_t e5rt_execution_stream_operation_release(E5Handle* operation) {
  return Drop(Entry::e5rt_execution_stream_operation_release, operation);
}

int64_t e5rt_execution_stream_operation_retain_input_port(E5Handle operation, const char* name,
                                                          E5Handle* port) {
  return Give(Entry::e5rt_execution_stream_operation_retain_input_port, port,
              MakePort(operation, name, true));
}
int64_t e5rt_execution_stream_operation_retain_output_port(E5Handle operation, const char* name,
                                                           E5Handle* port) {
  return Give(Entry::e5rt_execution_stream_operation_retain_output_port, port,
              MakePort(operation, name, false));
}
int64_t e5rt_io_port_release(E5Handle* port) { return Drop(Entry::e5rt_io_port_release, port); }

int64_t e5rt_buffer_object_alloc(E5Handle* buffer, size_t bytes, int type) {
  return Give(Entry::e5rt_buffer_object_alloc, buffer, type == 0 ? new E5Buffer(bytes) : nullptr);
}
int64_t e5rt_buffer_object_get_data_ptr(E5Handle buffer, void** data) {
  if (Enter(Entry::e5rt_buffer_object_get_data_ptr) != Fault::kNone) return kInjected;
  auto* object = Of<E5Buffer>(buffer);
  if (object == nullptr) return kBadArgument;
  *data = object->memory.data();
  return 0;
}
int64_t e5rt_buffer_object_release(E5Handle* buffer) {
  return Drop(Entry::e5rt_buffer_object_release, buffer);
}
int64_t e5rt_io_port_bind_buffer_object(E5Handle port, E5Handle buffer) {
  if (Enter(Entry::e5rt_io_port_bind_buffer_object) != Fault::kNone) return kInjected;
  auto* object = Of<E5Port>(port);
  auto* memory = Of<E5Buffer>(buffer);
  if (object == nullptr || memory == nullptr) return kBadArgument;
  object->operation->buffers[object->name] = Held(memory);
  return 0;
}

int64_t e5rt_execution_stream_create(E5Handle* stream) {
  return Give(Entry::e5rt_execution_stream_create, stream, new E5Stream);
}
int64_t e5rt_execution_stream_encode_operation(E5Handle stream, E5Handle operation) {
  if (Enter(Entry::e5rt_execution_stream_encode_operation) != Fault::kNone) return kInjected;
  auto* object = Of<E5Stream>(stream);
  auto* encoded = Of<E5Operation>(operation);
  if (object == nullptr || encoded == nullptr) return kBadArgument;
  object->operations.emplace_back(encoded);
  return 0;
}
int64_t e5rt_execution_stream_execute_sync(E5Handle stream) {
  const Fault fault = Enter(Entry::e5rt_execution_stream_execute_sync);
  if (fault == Fault::kLie) return 0;
  if (fault != Fault::kNone) return kInjected;
  auto* object = Of<E5Stream>(stream);
  if (object == nullptr) return kBadArgument;
  for (const auto& operation : object->operations) {
    if (const int64_t code = RunOperation(*operation.get()); code != 0) return code;
  }
  return 0;
}
int64_t e5rt_execution_stream_release(E5Handle* stream) {
  return Drop(Entry::e5rt_execution_stream_release, stream);
}

}  // namespace millwright::device::ane::emulator
