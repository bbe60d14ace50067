// SPDX-License-Identifier: BSD-3-Clause
// Page: one self-contained HTML page (no scripts, no network, light and dark), built from top to
// bottom. All text is escaped; panels bring their own HTML (see panel.h, curve.h, ellipses.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace blurfield::report {

// One picture or drawing of a figure.
struct Panel {
  std::string html;
  std::string caption;
};

class Page {
 public:
  explicit Page(std::string_view title, std::string_view subtitle = {});

  void section(std::string_view heading);
  void paragraph(std::string_view text);
  // A line that leads to another page, e.g. "sub/index.html".
  void link(std::string_view text, std::string_view address);
  // Rows of cells; the first row holds the headings. Cells that read as numbers align right.
  void table(const std::vector<std::vector<std::string>>& rows);
  // Commands or code, kept as they are.
  void code(std::string_view text);
  // Panels side by side, wrapping where the window is narrow.
  void figure(const std::vector<Panel>& panels);

  // The whole page.
  std::string html() const;

 private:
  std::string title_;
  std::string body_;
};

}  // namespace blurfield::report
