#include "runtime/staging.h"

#include "math/convert.h"

namespace millwright::runtime {
namespace {

std::byte* At(std::span<std::byte> bytes, const kernels::Port& port,
              const kernels::Segment& segment, DType storage) {
  const int64_t element = segment.row * port.columns + segment.column;
  return bytes.data() + static_cast<size_t>(element) * DTypeSize(storage);
}

}  // namespace

template <class T>
Status CopyIn(const std::vector<BoundSegment<T>>& segments, const kernels::Port& port, bool weights,
              device::Surface& surface) {
  auto mapping = surface.Map(device::Access::kWrite);
  if (!mapping) return mapping.error().In(port.name);
  const DType storage = surface.desc().storage;
  for (const BoundSegment<T>& bound : segments) {
    if (bound.weight != weights) continue;
    const kernels::Segment& s = *bound.segment;
    const int64_t rows = s.transposed ? s.columns : s.rows;
    const int64_t columns = s.transposed ? s.rows : s.columns;
    math::ConvertBlock(rows, columns, DTypeOf<T>::value, bound.host, columns, storage,
                       At(mapping->bytes(), port, s, storage), port.columns, s.transposed);
  }
  return {};
}

template <class T>
Status CopyOut(const std::vector<BoundSegment<T>>& segments, const kernels::Port& port,
               device::Surface& surface) {
  auto mapping = surface.Map(device::Access::kRead);
  if (!mapping) return mapping.error().In(port.name);
  const DType storage = surface.desc().storage;
  for (const BoundSegment<T>& bound : segments) {
    const kernels::Segment& s = *bound.segment;
    math::ConvertBlock(s.rows, s.columns, storage, At(mapping->bytes(), port, s, storage),
                       port.columns, DTypeOf<T>::value, bound.host, s.columns);
  }
  return {};
}

template Status CopyIn(const std::vector<BoundSegment<float>>&, const kernels::Port&, bool,
                       device::Surface&);
template Status CopyIn(const std::vector<BoundSegment<double>>&, const kernels::Port&, bool,
                       device::Surface&);
template Status CopyOut(const std::vector<BoundSegment<float>>&, const kernels::Port&,
                        device::Surface&);
template Status CopyOut(const std::vector<BoundSegment<double>>&, const kernels::Port&,
                        device::Surface&);

}  // namespace millwright::runtime
