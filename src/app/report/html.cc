#include "app/report/html.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace millwright::app::report {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --ink: #1c2330; --quiet: #5d6675;
  --line: #dde1e7; --main: #1f66d0; --second: #c2571a; --third: #1d8a5b; --alarm: #c02b2b;
  --warning: #96690a; --note: #3d6b8f; }
@media (prefers-color-scheme: dark) { :root { --page: #12161d; --card: #1b212b; --ink: #e6e9ee;
  --quiet: #9aa5b4; --line: #313a48; --main: #6ea8ff; --second: #f0935a; --third: #57c795;
  --alarm: #ff7b7b; --warning: #e5b955; --note: #8fc0e6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem; max-width: 72rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0 0 .6rem; }
.headline { color: var(--quiet); margin: .2rem 0 1rem; overflow-wrap: anywhere; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem;
  min-width: 0; overflow-x: auto; }
.wide { grid-column: 1 / -1; }
.figures { display: grid; gap: .75rem; margin: 0 0 1rem;
  grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
.figure { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .8rem; }
.figure b { display: block; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.figure span { color: var(--quiet); font-size: .85rem; }
.findings { list-style: none; margin: 0 0 1rem; padding: 0; }
.findings li { border-left: .3rem solid var(--note); background: var(--card); padding: .45rem .8rem;
  margin-bottom: .4rem; overflow-wrap: anywhere; }
.findings .warning { border-color: var(--warning); }
.findings .alarm { border-color: var(--alarm); }
.findings b { margin-right: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--quiet); font-weight: 500; }
td.number, th.number { text-align: right; white-space: nowrap; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; }
.grid { stroke: var(--line); stroke-width: 1; }
.curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.main { stroke: var(--main); color: var(--main); } .second { stroke: var(--second); color: var(--second); }
.third { stroke: var(--third); color: var(--third); }
.band { stroke: none; fill: var(--main); opacity: .2; }
.dot { fill: var(--card); stroke-width: 2; }
.legend { color: var(--quiet); font-size: .85rem; margin: .3rem 0 0; }
.legend i { display: inline-block; width: .9rem; height: .25rem; margin: 0 .35rem .2rem 0;
  background: currentColor; vertical-align: middle; }
.legend .item { margin-right: 1rem; }
.sample { margin: 0 0 .9rem; }
.sample pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0 0; font: inherit; }
.sample em { color: var(--quiet); font-style: normal; }
.quiet { color: var(--quiet); }
details summary { cursor: pointer; color: var(--quiet); }
)css";

std::string ValidUtf8(std::string_view text) {
  using nlohmann::json;
  const json quoted = std::string(text);
  return json::parse(quoted.dump(-1, ' ', false, json::error_handler_t::replace))
      .get<std::string>();
}

}  // namespace

std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : ValidUtf8(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default: {
        const auto code = static_cast<unsigned char>(c);
        const bool allowed = (code >= 0x20 && code != 0x7F) || c == '\n' || c == '\t';
        escaped += allowed ? std::string(1, c) : "\xEF\xBF\xBD";
      }
    }
  }
  return escaped;
}

std::string Page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n"
      "</html>\n",
      Escape(title), kStyle, body);
}

}  // namespace millwright::app::report
