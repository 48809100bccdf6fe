#include "tests/mil/vector_file.h"

#include <charconv>
#include <fstream>
#include <sstream>

namespace millwright {
namespace {

Result<double> ReadNumber(const std::string& word) {
  if (word == "true") return 1.0;
  if (word == "false") return 0.0;
  double value = 0.0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc() || stop != end) return BadInput("'{}' is not a number", word);
  return value;
}

// "x = [1, 2]" into `values["x"]`.
Status ReadEntry(std::istringstream line, std::map<std::string, std::vector<double>>* values) {
  std::string name;
  std::string equals;
  std::string list;
  line >> name >> equals;
  std::getline(line >> std::ws, list);
  if (equals != "=" || list.size() < 2 || list.front() != '[' || list.back() != ']') {
    return BadInput("expected 'name = [numbers]', found '{}'", line.str());
  }
  std::istringstream words(list.substr(1, list.size() - 2));
  std::vector<double>& numbers = (*values)[name];
  for (std::string word; std::getline(words >> std::ws, word, ',');) {
    const Result<double> number = ReadNumber(word);
    if (!number) return number.error().In(name);
    numbers.push_back(*number);
  }
  return {};
}

}  // namespace

Result<VectorFile> ReadVectorFile(const std::filesystem::path& path) {
  std::ifstream stream(path);
  if (!stream) return BadInput("{}: cannot be read", path.string());
  VectorFile file;
  for (std::string line; std::getline(stream, line);) {
    file.text += line + "\n";
    std::istringstream words(line);
    std::string slashes;
    std::string kind;
    words >> slashes >> kind;
    if (slashes != "//" || (kind != "input" && kind != "expect")) continue;
    const Status status =
        ReadEntry(std::move(words), kind == "input" ? &file.inputs : &file.expected);
    if (!status) return status.error().In(path.string());
  }
  return file;
}

}  // namespace millwright
