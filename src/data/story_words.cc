#include "data/story_grammar.h"

namespace millwright::data {
namespace {

constexpr std::string_view kGirls[] = {"Lily", "Mia",  "Anna", "Sara",  "Emma",  "Nora",  "Ella",
                                       "Zoe",  "Ruby", "Lucy", "Rosie", "Daisy", "Clara", "Molly",
                                       "Ivy",  "Tess", "Maya", "Nina",  "Amy",   "Bella"};
constexpr std::string_view kBoys[] = {"Tom",  "Ben",   "Max",  "Sam",   "Leo",   "Tim",  "Jack",
                                      "Finn", "Oscar", "Noah", "Peter", "Hugo",  "Milo", "Theo",
                                      "Luke", "Adam",  "Eli",  "Toby",  "Felix", "Henry"};
constexpr std::string_view kAnimalKinds[] = {"rabbit",   "fox",      "bear",   "mouse",
                                             "squirrel", "hedgehog", "duck",   "frog",
                                             "cat",      "puppy",    "beaver", "turtle"};
constexpr std::string_view kTraits[] = {"kind",     "curious", "brave",   "cheerful", "gentle",
                                        "clever",   "shy",     "silly",   "quiet",    "playful",
                                        "friendly", "careful", "patient", "busy"};
constexpr std::string_view kWomen[] = {"mom", "grandma", "aunt", "big sister"};
constexpr std::string_view kMen[] = {"dad", "grandpa", "uncle", "big brother"};

constexpr StoryThing kThings[] = {
    {"ball", "kick it high into the air"},  {"kite", "fly it in the wind"},
    {"doll", "sing a song to it"},          {"drum", "play a loud song on it"},
    {"car", "roll it down the path"},       {"boat", "float it in the water"},
    {"book", "read it under a tree"},       {"robot", "make it walk around"},
    {"wagon", "pull it up and down"},       {"hat", "wear it in the sun"},
    {"scarf", "dance with it in the wind"}, {"whistle", "blow it like a bird"},
    {"puppet", "make it talk and dance"},   {"top", "spin it round and round"},
    {"train", "push it along the ground"},  {"bucket", "fill it with pretty stones"},
    {"flute", "play a sweet song on it"},   {"rope", "jump over it again and again"},
    {"plane", "throw it up to the clouds"}, {"horn", "blow it as loud as a cow"},
};
constexpr std::string_view kAdjectives[] = {"red",     "blue",   "green",  "yellow", "purple",
                                            "orange",  "pink",   "shiny",  "old",    "bright",
                                            "striped", "golden", "little", "white"};

constexpr StoryPlace kPlaces[] = {
    {"the park", "in the park", "under an old bench"},
    {"the beach", "at the beach", "behind a big rock"},
    {"the forest", "in the forest", "beside a hollow tree"},
    {"the garden", "in the garden", "under the cabbage leaves"},
    {"the river", "by the river", "between two wet stones"},
    {"the farm", "at the farm", "behind a pile of hay"},
    {"the playground", "at the playground", "under the slide"},
    {"the market", "at the market", "behind a box of apples"},
    {"the hill", "on the hill", "in the tall grass"},
    {"the meadow", "in the meadow", "among the wild flowers"},
    {"the lake", "by the lake", "under a wooden bridge"},
    {"the barn", "in the barn", "on top of a broken cart"},
    {"the pond", "by the pond", "next to a green bush"},
    {"the village", "in the village", "beside the old well"},
};

constexpr std::string_view kYoungAnimals[] = {"duckling", "kitten", "bird",  "rabbit", "lamb",
                                              "puppy",    "turtle", "mouse", "deer",   "goat"};
constexpr std::string_view kFoods[] = {
    "apple pie",   "pancakes",  "warm bread",     "sugar cookies",   "berry jam", "carrot soup",
    "cheese soup", "plum cake", "corn and beans", "honey and toast", "noodles",   "banana muffins"};
constexpr std::string_view kWeathers[] = {"sunny",  "windy", "warm",   "cloudy",
                                          "bright", "cool",  "lovely", "quiet"};
constexpr std::string_view kTimes[] = {"morning", "afternoon", "day"};
constexpr std::string_view kSkills[] = {
    "swim",          "whistle", "ride a bike", "skate",     "climb a tree", "bake bread",
    "paint a horse", "juggle",  "dance",       "tie a bow", "read a map",   "row a boat"};
constexpr std::string_view kPlants[] = {"pumpkin", "sunflower", "tomato", "carrot",
                                        "bean",    "melon",     "rose",   "strawberry"};
constexpr std::string_view kFears[] = {"the dark", "loud thunder",  "deep water",
                                       "big dogs", "high places",   "the old cellar",
                                       "spiders",  "the noisy wind"};
constexpr std::string_view kTreasures[] = {"blue vase",    "glass bowl",    "white teapot",
                                           "wooden clock", "painted plate", "china cup",
                                           "little lamp",  "round mirror"};

constexpr StoryWords kWords = {
    .girls = kGirls,
    .boys = kBoys,
    .animal_kinds = kAnimalKinds,
    .traits = kTraits,
    .women = kWomen,
    .men = kMen,
    .things = kThings,
    .adjectives = kAdjectives,
    .places = kPlaces,
    .young_animals = kYoungAnimals,
    .foods = kFoods,
    .weathers = kWeathers,
    .times = kTimes,
    .skills = kSkills,
    .plants = kPlants,
    .fears = kFears,
    .treasures = kTreasures,
};

}  // namespace

const StoryWords& GetStoryWords() { return kWords; }

}  // namespace millwright::data
