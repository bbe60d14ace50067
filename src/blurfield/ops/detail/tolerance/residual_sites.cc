// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/residual_sites.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace blurfield::detail {
namespace {

constexpr double kLongest = 8192.0;    // samples
constexpr double kCoarsest = 16384.0;  // pixels between samples

// What truncation may cost beside what the ladder grants it.
double longer_by(const Ladder& ladder) { return 0.85 * ladder.interpolation; }

}  // namespace

double residual_bound(const Ladder& ladder) { return ladder.spent + longer_by(ladder); }

kernels::ResidualRule residual_rule(const Ladder& ladder) {
  const double truncation = 4.0 * std::erfc(ladder.reach / std::numbers::sqrt2);
  return {ladder.prefilter, ladder.least, truncation_for(truncation + longer_by(ladder)), kLongest,
          kCoarsest};
}

template <class T>
void ResidualSites<T>::read_row(const Axis& row, kernels::ResidualParams<T>& params) const {
  const std::array<T*, 3> to{params.a, params.b, params.c};
  const Index first = columns_.front().from;
  const Index stride = field_.params.x_stride();
  // In the frame, or a translation of it.
  const bool together = stride == 1 && columns_.back().from - first == params.count - 1;
  for (std::size_t k = 0; k < 3; ++k) {
    const T* from = field_.params.row(n_, static_cast<Index>(k), row.from);
    if (together) {
      std::copy_n(from + first, params.count, to[k]);
      continue;
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) to[k][i] = from[columns_[i].from * stride];
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (row.reversed != columns_[i].reversed) params.b[i] = -params.b[i];
  }
}

template <class T>
LevelSites& ResidualSites<T>::level_of(double step) {
  for (std::size_t i = 0; i < levels_in_use_; ++i) {
    if (levels_[i].step == step) return levels_[i];
  }
  if (levels_in_use_ == levels_.size()) levels_.emplace_back();
  LevelSites& fresh = levels_[levels_in_use_++];
  fresh.step = step;
  fresh.hull = {};
  fresh.pixels.clear();
  fresh.at.clear();
  return fresh;
}

template <class T>
bool ResidualSites<T>::place(const Window& y, const Window& x, bool keep) {
  const Mode mode = field_.mode;
  rows_.clear();
  columns_.clear();
  levels_in_use_ = 0;
  widths_ = {};
  for (Index i = y.begin; i < y.end; ++i) {
    const Index n = field_.params.height();
    rows_.push_back({extend(i, n, mode), reversed(i, n, mode)});
  }
  for (Index i = x.begin; i < x.end; ++i) {
    const Index n = field_.params.width();
    columns_.push_back({extend(i, n, mode), reversed(i, n, mode)});
  }
  kernels::ResidualParams<T> params;
  params.count = x.size();
  params.x = x.begin;
  kernels::ResidualShapes shapes;
  for (Index row = 0; row < y.size(); ++row) {
    params.y = y.begin + row;
    read_row(rows_[static_cast<std::size_t>(row)], params);
    if (!kernels::residual_shapes(rule_, params, shapes)) return false;
    widths_[0] += shapes.sigma_y;
    widths_[1] += shapes.sigma_x;
    widths_[2] += shapes.box;
    if (shapes.one_level) level_of(shapes.step[0]).hull.add(shapes.hull);
    for (Index i = 0; i < x.size() && (keep || !shapes.one_level); ++i) {
      LevelSites& level = level_of(shapes.step[i]);
      if (!shapes.one_level) level.hull.add(shapes.hull_of(i));
      if (!keep) continue;
      level.pixels.push_back(shapes.pixel(i));
      level.at.push_back({static_cast<std::uint8_t>(row), static_cast<std::uint8_t>(i)});
    }
  }
  std::sort(levels_.begin(), levels_.begin() + static_cast<std::ptrdiff_t>(levels_in_use_),
            [](const LevelSites& u, const LevelSites& v) { return u.step < v.step; });
  return true;
}

template <class T>
std::array<std::array<double, 3>, 3> ResidualSites<T>::slopes(const LevelSites& level,
                                                              Index i) const {
  const kernels::ResidualPixel& pixel = level.pixels[static_cast<std::size_t>(i)];
  const Site s = site(level, i);
  const auto theta = [&](Index k) {
    return static_cast<double>(field_.params.at(n_, k, s.y, s.x));
  };
  const double exp_a = std::exp(theta(0));
  const double exp_c = std::exp(theta(2));
  // T_yy = P, the slope m = T_yx / P and Q = det T / P by theta:
  //   dP = 2 (P + A) da, dm = e^a / (D^2 P) db - m (P + 2 A) / P da,
  //   dQ = 2 e^2c / D^2 dc - 2 Q bend (db - b (P + A) / P da).
  const double scale = 1.0 / (level.step * level.step);
  const double prefilter = level.step > 1.0 ? rule_.prefilter : 0.0;
  const double inv_p = pixel.inv_y * pixel.inv_y;
  const double inv_q = pixel.inv_x * pixel.inv_x;
  const double root = pixel.inv_y * pixel.inv_x;
  const double b = s.turned ? -theta(1) : theta(1);
  const double bend = b * scale * prefilter * inv_p * inv_q;
  const double whole = 1.0 + prefilter * inv_p;  // (P + A) / P
  std::array<std::array<double, 3>, 3> d{};
  d[0] = {whole, -pixel.slope * (2.0 * whole - 1.0) / inv_p * root, b * bend * whole};
  d[1] = {0.0, exp_a * scale * root, -bend};
  d[2] = {0.0, 0.0, exp_c * exp_c * scale * inv_q};
  if (s.turned) {
    for (double& v : d[1]) v = -v;
  }
  return d;
}

template class ResidualSites<float>;
template class ResidualSites<double>;

}  // namespace blurfield::detail
