// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/report/page.h"

#include <cctype>

#include "blurfield/report/html.h"

namespace blurfield::report {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --ink: #1d2329; --soft: #5c6770; --line: #d9dee3;
        --paper: #ffffff; --plate: #f5f7f8; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8eb; --soft: #9aa5ae; --line: #343b42; --paper: #15181b; --plate: #1e2327; }
}
body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 100rem; color: var(--ink);
       background: var(--paper); font: 16px/1.55 system-ui, "DejaVu Sans", sans-serif; }
h1 { margin: 0; font-size: 1.9rem; font-weight: 600; }
h2 { margin: 3rem 0 .6rem; padding-top: 1.2rem; font-size: 1.3rem; font-weight: 600;
     border-top: 1px solid var(--line); }
p { margin: .6rem 0; max-width: 46rem; }
a { color: inherit; }
.subtitle, figcaption { color: var(--soft); }
.figure { display: flex; flex-wrap: wrap; gap: 1.5rem; margin: 1.2rem 0; }
figure { margin: 0; flex: 1 1 16rem; min-width: 0; max-width: max-content; }
figcaption { width: 0; min-width: 100%; margin-top: .4rem; font-size: .875rem; line-height: 1.4; }
figure img, figure svg { display: block; max-width: 100%; height: auto; }
.pixels { image-rendering: pixelated; box-shadow: 0 0 0 1px var(--line); }
.bar { margin-top: .5rem; height: .8rem; border-radius: 2px; }
.ticks { display: flex; justify-content: space-between; font-size: .8rem; color: var(--soft); }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem 1rem .3rem 0; text-align: left; vertical-align: top;
         border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
td.number { text-align: right; }
pre { margin: 1rem 0; padding: .8rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--plate);
      border-radius: 4px; font: .85rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
)css";

// Digits, and at most a unit-free sign, point, exponent or thousands gap.
bool reads_as_number(std::string_view cell) {
  bool digit = false;
  for (const char c : cell) {
    if (std::isdigit(static_cast<unsigned char>(c))) {
      digit = true;
    } else if (std::string_view("+-.,e ").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return digit;
}

}  // namespace

Page::Page(std::string_view title, std::string_view subtitle) : title_(escape(title)) {
  body_ = "<h1>" + title_ + "</h1>\n";
  if (!subtitle.empty()) body_ += "<p class=\"subtitle\">" + escape(subtitle) + "</p>\n";
}

void Page::section(std::string_view heading) { body_ += "<h2>" + escape(heading) + "</h2>\n"; }

void Page::paragraph(std::string_view text) { body_ += "<p>" + escape(text) + "</p>\n"; }

void Page::link(std::string_view text, std::string_view address) {
  body_ += "<p><a href=\"" + escape(address) + "\">" + escape(text) + "</a></p>\n";
}

void Page::table(const std::vector<std::vector<std::string>>& rows) {
  body_ += "<table>\n";
  for (const auto& row : rows) {
    const bool head = &row == &rows.front();
    body_ += "<tr>";
    for (const auto& cell : row) {
      if (head) {
        body_ += "<th>" + escape(cell) + "</th>";
      } else {
        body_ += reads_as_number(cell) ? "<td class=\"number\">" : "<td>";
        body_ += escape(cell) + "</td>";
      }
    }
    body_ += "</tr>\n";
  }
  body_ += "</table>\n";
}

void Page::code(std::string_view text) {
  body_ += "<pre><code>" + escape(text) + "</code></pre>\n";
}

void Page::figure(const std::vector<Panel>& panels) {
  body_ += "<div class=\"figure\">\n";
  for (const Panel& panel : panels) {
    body_ += "<figure>" + panel.html;
    if (!panel.caption.empty()) body_ += "<figcaption>" + escape(panel.caption) + "</figcaption>";
    body_ += "</figure>\n";
  }
  body_ += "</div>\n";
}

std::string Page::html() const {
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page += "<title>" + title_ + "</title>\n<style>";
  page += kStyle;
  return page + "</style>\n</head>\n<body>\n" + body_ + "</body>\n</html>\n";
}

}  // namespace blurfield::report
