#include "device/ane/errors.h"

#include <array>

#include "device/ane/objects.h"

namespace millwright::device::ane {
namespace {

struct Code {
  std::string_view text;
  std::string_view meaning;
};

// Longer spellings before those that they contain. Source: facts A34, D1 to D7, D9.
constexpr std::array kCodes = {
    Code{"InvalidMILProgram",
         "the compiler refuses the program and names no operation; `millwright check` lists the "
         "known constraints"},
    Code{"CompilationFailure", "the compiler refuses the program or has reached its limit"},
    Code{"0x20004", "out of the engine's memory: free programs, or split large weights (B14)"},
    Code{"0xe00002e2", "the program is not signed for this path (D7)"},
    Code{"0x1d", "the request's surfaces do not fit the program: sizes or their number (B9, D1)"},
    Code{"0x12", "surfaces cannot be mapped for this kind of model (D3)"},
    Code{"0x11", "the engine timed out (D5)"},
    Code{"0x16", "inference failed or timed out (D5)"},
    Code{"0x9", "inference failed: a surface is too small, or the engine timed out (B8, D5)"},
    Code{"0x2", "a symbol index is wrong (D2)"},
};

// Whether `code` stands in `text` as a word: "0x2" is not in "0x20004".
bool Mentions(std::string_view text, std::string_view code) {
  for (size_t at = text.find(code); at != std::string_view::npos; at = text.find(code, at + 1)) {
    const size_t end = at + code.size();
    if (end == text.size() || std::isalnum(static_cast<unsigned char>(text[end])) == 0) return true;
  }
  return false;
}

}  // namespace

std::string_view ExplainCode(std::string_view text) {
  for (const Code& code : kCodes) {
    if (Mentions(text, code.text)) return code.meaning;
  }
  return "";
}

Error MethodError(const CFunctions& c, std::string_view method, Id error) {
  if (error == nullptr) return Failed("{} failed and says no reason", method);
  const long code = c.CFErrorGetCode(error);
  const Ref description = Ref::Adopt(c, c.CFErrorCopyDescription(error));
  auto text = TextOf(c, description.get());
  if (!text) text = std::string("no description");
  std::string_view meaning = ExplainCode(*text);
  if (meaning.empty()) meaning = ExplainCode(fmt::format("0x{:x}", code));
  return Failed("{} failed with code {} (0x{:x}): {}{}{}", method, code, code, *text,
                meaning.empty() ? "" : "; ", meaning);
}

}  // namespace millwright::device::ane
