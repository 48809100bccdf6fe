// The GEMM of x86: oneDNN's sgemm and its matmul primitive. Version 2.6.3 falls silently to loops
// of 0.1 GFLOP/s ("ref:any") for layouts it has no kernel for; such shapes are refused here.
#include <fmt/format.h>

#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "base/threads.h"
#include "math/gemm_library.h"

namespace millwright::math {
namespace {

using Dims = dnnl::memory::dims;

// The descriptor of a row-major operand, or of the transpose of one.
dnnl::memory::desc Describe2d(dnnl::memory::data_type type, int64_t rows, int64_t columns,
                              int64_t stride, bool transposed) {
  const Dims strides = transposed ? Dims{1, stride} : Dims{stride, 1};
  return {{rows, columns}, type, strides};
}

}  // namespace

std::string GemmLibraryName() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("onednn-{}.{}.{}", version->major, version->minor, version->patch);
}

bool HasLibrarySgemm() { return true; }
bool HasLibraryMatmul() { return true; }
std::string LibrarySgemmName() { return "sgemm"; }

// What the library would use: it can be told to leave instructions out.
bool HasFastBf16() {
  constexpr auto kBf16 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & kBf16) == kBf16;
}

void LibrarySgemm(const GemmShape& shape, const float* a, const float* b, float* c) {
  const dnnl_status_t status = dnnl_sgemm(
      shape.transpose_a ? 'T' : 'N', shape.transpose_b ? 'T' : 'N', shape.m, shape.n, shape.k, 1.0f,
      a, shape.lda, b, shape.ldb, shape.accumulate ? 1.0f : 0.0f, c, shape.ldc);
  // It refuses only arguments that are impossible; the product must be right even then.
  if (status != dnnl_success) HighwayGemm(shape, a, b, c);
}

struct LibraryMatmul::Impl {
  // One prepared product. `primitive` is empty where the library has only reference loops.
  struct Prepared {
    dnnl::matmul primitive;
    dnnl::memory a, b, c, scratchpad;
    std::unordered_map<int, dnnl::memory> arguments;
    std::string name;
    size_t scratch_bytes = 0;
  };

  explicit Impl(DType operands)
      : type(operands == DType::kBf16 ? dnnl::memory::data_type::bf16
                                      : dnnl::memory::data_type::f32) {}

  dnnl::memory::data_type type;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  // By the number of threads too, which a primitive is made for.
  std::map<std::pair<GemmShape, int>, Prepared> prepared;
  std::vector<std::byte> scratch;

  Prepared Prepare(const GemmShape& shape);
  Prepared& Get(const GemmShape& shape);
};

LibraryMatmul::Impl::Prepared LibraryMatmul::Impl::Prepare(const GemmShape& shape) {
  Prepared result;
  const auto a = Describe2d(type, shape.m, shape.k, shape.lda, shape.transpose_a);
  const auto b = Describe2d(type, shape.k, shape.n, shape.ldb, shape.transpose_b);
  const auto c = Describe2d(dnnl::memory::data_type::f32, shape.m, shape.n, shape.ldc, false);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (shape.accumulate) {
    dnnl::post_ops sum;
    sum.append_sum(1.0f);
    attributes.set_post_ops(sum);
  }
  const dnnl::matmul::primitive_desc description({a, b, c}, attributes, engine);
  const std::string name = description.impl_info_str();
  if (name.starts_with("ref")) return result;
  result.name = name;
  result.primitive = dnnl::matmul(description);
  result.scratch_bytes = description.scratchpad_desc().get_size();
  result.a = dnnl::memory(a, engine, DNNL_MEMORY_NONE);
  result.b = dnnl::memory(b, engine, DNNL_MEMORY_NONE);
  result.c = dnnl::memory(c, engine, DNNL_MEMORY_NONE);
  result.scratchpad = dnnl::memory(description.scratchpad_desc(), engine, DNNL_MEMORY_NONE);
  result.arguments = {{DNNL_ARG_SRC, result.a},
                      {DNNL_ARG_WEIGHTS, result.b},
                      {DNNL_ARG_DST, result.c},
                      {DNNL_ARG_SCRATCHPAD, result.scratchpad}};
  return result;
}

LibraryMatmul::Impl::Prepared& LibraryMatmul::Impl::Get(const GemmShape& shape) {
  const std::pair key(shape, GetThreads());
  auto found = prepared.find(key);
  if (found != prepared.end()) return found->second;
  Prepared fresh;
  try {
    fresh = Prepare(shape);
  } catch (const dnnl::error&) {  // no primitive for this shape
    fresh = Prepared{};
  }
  if (fresh.scratch_bytes > scratch.size()) scratch.resize(fresh.scratch_bytes);
  return prepared.emplace(key, std::move(fresh)).first->second;
}

LibraryMatmul::LibraryMatmul(DType operands) : impl_(std::make_unique<Impl>(operands)) {}
LibraryMatmul::~LibraryMatmul() = default;

bool LibraryMatmul::Run(const GemmShape& shape, const void* a, const void* b, float* c) {
  Impl::Prepared& product = impl_->Get(shape);
  if (!product.primitive) return false;
  product.a.set_data_handle(const_cast<void*>(a));
  product.b.set_data_handle(const_cast<void*>(b));
  product.c.set_data_handle(c);
  product.scratchpad.set_data_handle(impl_->scratch.data());
  product.primitive.execute(impl_->stream, product.arguments);
  impl_->stream.wait();
  return true;
}

std::string LibraryMatmul::Describe(const GemmShape& shape) { return impl_->Get(shape).name; }

}  // namespace millwright::math
