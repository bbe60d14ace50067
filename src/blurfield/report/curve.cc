// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/report/curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "blurfield/base/error.h"
#include "blurfield/report/html.h"

namespace blurfield::report {
namespace {

// After Okabe and Ito: distinct to colour-blind readers and on light and dark paper.
constexpr std::array<const char*, 6> kInks = {"#2f86c9", "#e69f00", "#009e73",
                                              "#cc79a7", "#d55e00", "#8c8c8c"};

constexpr int kLeft = 80;
constexpr int kRight = 20;
constexpr int kTop = 26;
constexpr int kBottom = 46;

// Maps values of one axis to the drawing. `low` and `high` are logarithms on a logarithmic axis.
struct Scale {
  bool logarithmic = false;
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double from = 0;
  double to = 1;

  double position(double v) const { return logarithmic ? std::log10(v) : v; }
  bool holds(double v) const { return std::isfinite(v) && (!logarithmic || v > 0); }
  void include(double v) {
    low = std::min(low, position(v));
    high = std::max(high, position(v));
  }
  double operator()(double v) const {
    return from + (position(v) - low) / (high - low) * (to - from);
  }
  std::vector<double> ticks(int count) const {
    return logarithmic ? log_ticks(std::pow(10.0, low), std::pow(10.0, high), 9)
                       : round_ticks(low, high, count);
  }
};

void widen(Scale& scale, double margin) {
  const double span = scale.high - scale.low;
  const double point = scale.logarithmic ? 0.5 : std::max(1e-12, 0.5 * std::abs(scale.low));
  const double more = span > 0 ? margin * span : point;
  scale.low -= more;
  scale.high += more;
}

std::string text(double x, double y, const char* anchor, std::string_view body) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>", x, y, anchor,
                     escape(body));
}

std::string grid(const Scale& sx, const Scale& sy, const Axes& axes) {
  const std::vector<double> x_ticks = sx.ticks(7);
  const std::vector<double> y_ticks = sy.ticks(5);
  std::string svg = "<g stroke=\"currentColor\" stroke-opacity=\".15\">";
  for (const double t : x_ticks) {
    svg += fmt::format("<path d=\"M{0:.1f} {1:.1f}V{2:.1f}\"/>", sx(t), sy.from, sy.to);
  }
  for (const double t : y_ticks) {
    svg += fmt::format("<path d=\"M{0:.1f} {1:.1f}H{2:.1f}\"/>", sx.from, sy(t), sx.to);
  }
  svg += "</g>";
  for (const double t : x_ticks) svg += text(sx(t), sy.from + 18, "middle", number(t));
  for (const double t : y_ticks) svg += text(sx.from - 8, sy(t) + 4, "end", number(t));
  svg += text((sx.from + sx.to) / 2, axes.height - 6, "middle", axes.x_label);
  return svg + fmt::format(
                   "<text text-anchor=\"middle\" transform=\"translate(14 {:.1f}) "
                   "rotate(-90)\">{}</text>",
                   (sy.from + sy.to) / 2, escape(axes.y_label));
}

const char* pen(const Curve& curve) {
  return curve.broad ? "stroke-width=\"8\" stroke-opacity=\".35\" stroke-linejoin=\"round\""
                     : "stroke-width=\"1.6\"";
}

std::string line(const Curve& curve, const Scale& sx, const Scale& sy, const char* ink) {
  std::string path;
  bool pen_down = false;
  for (std::size_t i = 0; i < curve.x.size(); ++i) {
    const bool drawn = sx.holds(curve.x[i]) && sy.holds(curve.y[i]);
    if (drawn) {
      path += fmt::format("{}{:.1f} {:.1f}", pen_down ? 'L' : 'M', sx(curve.x[i]), sy(curve.y[i]));
    }
    pen_down = drawn;
  }
  return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" {}/>", path, ink, pen(curve));
}

}  // namespace

Panel curve_panel(const std::vector<Curve>& curves, const Axes& axes, const std::string& caption) {
  Scale sx;
  Scale sy;
  sx.logarithmic = axes.log_x;
  sy.logarithmic = axes.log_y;
  for (const Curve& curve : curves) {
    require(curve.x.size() == curve.y.size(), "curve_panel", "expected as many y as x (",
            curve.x.size(), ") in '", curve.name, "', got ", curve.y.size());
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      if (!sx.holds(curve.x[i]) || !sy.holds(curve.y[i])) continue;
      sx.include(curve.x[i]);
      sy.include(curve.y[i]);
    }
  }
  require(sx.low <= sx.high, "curve_panel", "expected at least one point to draw, got none");
  widen(sx, 0.0);
  widen(sy, 0.06);
  sx.from = kLeft;
  sx.to = axes.width - kRight;
  sy.from = axes.height - kBottom;
  sy.to = kTop;

  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" font-size=\"12\" "
      "fill=\"currentColor\" role=\"img\">",
      axes.width, axes.height);
  svg += grid(sx, sy, axes);
  double legend = kLeft;
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const char* ink = kInks[i % kInks.size()];
    svg += line(curves[i], sx, sy, ink);
    svg += fmt::format("<path d=\"M{:.1f} 12h18\" stroke=\"{}\" {}/>", legend, ink, pen(curves[i]));
    svg += text(legend + 24, 16, "start", curves[i].name);
    legend += 46 + 7.0 * static_cast<double>(curves[i].name.size());
  }
  return {svg + "</svg>", caption};
}

std::string svg_file(const Panel& drawing) {
  constexpr std::string_view kTag = "<svg ";
  require(drawing.html.starts_with(kTag), "svg_file", "expected a drawing of curve_panel");
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" style=\"background:#fff;color:#1d2329\" "
         "font-family=\"system-ui, 'DejaVu Sans', sans-serif\" " +
         drawing.html.substr(kTag.size()) + "\n";
}

}  // namespace blurfield::report
