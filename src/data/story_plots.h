// The plots of the stories, by what they are about.
#pragma once

#include <array>

#include "data/story_grammar.h"

namespace millwright::data {

// Of StoryStep::new_paragraph.
inline constexpr bool kNew = true;    // begins a paragraph
inline constexpr bool kSame = false;  // goes on in it

using ThreePlots = std::array<StoryPlot, 3>;

ThreePlots PlotsOfKindness();   // something lost, something shared, an animal in need
ThreePlots PlotsOfGrowing();    // being brave, telling the truth, learning to do something
ThreePlots PlotsOfFriends();    // a gift, a rainy day, a child that is new
ThreePlots PlotsOfDiscovery();  // a garden, a mystery, baking

}  // namespace millwright::data
