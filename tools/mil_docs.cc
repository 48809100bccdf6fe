// Writes docs/mil.md: the introduction, then what the files of src/mil/ops say of each operation.
//
//   mil_docs INTRODUCTION OPS_DEF PAGE           writes PAGE
//   mil_docs --check INTRODUCTION OPS_DEF PAGE   exits 1 where PAGE is not what would be written
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.h"
#include "base/read_file.h"
#include "mil/ops/op.h"

namespace millwright {
namespace {

using mil::OpDef;

// The operations between two comments of ops.def; the comment is their title.
struct Section {
  std::string title;
  std::vector<const OpDef*> ops;
};

Result<std::vector<Section>> ReadSections(const std::string& ops_def) {
  std::istringstream lines(ops_def);
  std::vector<Section> sections;
  std::string comment;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) comment.clear();
    if (line.starts_with("// ")) comment = line.substr(3);
    if (!line.starts_with("OP(")) continue;
    if (!comment.empty()) {
      if (comment.ends_with('.')) comment.pop_back();
      sections.push_back({.title = comment, .ops = {}});
      comment.clear();
    }
    const std::string name = line.substr(3, line.find(')') - 3);
    const OpDef* def = mil::FindOp(name);
    if (def == nullptr || sections.empty()) return BadInput("ops.def: '{}' has no section", name);
    sections.back().ops.push_back(def);
  }
  return sections;
}

// "softmax(x, [axis])": optional arguments in brackets.
std::string Signature(const OpDef& def) {
  std::string text = fmt::format("{}(", def.name);
  std::string_view separator;
  for (const mil::Param& param : def.params) {
    text += fmt::format(fmt::runtime(param.required ? "{}{}" : "{}[{}]"), separator, param.name);
    separator = ", ";
  }
  return text + ")";
}

std::string Page(const std::string& introduction, const std::vector<Section>& sections) {
  std::string text =
      "<!-- Written by mil_docs from docs/mil.intro.md and src/mil/ops: edit those, then run "
      "`ninja docs_mil`. -->\n\n";
  text += introduction;
  text += "\n## The operations\n";
  for (const Section& section : sections) {
    text += fmt::format("\n### {}\n", section.title);
    for (const OpDef* def : section.ops) {
      std::string_view doc = def->doc;
      while (doc.starts_with('\n')) doc.remove_prefix(1);
      text += fmt::format("\n#### {}\n\n```\n{}\n\n{}\n```\n", def->name, Signature(*def), doc);
    }
  }
  return text;
}

Result<std::string> MakePage(const std::string& introduction, const std::string& ops_def) {
  const auto intro = ReadFile(introduction);
  if (!intro) return intro.error();
  const auto list = ReadFile(ops_def);
  if (!list) return list.error();
  const auto sections = ReadSections(*list);
  if (!sections) return sections.error();
  return Page(*intro, *sections);
}

int Complain(const std::string& message) {
  std::fprintf(stderr, "mil_docs: %s\n", message.c_str());
  return 1;
}

int Run(std::vector<std::string> arguments) {
  const bool check = !arguments.empty() && arguments.front() == "--check";
  if (check) arguments.erase(arguments.begin());
  if (arguments.size() != 3) {
    return Complain("usage: mil_docs [--check] INTRODUCTION OPS_DEF PAGE");
  }
  const auto page = MakePage(arguments[0], arguments[1]);
  if (!page) return Complain(page.error().message);
  if (!check) {
    const Status written = WriteFileAtomically(arguments[2], *page);
    return written ? 0 : Complain(written.error().message);
  }
  const auto found = ReadFile(arguments[2]);
  if (!found) return Complain(found.error().message);
  if (*found == *page) return 0;
  return Complain(arguments[2] + " is out of date: run `ninja docs_mil`");
}

}  // namespace
}  // namespace millwright

int main(int argc, char** argv) {
  return millwright::Run(std::vector<std::string>(argv + 1, argv + argc));
}
