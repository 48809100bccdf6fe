#include "data/story_plots.h"

namespace millwright::data {
namespace {

constexpr StoryStep kOpening[] = {
    {kSame,
     {"Once upon a time, there was a {trait} {kind} named {h}.",
      "There once was a {kind} called {h}. {He} was very {trait}.",
      "{h} was a {trait} {kind} who lived near {place}.",
      "In a small house near {place}, there lived a {trait} {kind} named {h}."}},
    {kSame,
     {"{He} lived with {his} {elder}, and they were happy.",
      "{He} loved to laugh and play all day long.",
      "Every morning, {he} woke up early and smiled at the sun.",
      "On most days, {he} helped {his} {elder} at home."}},
};

constexpr StoryStep kClosing[] = {
    {kSame,
     {"That night, {h} fell asleep with a smile.", "It had been a very good day.",
      "And {h} was happy.", "{h} thought about it for a long time."}},
};

// In the order in which stories have always drawn them.
std::array<StoryPlot, 12> AllPlots() {
  std::array<StoryPlot, 12> plots;
  size_t count = 0;
  for (const ThreePlots& three :
       {PlotsOfKindness(), PlotsOfGrowing(), PlotsOfFriends(), PlotsOfDiscovery()}) {
    for (const StoryPlot& plot : three) plots[count++] = plot;
  }
  return plots;
}

}  // namespace

StoryPlot GetStoryOpening() { return kOpening; }
StoryPlot GetStoryClosing() { return kClosing; }

std::span<const StoryPlot> GetStoryPlots() {
  static const auto plots = AllPlots();
  return plots;
}

}  // namespace millwright::data
