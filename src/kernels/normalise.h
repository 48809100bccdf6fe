// The parts of RMSNorm that its kernels share.
#pragma once

#include <string_view>

#include "kernels/emitter.h"

namespace millwright::kernels {

// The mean over the channels of x [1, channels, 1, columns] as [1, 1, 1, columns]: a conv with
// ones, since a reduction would round after every addition (fact E5).
Emitter::Value MeanOfChannels(Emitter& e, std::string_view id, Emitter::Value x);

// x [1, n, 1, columns] times a norm weight operand [1, n], channel by channel.
Emitter::Value ByNormWeight(Emitter& e, std::string_view id, Emitter::Value x,
                            std::string_view weight);

}  // namespace millwright::kernels
