#include "device/ane/e5_buffer.h"

#include <algorithm>
#include <cstring>

namespace millwright::device::ane {
namespace {

constexpr size_t kGranule = 64;  // buffers are rounded to it (fact B10)
constexpr int kPlainMemory = 0;  // a type of buffer that the host can address

}  // namespace

Result<std::unique_ptr<Memory>> E5Buffer::Create(std::shared_ptr<const Api> api, size_t bytes) {
  const E5Functions& e5 = api->e5;
  const size_t size = std::max<size_t>(1, (bytes + kGranule - 1) / kGranule) * kGranule;
  E5Ref buffer(e5.e5rt_buffer_object_release);
  Status status = E5Outcome("e5rt_buffer_object_alloc",
                            e5.e5rt_buffer_object_alloc(buffer.out(), size, kPlainMemory));
  if (!status) return status.error();
  void* data = nullptr;
  status = E5Outcome("e5rt_buffer_object_get_data_ptr",
                     e5.e5rt_buffer_object_get_data_ptr(buffer.get(), &data));
  if (!status) return status.error();
  if (data == nullptr) return Failed("e5rt_buffer_object_get_data_ptr gave nothing");
  std::memset(data, 0, size);
  return std::unique_ptr<Memory>(
      new E5Buffer(std::move(api), std::move(buffer), static_cast<std::byte*>(data), size));
}

}  // namespace millwright::device::ane
