// SPDX-License-Identifier: BSD-3-Clause
#include "tests/reference/gaussian_row.h"

#include <array>
#include <cmath>
#include <optional>
#include <vector>

namespace blurfield::test {
namespace {

constexpr double kSigmas = 8.5;  // beyond, a weight is below 1e-16 of the largest

// Weights over |dy| <= ry, |dx| <= rx.
struct Table {
  Index ry = 0;
  Index rx = 0;
  std::vector<double> weights;
};

// The Gaussian's logchol parameters; `kind` is the number of the field's channels.
struct Parameters {
  Index kind;
  double a, b, c;
};

Parameters parameters_at(const View<const double>& field, Index y, Index x) {
  const Index kind = field.channels();
  if (kind == 3) return {3, field.at(0, 0, y, x), field.at(0, 1, y, x), field.at(0, 2, y, x)};
  return {kind, std::log(field.at(0, 0, y, x)), 0.0, std::log(field.at(0, kind - 1, y, x))};
}

// d ln g by channel k of the field, before the norm is taken off (G2), (G6).
double log_slope(const Parameters& p, Index k, double z1, double z2) {
  if (p.kind == 1) return (z1 * z1 + z2 * z2) * std::exp(-p.a);
  if (p.kind == 2) return k == 0 ? z1 * z1 * std::exp(-p.a) : z2 * z2 * std::exp(-p.c);
  if (k == 0) return z1 * z1 - p.b * std::exp(-p.c) * z1 * z2;
  return k == 1 ? std::exp(-p.c) * z1 * z2 : z2 * z2;
}

// (G5), or its derivative by channel `slope`.
Table table_of(const Parameters& p, bool signal, std::optional<Index> slope) {
  const double sy = std::exp(p.a);
  const double sx = std::exp(p.c);
  Table table;
  table.ry = signal ? 0 : static_cast<Index>(std::ceil(kSigmas * sy));
  table.rx = static_cast<Index>(std::ceil(kSigmas * std::hypot(p.b, sx)));
  const auto width = static_cast<std::size_t>(2 * table.rx + 1);
  table.weights.resize(static_cast<std::size_t>(2 * table.ry + 1) * width);
  std::vector<double> slopes(slope ? table.weights.size() : 0);
  double sum = 0.0;
  double mean = 0.0;
  std::size_t tap = 0;
  std::vector<double> line(width);  // of exp(-z2^2 / 2), the same in every row if b = 0
  for (Index dy = -table.ry; dy <= table.ry; ++dy) {
    const double z1 = static_cast<double>(dy) / sy;
    const double weight = std::exp(-0.5 * z1 * z1);
    for (std::size_t i = 0; i < width; ++i, ++tap) {
      const double z2 = (static_cast<double>(static_cast<Index>(i) - table.rx) - p.b * z1) / sx;
      if (p.b != 0.0 || dy == -table.ry) line[i] = std::exp(-0.5 * z2 * z2);
      table.weights[tap] = weight * line[i];
      sum += table.weights[tap];
      if (!slope) continue;
      slopes[tap] = log_slope(p, *slope, z1, z2);
      mean += table.weights[tap] * slopes[tap];
    }
  }
  for (std::size_t i = 0; i < table.weights.size(); ++i) {
    table.weights[i] *= (slope ? slopes[i] - mean / sum : 1.0) / sum;
  }
  return table;
}

// A pixel of the frame, and the offset in the kernel that reaches it.
struct Tap {
  Index pixel;
  Index offset;
};

// All of one axis of pixel p. A copy of p that runs backwards has its kernel mirrored.
std::vector<Tap> taps_of(Index p, Index n, Index reach, Mode mode, bool scatter) {
  std::vector<Tap> taps;
  for (Index d = -reach; d <= reach && !scatter; ++d) {
    const Index q = extend(p + d, n, mode);
    if (q >= 0) taps.push_back({q, d});
  }
  for (Index copy = -reach; copy < n + reach && scatter; ++copy) {
    if (extend(copy, n, mode) != p) continue;
    for (Index q = std::max<Index>(0, copy - reach); q <= std::min(n - 1, copy + reach); ++q) {
      taps.push_back({q, reversed(copy, n, mode) ? copy - q : q - copy});
    }
  }
  return taps;
}

Image<double> row_of(const View<const double>& field, Index y, Index x, Mode mode, bool scatter,
                     std::optional<Index> slope) {
  const Table table = table_of(parameters_at(field, y, x), field.spatial_rank() == 1, slope);
  const Index width = 2 * table.rx + 1;
  Image<double> rows({field.height(), width});  // folded along y
  for (const Tap& tap : taps_of(y, field.height(), table.ry, mode, scatter)) {
    const double* from = table.weights.data() + (table.ry + tap.offset) * width;
    double* to = rows.data() + tap.pixel * width;
    for (Index i = 0; i < width; ++i) to[i] += from[i];
  }
  Shape shape = field.shape;
  shape[1] = 1;
  Image<double> row(shape);
  for (const Tap& tap : taps_of(x, field.width(), table.rx, mode, scatter)) {
    for (Index i = 0; i < field.height(); ++i) {
      row.data()[i * field.width() + tap.pixel] += rows.data()[i * width + table.rx + tap.offset];
    }
  }
  return row;
}

}  // namespace

Image<double> gaussian_row(const View<const double>& field, Index y, Index x, Mode mode,
                           bool scatter) {
  return row_of(field, y, x, mode, scatter, std::nullopt);
}

Image<double> gaussian_row_derivative(const View<const double>& field, Index y, Index x, Mode mode,
                                      bool scatter, Index k) {
  return row_of(field, y, x, mode, scatter, k);
}

}  // namespace blurfield::test
