#include "data/stories.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "base/rng.h"
#include "data/story_grammar.h"

namespace millwright::data {
namespace {

struct Pronouns {
  std::string_view he, him, his;
};
constexpr Pronouns kFemale = {"she", "her", "her"};
constexpr Pronouns kMale = {"he", "him", "his"};

// The random choices of one story, in order.
class Dice {
 public:
  Dice(uint64_t seed, uint64_t story) : rng_(seed ^ StreamId("data.stories"), story) {}

  size_t Below(size_t bound) { return rng_.Below(next_++, bound); }
  bool OneIn(size_t n) { return Below(n) == 0; }

  template <class T>
  const T& Pick(std::span<const T> list) {
    return list[Below(list.size())];
  }

 private:
  Rng rng_;
  uint64_t next_ = 0;
};

// Who and what a story is about, fixed before its first sentence.
class Cast {
 public:
  explicit Cast(Dice& dice) {
    const StoryWords& words = GetStoryWords();
    ChoosePeople(words, dice);
    const StoryThing& thing = dice.Pick(words.things);
    const std::string_view adjective = dice.Pick(words.adjectives);
    const std::string named = std::string(adjective).append(" ").append(thing.noun);
    Set("noun", thing.noun);
    Set("play", thing.play);
    Set("thing", named);
    Set("adjective", adjective);
    const bool vowel = std::string_view("aeiou").find(adjective[0]) != std::string_view::npos;
    Set("a_thing", (vowel ? "an " : "a ") + named);
    const StoryPlace& place = dice.Pick(words.places);
    Set("place", place.name);
    SetBoth("in", place.in);
    Set("spot", place.spot);
    Set("animal", dice.Pick(words.young_animals));
    Set("food", dice.Pick(words.foods));
    Set("weather", dice.Pick(words.weathers));
    Set("time", dice.Pick(words.times));
    Set("skill", dice.Pick(words.skills));
    Set("plant", dice.Pick(words.plants));
    Set("fear", dice.Pick(words.fears));
    Set("treasure", dice.Pick(words.treasures));
  }

  // Appends `sentence` with its places filled in.
  void Tell(std::string_view sentence, std::string& out) const {
    while (!sentence.empty()) {
      const size_t open = sentence.find('{');
      out.append(sentence.substr(0, open));
      if (open == std::string_view::npos) return;
      const size_t close = sentence.find('}', open);
      out.append(Get(sentence.substr(open + 1, close - open - 1)));
      sentence.remove_prefix(close + 1);
    }
  }

 private:
  struct Entry {
    std::string_view key;
    std::string text;
  };

  void Set(std::string_view key, std::string_view text) {
    entries_[count_++] = {key, std::string(text)};
  }

  // `key` as it is and, under the key with a capital letter, for the start of a sentence.
  void SetBoth(std::string_view key, std::string_view text) {
    Set(key, text);
    std::string capital(text);
    capital[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(capital[0])));
    Set(kCapitalKeys[static_cast<size_t>(std::find(kLowerKeys.begin(), kLowerKeys.end(), key) -
                                         kLowerKeys.begin())],
        capital);
  }

  void ChoosePeople(const StoryWords& words, Dice& dice) {
    const bool girl = dice.OneIn(2);
    const auto names = girl ? words.girls : words.boys;
    const std::string_view hero = dice.Pick(names);
    std::string kind = dice.OneIn(2) ? "little " : "young ";
    kind += dice.OneIn(3) ? dice.Pick(words.animal_kinds) : girl ? "girl" : "boy";
    SetPerson(hero, girl ? kFemale : kMale);
    Set("kind", kind);
    Set("trait", dice.Pick(words.traits));

    const bool friend_girl = dice.OneIn(2);
    const auto friend_names = friend_girl ? words.girls : words.boys;
    std::string_view name = dice.Pick(friend_names);
    while (name == hero) name = dice.Pick(friend_names);
    SetFriend(name, friend_girl ? kFemale : kMale);

    const bool woman = dice.OneIn(2);
    const Pronouns& pronouns = woman ? kFemale : kMale;
    Set("elder", dice.Pick(woman ? words.women : words.men));
    SetBoth("ehe", pronouns.he);
    Set("ehis", pronouns.his);
  }

  void SetPerson(std::string_view name, const Pronouns& pronouns) {
    Set("h", name);
    SetBoth("he", pronouns.he);
    Set("him", pronouns.him);
    SetBoth("his", pronouns.his);
  }

  void SetFriend(std::string_view name, const Pronouns& pronouns) {
    Set("f", name);
    SetBoth("fhe", pronouns.he);
    Set("fhim", pronouns.him);
    Set("fhis", pronouns.his);
  }

  std::string_view Get(std::string_view key) const {
    const auto end = entries_.begin() + static_cast<ptrdiff_t>(count_);
    const auto entry =
        std::find_if(entries_.begin(), end, [&](const Entry& e) { return e.key == key; });
    return entry == end ? std::string_view() : std::string_view(entry->text);
  }

  static constexpr std::array<std::string_view, 5> kLowerKeys = {"he", "his", "fhe", "ehe", "in"};
  static constexpr std::array<std::string_view, 5> kCapitalKeys = {"He", "His", "Fhe", "Ehe", "In"};

  std::array<Entry, 40> entries_;
  size_t count_ = 0;
};

std::string_view ChooseSentence(const StoryStep& step, Dice& dice) {
  const auto end = std::find(step.choices.begin(), step.choices.end(), std::string_view());
  return dice.Pick(std::span(step.choices.begin(), end));
}

void TellPlot(StoryPlot plot, const Cast& cast, Dice& dice, std::string& out) {
  for (const StoryStep& step : plot) {
    if (!out.empty()) out.push_back(step.new_paragraph ? '\n' : ' ');
    cast.Tell(ChooseSentence(step, dice), out);
  }
}

}  // namespace

std::string GenerateStory(uint64_t seed, uint64_t index) {
  Dice dice(seed, index);
  const Cast cast(dice);
  std::string story;
  story.reserve(1024);
  TellPlot(GetStoryOpening(), cast, dice, story);
  TellPlot(dice.Pick(GetStoryPlots()), cast, dice, story);
  TellPlot(GetStoryClosing(), cast, dice, story);
  return story;
}

std::vector<std::string> GenerateStories(uint64_t seed, size_t bytes) {
  std::vector<std::string> stories;
  for (size_t total = 0; total < bytes; total += stories.back().size()) {
    stories.push_back(GenerateStory(seed, stories.size()));
  }
  return stories;
}

}  // namespace millwright::data
