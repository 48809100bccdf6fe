#include "runtime/staging.h"

#include "math/convert.h"

namespace millwright::runtime {
namespace {

std::byte* Start(std::span<std::byte> bytes, const Place& place) {
  const int64_t element = place.segment->row * place.port->columns + place.segment->column;
  return bytes.data() + static_cast<size_t>(element) * DTypeSize(place.surface->desc().storage);
}

}  // namespace

template <class T>
Status CopyIn(const BoundOperand<T>& operand) {
  const Place& place = operand.place;
  auto mapping = place.surface->Map(device::Access::kWrite);
  if (!mapping) return mapping.error().In(place.port->name);
  const kernels::Segment& s = *place.segment;
  const int64_t rows = s.transposed ? s.columns : s.rows;
  const int64_t columns = s.transposed ? s.rows : s.columns;
  math::ConvertBlock(rows, columns, DTypeOf<T>::value, operand.host, columns,
                     place.surface->desc().storage, Start(mapping->bytes(), place),
                     place.port->columns, s.transposed);
  return {};
}

template <class T>
Status CopyOut(const BoundOperand<T>& operand) {
  const Place& place = operand.place;
  auto mapping = place.surface->Map(device::Access::kRead);
  if (!mapping) return mapping.error().In(place.port->name);
  const kernels::Segment& s = *place.segment;
  math::ConvertBlock(s.rows, s.columns, place.surface->desc().storage,
                     Start(mapping->bytes(), place), place.port->columns, DTypeOf<T>::value,
                     operand.host, s.columns);
  return {};
}

Status CopyAcross(const Place& from, const Place& to) {
  auto source = from.surface->Map(device::Access::kRead);
  if (!source) return source.error().In(from.port->name);
  auto target = to.surface->Map(device::Access::kWrite);
  if (!target) return target.error().In(to.port->name);
  const DType storage = from.surface->desc().storage;
  math::ConvertBlock(from.segment->rows, from.segment->columns, storage,
                     Start(source->bytes(), from), from.port->columns, storage,
                     Start(target->bytes(), to), to.port->columns);
  return {};
}

template Status CopyIn(const BoundOperand<float>&);
template Status CopyIn(const BoundOperand<double>&);
template Status CopyOut(const BoundOperand<float>&);
template Status CopyOut(const BoundOperand<double>&);

}  // namespace millwright::runtime
