#include "inspect/source_lines.h"

#include <vector>

#include "mil/lexer.h"

namespace millwright::inspect {
namespace {

std::vector<mil::Token> Tokens(std::string_view text) {
  std::vector<mil::Token> tokens;
  mil::Lexer lexer(text);
  for (mil::Token token = lexer.Next();
       token.kind != mil::TokenKind::kEnd && token.kind != mil::TokenKind::kInvalid;
       token = lexer.Next()) {
    tokens.push_back(token);
  }
  return tokens;
}

// A type ends in the token before the name that it declares: "fp16 x" or "tensor<...> x".
bool Declares(const mil::Token& before, const mil::Token& name) {
  return name.kind == mil::TokenKind::kIdentifier &&
         (before.kind == mil::TokenKind::kIdentifier || before.text == ">");
}

}  // namespace

SourceLines::SourceLines(std::string_view text) {
  const std::vector<mil::Token> tokens = Tokens(text);
  std::string function;
  size_t line = 1, counted = 0;
  for (size_t i = 1; i < tokens.size(); ++i) {
    if (!Declares(tokens[i - 1], tokens[i])) continue;
    for (; counted < tokens[i].offset; ++counted) line += text[counted] == '\n';
    if (tokens[i - 1].text == "func") {
      function = tokens[i].text;
      lines_.try_emplace({function, ""}, line);
    } else {
      lines_.try_emplace({function, std::string(tokens[i].text)}, line);
    }
  }
}

size_t SourceLines::LineOf(std::string_view function, std::string_view id) const {
  const auto it = lines_.find(std::pair(std::string(function), std::string(id)));
  return it == lines_.end() ? 0 : it->second;
}

}  // namespace millwright::inspect
