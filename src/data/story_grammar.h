// What stories are made of: word lists, and plots as rows of interchangeable sentences.
//
// A sentence may hold places to fill in, in braces; stories.cc says what each stands for:
//   {h} the hero's name       {he} {him} {his} {He} {His}     the hero's pronouns
//   {f} the friend's name     {fhe} {fhim} {fhis} {Fhe} the friend's pronouns
//   {kind} "little girl"      {trait} "curious"               {elder} "mom", with {ehe} {ehis}
//   {Ehe} {noun} "kite"             {thing} "red kite"              {a_thing} "a red kite" {play}
//   "fly it in the wind"  {adjective} "red" {place} "the park"        {in} {In} "in the park"
//   {spot} "under an old bench" {animal} "duckling"       {food} "apple pie"              {weather}
//   "sunny" {skill} "swim"            {plant} "pumpkin"               {fear} "the dark" {treasure}
//   "blue vase"    {time} "morning"
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace millwright::data {

struct StoryThing {
  std::string_view noun;
  std::string_view play;  // what one does with it
};

struct StoryPlace {
  std::string_view name;  // "the park"
  std::string_view in;    // "in the park"
  std::string_view spot;  // where in it something can lie unseen
};

struct StoryWords {
  std::span<const std::string_view> girls, boys, animal_kinds, traits;
  std::span<const std::string_view> women, men;  // the hero's elders
  std::span<const StoryThing> things;
  std::span<const std::string_view> adjectives;
  std::span<const StoryPlace> places;
  std::span<const std::string_view> young_animals, foods, weathers, times;
  std::span<const std::string_view> skills, plants, fears, treasures;
};

// One step of a plot: the sentences that can stand there, each as good as the others.
struct StoryStep {
  bool new_paragraph = false;
  std::array<std::string_view, 4> choices;  // empty ones at the end are not there
};

using StoryPlot = std::span<const StoryStep>;

const StoryWords& GetStoryWords();
// How any story begins, what happens in it, and how it may end.
StoryPlot GetStoryOpening();
std::span<const StoryPlot> GetStoryPlots();
StoryPlot GetStoryClosing();

}  // namespace millwright::data
