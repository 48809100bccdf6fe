#include "mil/ops/resample.h"

namespace millwright::mil {
namespace {

Types Infer(const Call& call) {
  const bool align = call.Bool("align_corners", true);
  if (align && call.Bool("half_pixel_centers", false)) {
    return call.Bad("'align_corners' and 'half_pixel_centers' are both true");
  }
  return InferUpsample(call);
}

Arrays Evaluate(const Call& call, std::span<const Type> results, const Numerics&) {
  Place place = PlaceAlignCorners;
  if (!call.Bool("align_corners", true)) {
    place = call.Bool("half_pixel_centers", true) ? PlaceUnalignCorners : PlaceDefault;
  }
  return ResampleBilinear(call, results[0], place);
}

}  // namespace

const OpDef k_upsample_bilinear = {
    .name = "upsample_bilinear",
    .doc = R"(
The last two axes resized by linear interpolation. Element i of the new length `out` lies on the old one,
`in`, at i (in - 1) / (out - 1) with align_corners, else at (i + 0.5) in / out - 0.5, clamped to it.
  x                    [*D, H, W], fp16 or fp32, rank 3 or more
  scale_factor_height  constant float or int, default 1; the result has floor(scale H) rows
  scale_factor_width   constant float or int, default 1; the result has floor(scale W) columns
  align_corners        constant bool, default true
  half_pixel_centers   constant bool, default the opposite of align_corners; where both are false the
                       place is i in / out, both true are refused (ios16)
Opset ios15. Source: coremltools, MIL ops, iOS15 and iOS16 image_resizing.)",
    .params =
        {{.name = "x"},
         {.name = "scale_factor_height", .required = false, .constant = true},
         {.name = "scale_factor_width", .required = false, .constant = true},
         {.name = "align_corners", .required = false, .constant = true, .kind = ParamKind::kBool},
         {.name = "half_pixel_centers",
          .required = false,
          .constant = true,
          .kind = ParamKind::kBool}},
    .infer = Infer,
    .evaluate = Evaluate,
};

}  // namespace millwright::mil
