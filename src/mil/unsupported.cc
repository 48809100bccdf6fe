#include "mil/unsupported.h"

#include <algorithm>
#include <iterator>

namespace millwright::mil {
namespace {

struct Entry {
  std::string_view op;
  std::string_view why;
};

constexpr std::string_view kState =
    "it works on a state; make the state an input and its new value an output";
constexpr std::string_view kBlocks = "it holds blocks of operations, which are not supported";
constexpr std::string_view kLists = "it works on lists, which are not supported";
constexpr std::string_view kShape =
    "the shape of its result depends on values, and only static shapes are supported";
constexpr std::string_view kRandom = "its result is random: make the random numbers an input";
constexpr std::string_view kRecurrent =
    "recurrent layers are not supported: write their steps as operations";
constexpr std::string_view kImage = "this operation on images is not supported";
constexpr std::string_view kBatch =
    "moving between batches and space is not supported: write reshape and transpose";

constexpr Entry kEntries[] = {
    {"read_state", kState},
    {"write_state", kState},
    {"coreml_update_state", kState},
    {"cond", kBlocks},
    {"while_loop", kBlocks},
    {"make_list", kLists},
    {"list_length", kLists},
    {"list_read", kLists},
    {"list_write", kLists},
    {"list_gather", kLists},
    {"list_scatter", kLists},
    {"non_zero", kShape},
    {"non_maximum_suppression", kImage},
    {"random_bernoulli", kRandom},
    {"random_categorical", kRandom},
    {"random_normal", kRandom},
    {"random_uniform", kRandom},
    {"gru", kRecurrent},
    {"lstm", kRecurrent},
    {"rnn", kRecurrent},
    {"affine", kImage},
    {"crop_resize", kImage},
    {"resample", kImage},
    {"resize", kImage},
    {"local_response_norm", kImage},
    {"space_to_batch", kBatch},
    {"batch_to_space", kBatch},
    {"conv_quantized",
     "its weights are quantized in a form of before ios16: use "
     "constexpr_affine_dequantize and conv"},
    {"classify", "its result is a dictionary, which is not supported: return the probabilities"},
    {"custom_layer", "what it does is not part of the program"},
};

}  // namespace

std::string_view WhyUnsupported(std::string_view op) {
  const auto* entry = std::ranges::find(kEntries, op, &Entry::op);
  return entry == std::end(kEntries) ? std::string_view() : entry->why;
}

}  // namespace millwright::mil
