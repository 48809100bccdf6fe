// Texts on which tokenizers are compared.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace millwright::text {

// The UTF-8 of a code point that is no surrogate.
inline std::string Utf8(char32_t point) {
  std::string out;
  const auto byte = [&](char32_t value) { out.push_back(static_cast<char>(value)); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | point >> 6), byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | point >> 12), byte(0x80 | (point >> 6 & 0x3F)), byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | point >> 18), byte(0x80 | (point >> 12 & 0x3F));
    byte(0x80 | (point >> 6 & 0x3F)), byte(0x80 | (point & 0x3F));
  }
  return out;
}

// Ranges in which every code point has been assigned since Unicode 9 or before: libraries of
// different age agree on them.
inline std::string RandomUnicode(std::mt19937& random, size_t characters) {
  struct Range {
    char32_t first, last;
  };
  static constexpr Range kRanges[] = {
      {0x20, 0x7E},       {0x20, 0x7E},       {0x09, 0x0D},       {0xA0, 0x24F},
      {0x300, 0x36F},     {0x391, 0x3A1},     {0x400, 0x4FF},     {0x5D0, 0x5EA},
      {0x620, 0x660},     {0x904, 0x939},     {0xE01, 0xE3A},     {0x1100, 0x11FF},
      {0x1E00, 0x1EFF},   {0x2000, 0x2027},   {0x2070, 0x2071},   {0x2150, 0x218A},
      {0x2190, 0x23FA},   {0x2500, 0x26FF},   {0x3000, 0x303F},   {0x3041, 0x3096},
      {0x30A1, 0x30FF},   {0x4E00, 0x9FA5},   {0xAC00, 0xD7A3},   {0xF900, 0xFA6D},
      {0xFB00, 0xFB06},   {0xFF01, 0xFFBE},   {0x1D400, 0x1D454}, {0x1F300, 0x1F579},
      {0x1F600, 0x1F64F}, {0x20000, 0x2A6D6}, {0x9BE, 0x9C4},     {0x17E, 0x17F}};
  std::string text;
  for (size_t i = 0; i < characters; ++i) {
    const Range& range = kRanges[random() % std::size(kRanges)];
    text += Utf8(range.first + static_cast<char32_t>(random() % (range.last - range.first + 1)));
  }
  return text;
}

// Text of ASCII that is rich in what pre-tokenizers tell apart.
inline std::string RandomAscii(std::mt19937& random, size_t characters) {
  constexpr std::string_view kAlphabet =
      "    \n\n\r\t\v'''ssdtrevmllSTREVMLDaeiouXYZ0123456789.,!-\"_()<|>{}";
  std::string text;
  for (size_t i = 0; i < characters; ++i) text += kAlphabet[random() % kAlphabet.size()];
  return text;
}

inline std::string RandomBytes(std::mt19937& random, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(random() % 256);
  return bytes;
}

// What is seldom, but must be right: code, scripts, emoji, white space, special tokens as text.
inline std::vector<std::string> OddTexts() {
  return {
      "",
      " ",
      "  ",
      "\n",
      "\t \n  \r\n\r\n   x",
      "   leading and trailing   ",
      "for (int i = 0; i < n; ++i) {\n\t\ta[i] += b[i] * 0.5f;  // scale\n}\n\n\n",
      "def f(x):\n    return {'a': x**2, \"b\": [1,2,3]}\n",
      "<html><body class=\"x\">&nbsp;</body></html>",
      "https://example.org/a_b-c?d=e%20f&g=1#h",
      "it's It'S we'll WE'LL they've I'd you're 'tis ''s 'ſ don'ſ",
      "12 345 6789 1,234.5 ٣٤٥ Ⅷ ½ x² 1st",
      "今天天气很好。我们去公园吧!ひらがなカタカナ漢字 한국어 띄어쓰기",
      "😀👨‍👩‍👧‍👦🇩🇪👍🏽 ❤️ a😀b",
      "café cafe\u0301 \u212B \u1E9B\u0323 \u0958 \u1100\u1161\u11A8 e\u0323\u0302 \u0344 \u0340",
      "\u0301starts with a mark",
      "a\u00A0b\u2003c\u3000d\u180Ee\u200Bf\u0085g\u2028h\uFEFFi\u001Cj",
      "<|endoftext|><|im_start|>user\nHi<|im_end|>\n<|im_start|>x<|endoftext|",
      "<s>[INST] <<SYS>></s><unk><0x0A><pad> <|begin_of_text|>",
      "\u2581a\u2581\u2581b \u2581 c\u2581",
      std::string(300, 'a'),
      std::string(300, ' '),
      std::string(200, '\n') + "x",
      std::string("nul\0in\0side", 11),
  };
}

}  // namespace millwright::text
