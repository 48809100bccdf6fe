// The grammar of JSON (RFC 8259), as JsonTape needs it.
#pragma once

#include <string_view>

#include "telemetry/json_tape.h"

namespace millwright::telemetry {

// Writes the values of a tape's text onto it.
class JsonScanner {
 public:
  explicit JsonScanner(JsonTape& tape) : tape_(tape), rest_(tape.text_) {}

  // Whether the text is one value, with space around it.
  bool Scan();

 private:
  using Node = JsonTape::Node;

  bool Value(int depth);
  bool Items(JsonKind kind, char close, int depth);
  bool Field(int depth);
  bool String();
  bool Number();
  bool Word(std::string_view word, JsonKind kind);
  bool Digits();

  void SkipSpace();
  bool Take(char c);
  uint32_t offset() const { return static_cast<uint32_t>(tape_.text_.size() - rest_.size()); }
  void Add(Node node);

  JsonTape& tape_;
  std::string_view rest_;
};

}  // namespace millwright::telemetry
