#include <algorithm>

#include "mil/ops/resample.h"

namespace millwright::mil {
namespace {

double PlaceCentredCorners(int64_t i, int64_t in, int64_t out) {
  return out == 1 ? static_cast<double>(in - 1) / 2.0 : PlaceAlignCorners(i, in, out);
}

double PlaceOffsetCorners(int64_t i, int64_t in, int64_t out) {
  const double delta = std::max(1.0, static_cast<double>(in - 1)) / static_cast<double>(out);
  return (static_cast<double>(i) + 0.5) * delta;
}

Place FindPlace(std::string_view mode) {
  if (mode == "STRICT_ALIGN_CORNERS") return PlaceAlignCorners;
  if (mode == "ALIGN_CORNERS") return PlaceCentredCorners;
  if (mode == "DEFAULT") return PlaceDefault;
  if (mode == "OFFSET_CORNERS") return PlaceOffsetCorners;
  if (mode == "UNALIGN_CORNERS") return PlaceUnalignCorners;
  return nullptr;
}

Types Infer(const Call& call) {
  const std::string mode = call.Text("sampling_mode", "DEFAULT");
  if (FindPlace(mode) == nullptr) {
    return call.Bad(
        "'sampling_mode' must be STRICT_ALIGN_CORNERS, ALIGN_CORNERS, DEFAULT, OFFSET_CORNERS or "
        "UNALIGN_CORNERS, found \"{}\"",
        mode);
  }
  return InferResize(call, 1);
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  return ResampleBilinear(call, results[0], FindPlace(call.Text("sampling_mode", "DEFAULT")));
}

}  // namespace

const OpDef k_resize_bilinear = {
    .name = "resize_bilinear",
    .doc = R"(
The last two axes resized by linear interpolation. Where element i of the new length `out` lies on the old
one, `in`, clamped to it, depends on the mode:
  STRICT_ALIGN_CORNERS  i (in - 1) / (out - 1), 0 where out is 1
  ALIGN_CORNERS         the same, (in - 1) / 2 where out is 1
  DEFAULT               i in / out
  OFFSET_CORNERS        (i + 0.5) max(1, in - 1) / out
  UNALIGN_CORNERS       (i + 0.5) in / out - 0.5
  x                   [*D, H, W], fp16 or fp32, rank 3 or more
  target_size_height  constant int, default 1: rows of the result
  target_size_width   constant int, default 1: columns of the result
  sampling_mode       constant string, one of those five, default "DEFAULT"
Opset ios15. Source: coremltools, MIL ops, iOS15 image_resizing.)",
    .params =
        {{.name = "x"},
         {.name = "target_size_height",
          .required = false,
          .constant = true,
          .kind = ParamKind::kInt},
         {.name = "target_size_width",
          .required = false,
          .constant = true,
          .kind = ParamKind::kInt},
         {.name = "sampling_mode", .required = false, .constant = true, .kind = ParamKind::kText}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
