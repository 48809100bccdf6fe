#include "device/ane/e5_program.h"

#include "device/ane/e5_buffer.h"

namespace millwright::device::ane {
namespace {

// Calls function after function until one fails.
class Sequence {
 public:
  template <class... Args>
  Sequence& Call(const char* name, int64_t (*function)(Args...),
                 std::type_identity_t<Args>... args) {
    if (status_) status_ = E5Outcome(name, function(args...));
    return *this;
  }
  Status Take() { return std::move(status_); }

 private:
  Status status_;
};

Result<E5Ref> CompileLibrary(const E5Functions& e5, const std::string& mil_path,
                             const std::string& cache_folder) {
  E5Ref config(e5.e5rt_e5_compiler_config_options_release);
  E5Ref compiler(e5.e5rt_e5_compiler_release);
  E5Ref options(e5.e5rt_e5_compiler_options_release);
  E5Ref library(e5.e5rt_program_library_release);
  Sequence s;
  s.Call("e5rt_e5_compiler_config_options_create", e5.e5rt_e5_compiler_config_options_create,
         config.out());
  s.Call("e5rt_e5_compiler_config_options_set_cache_bundle_location",
         e5.e5rt_e5_compiler_config_options_set_cache_bundle_location, config.get(),
         cache_folder.c_str());
  s.Call("e5rt_e5_compiler_create_with_config", e5.e5rt_e5_compiler_create_with_config,
         compiler.out(), config.get());
  s.Call("e5rt_e5_compiler_options_create", e5.e5rt_e5_compiler_options_create, options.out());
  s.Call("e5rt_e5_compiler_options_set_compute_device_types_mask",
         e5.e5rt_e5_compiler_options_set_compute_device_types_mask, options.get(),
         kNeuralEngineMask);
  s.Call("e5rt_e5_compiler_compile", e5.e5rt_e5_compiler_compile, compiler.get(), mil_path.c_str(),
         options.get(), library.out());
  if (Status status = s.Take(); !status) return status.error();
  return library;
}

struct BoundPort {
  std::string name;
  bool input;
  const E5Buffer* buffer;
};

class E5Request final : public Request {
 public:
  E5Request(const E5Functions& e5, E5Ref operation, std::vector<E5Ref> ports, E5Ref stream)
      : e5_(e5),
        stream_(std::move(stream)),
        ports_(std::move(ports)),
        operation_(std::move(operation)) {}

  Status Evaluate() override {
    return E5Outcome("e5rt_execution_stream_execute_sync",
                     e5_.e5rt_execution_stream_execute_sync(stream_.get()));
  }

 private:
  const E5Functions& e5_;
  // Released from the last to the first.
  E5Ref stream_;
  std::vector<E5Ref> ports_;
  E5Ref operation_;
};

class E5Program final : public LoadedProgram {
 public:
  E5Program(std::shared_ptr<const Api> api, const mil::Function& function, E5Ref library,
            E5Ref program_function)
      : api_(std::move(api)),
        library_(std::move(library)),
        function_(std::move(program_function)),
        name_(function.name) {
    for (mil::ValueId port : function.inputs) inputs_.push_back(function.value(port).id);
    for (mil::ValueId port : function.outputs) outputs_.push_back(function.value(port).id);
  }

  // An operation of its own for each request: bindings belong to the operation's ports.
  Result<std::unique_ptr<Request>> Bind(std::span<Memory* const> inputs,
                                        std::span<Memory* const> outputs) override {
    const E5Functions& e5 = api_->e5;
    E5Ref operation(e5.e5rt_execution_stream_operation_release);
    E5Ref stream(e5.e5rt_execution_stream_release);
    if (Status status = MakeOperation(&operation); !status) return status.error();
    std::vector<E5Ref> ports;
    for (const bool input : {true, false}) {
      const auto& names = input ? inputs_ : outputs_;
      for (size_t i = 0; i < names.size(); ++i) {
        const auto* buffer = static_cast<const E5Buffer*>(input ? inputs[i] : outputs[i]);
        auto port = BindPort(operation, {names[i], input, buffer});
        if (!port) return port.error().In(fmt::format("port {}", names[i]));
        ports.push_back(*std::move(port));
      }
    }
    Sequence s;
    s.Call("e5rt_execution_stream_create", e5.e5rt_execution_stream_create, stream.out());
    s.Call("e5rt_execution_stream_encode_operation", e5.e5rt_execution_stream_encode_operation,
           stream.get(), operation.get());
    if (Status status = s.Take(); !status) return status.error();
    return std::unique_ptr<Request>(
        std::make_unique<E5Request>(e5, std::move(operation), std::move(ports), std::move(stream)));
  }

 private:
  Status MakeOperation(E5Ref* operation) const {
    const E5Functions& e5 = api_->e5;
    E5Ref options(e5.e5rt_precompiled_compute_op_create_options_release);
    Sequence s;
    s.Call("e5rt_precompiled_compute_op_create_options_create_with_program_function",
           e5.e5rt_precompiled_compute_op_create_options_create_with_program_function,
           options.out(), function_.get());
    s.Call("e5rt_precompiled_compute_op_create_options_set_operation_name",
           e5.e5rt_precompiled_compute_op_create_options_set_operation_name, options.get(),
           name_.c_str());
    s.Call("e5rt_precompiled_compute_op_create_options_set_allocate_intermediate_buffers",
           e5.e5rt_precompiled_compute_op_create_options_set_allocate_intermediate_buffers,
           options.get(), 1);
    s.Call("e5rt_execution_stream_operation_create_precompiled_compute_operation_with_options",
           e5.e5rt_execution_stream_operation_create_precompiled_compute_operation_with_options,
           operation->out(), options.get());
    return s.Take();
  }

  Result<E5Ref> BindPort(const E5Ref& operation, const BoundPort& bound) const {
    const E5Functions& e5 = api_->e5;
    E5Ref port(e5.e5rt_io_port_release);
    Sequence s;
    if (bound.input) {
      s.Call("e5rt_execution_stream_operation_retain_input_port",
             e5.e5rt_execution_stream_operation_retain_input_port, operation.get(),
             bound.name.c_str(), port.out());
    } else {
      s.Call("e5rt_execution_stream_operation_retain_output_port",
             e5.e5rt_execution_stream_operation_retain_output_port, operation.get(),
             bound.name.c_str(), port.out());
    }
    s.Call("e5rt_io_port_bind_buffer_object", e5.e5rt_io_port_bind_buffer_object, port.get(),
           bound.buffer->get());
    if (Status status = s.Take(); !status) return status.error();
    return port;
  }

  std::shared_ptr<const Api> api_;
  E5Ref library_, function_;  // the function is released first
  std::string name_;
  std::vector<std::string> inputs_, outputs_;
};

}  // namespace

Result<std::shared_ptr<LoadedProgram>> CompileE5(std::shared_ptr<const Api> api,
                                                 const mil::Function& function,
                                                 const std::string& mil_path,
                                                 const std::string& cache_folder) {
  const E5Functions& e5 = api->e5;
  auto library = CompileLibrary(e5, mil_path, cache_folder);
  if (!library) return library.error();
  E5Ref program_function(e5.e5rt_program_function_release);
  Status status = E5Outcome("e5rt_program_library_retain_program_function",
                            e5.e5rt_program_library_retain_program_function(
                                library->get(), function.name.c_str(), program_function.out()));
  if (!status) return status.error();
  return std::shared_ptr<LoadedProgram>(std::make_shared<E5Program>(
      std::move(api), function, *std::move(library), std::move(program_function)));
}

}  // namespace millwright::device::ane
