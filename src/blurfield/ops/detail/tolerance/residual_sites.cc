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
  return {ladder.prefilter, ladder.least, truncation_for(truncation + longer_by(ladder))};
}

template <class T>
void ResidualSites<T>::read_row(const Axis& row, kernels::ResidualParams& sites) const {
  const T* a = field_.params.row(n_, 0, row.from);
  const T* b = field_.params.row(n_, 1, row.from);
  const T* c = field_.params.row(n_, 2, row.from);
  const Index first = columns_.front().from;
  const Index step = field_.params.x_stride();
  if (step == 1 &&
      columns_.back().from - first == sites.count - 1) {  // in the frame, or a translation of it
    for (Index i = 0; i < sites.count; ++i) {
      sites.a[i] = static_cast<double>(a[first + i]);
      sites.b[i] = static_cast<double>(b[first + i]);
      sites.c[i] = static_cast<double>(c[first + i]);
    }
    const bool turned = row.reversed != columns_.front().reversed;
    for (Index i = 0; turned && i < sites.count; ++i) sites.b[i] = -sites.b[i];
    return;
  }
  for (Index i = 0; i < sites.count; ++i) {
    const Axis& column = columns_[static_cast<std::size_t>(i)];
    sites.a[i] = static_cast<double>(a[column.from * step]);
    sites.b[i] = static_cast<double>(b[column.from * step]);
    sites.c[i] = static_cast<double>(c[column.from * step]);
    if (row.reversed != column.reversed) sites.b[i] = -sites.b[i];
  }
}

template <class T>
LevelSites& ResidualSites<T>::level_of(double step) {
  for (std::size_t i = 0; i < levels_in_use_; ++i) {
    if (levels_[i].step == step) return levels_[i];
  }
  if (levels_in_use_ == levels_.size()) levels_.emplace_back();
  levels_[levels_in_use_].start(step);
  return levels_[levels_in_use_++];
}

void LevelSites::start(double level_step) {
  step = level_step;
  y = {std::numeric_limits<Index>::max(), std::numeric_limits<Index>::min()};
  low_x = std::numeric_limits<double>::max();
  high_x = std::numeric_limits<double>::lowest();
  row_taps = 0;
  taps = 0.0;
  pixels.clear();
  at.clear();
}

template <class T>
bool ResidualSites<T>::place(const Window& y, const Window& x, bool keep) {
  const Mode mode = field_.mode;
  rows_.clear();
  columns_.clear();
  levels_in_use_ = 0;
  for (Index i = y.begin; i < y.end; ++i) {
    const Index n = field_.params.height();
    rows_.push_back({extend(i, n, mode), reversed(i, n, mode)});
  }
  for (Index i = x.begin; i < x.end; ++i) {
    const Index n = field_.params.width();
    columns_.push_back({extend(i, n, mode), reversed(i, n, mode)});
  }
  kernels::ResidualParams sites;
  sites.count = x.size();
  sites.x = x.begin;
  std::array<kernels::ResidualPixel, kSide> pixels;
  LevelSites* level = nullptr;
  for (Index row = 0; row < y.size(); ++row) {
    sites.y = y.begin + row;
    read_row(rows_[static_cast<std::size_t>(row)], sites);
    if (!kernels::residual_pixels(rule_, sites, kLongest, kCoarsest, pixels.data())) return false;
    for (Index i = 0; i < x.size(); ++i) {
      const kernels::ResidualPixel& pixel = pixels[static_cast<std::size_t>(i)];
      if (!level || level->step != pixel.step) level = &level_of(pixel.step);
      level->y.begin = std::min(level->y.begin, pixel.first);
      level->y.end = std::max(level->y.end, pixel.first + pixel.rows);
      level->low_x = std::min(level->low_x, pixel.x - pixel.half_x);
      level->high_x = std::max(level->high_x, pixel.x + pixel.half_x);
      level->row_taps = std::max(level->row_taps, pixel.taps);
      level->taps += static_cast<double>(pixel.rows * pixel.taps);
      if (!keep) continue;
      level->pixels.push_back(pixel);
      level->at.push_back({row, i});
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
  // T_yy = P, its slope m = T_yx / P and Q = det T / P by theta: dP = 2 (P + A) da,
  // dm = -m (P + 2 A) / P da + e^a / (D^2 P) db, dQ = 2 Q (b bend (P + A) da - bend db) + ... dc.
  const double scale = 1.0 / (pixel.step * pixel.step);
  const double prefilter = pixel.step > 1.0 ? rule_.prefilter : 0.0;
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
