// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/level_filter.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace blurfield::detail {
namespace {

// The Gaussian around `centre`, normalised: pixels first, first + 1, ...
struct Sampled {
  Index first;
  std::vector<double> weights;
};

Sampled sampled(double centre, double sigma, double reach) {
  const double half = reach * sigma + 0.5;
  const auto first = static_cast<Index>(std::ceil(centre - half));
  const auto last = static_cast<Index>(std::floor(centre + half));
  Sampled s{first, {}};
  double sum = 0.0;
  for (Index i = first; i <= last; ++i) {
    const double z = (static_cast<double>(i) - centre) / sigma;
    sum += s.weights.emplace_back(std::exp(-0.5 * z * z));
  }
  for (double& w : s.weights) w /= sum;
  return s;
}

// The same on pixels 0..n-1 of the frame that the extension repeats.
Sampled folded(const Sampled& s, Index n, Mode mode) {
  std::vector<double> frame(static_cast<std::size_t>(n), 0.0);
  Index first = n;
  Index last = -1;
  for (std::size_t k = 0; k < s.weights.size(); ++k) {
    const Index i = extend(s.first + static_cast<Index>(k), n, mode);
    if (i < 0) continue;
    frame[static_cast<std::size_t>(i)] += s.weights[k];
    first = std::min(first, i);
    last = std::max(last, i);
  }
  if (last < first) return {0, {}};
  return {first, {frame.begin() + first, frame.begin() + last + 1}};
}

}  // namespace

template <class T>
LevelFilter<T>::LevelFilter(Index n, Mode mode, const Ladder& ladder, double step, Index beyond)
    : n_(n), step_(step) {
  if (step == 1.0) return;
  first_ = -beyond;
  const Index end = frame_end(n, step) + beyond;
  const double sigma = std::sqrt(ladder.prefilter) * step;
  const auto store = [&](const Sampled& s) {
    const std::size_t offset = weights_.size();
    for (double w : s.weights) weights_.push_back(static_cast<T>(w));
    // Kernels read whole vectors.
    weights_.resize(weights_.size() + static_cast<std::size_t>(kernels::kDotPad), T{0});
    return offset;
  };
  std::map<double, std::size_t> shared;  // weights of samples inside, by their phase
  for (Index m = first_; m < end; ++m) {
    const double centre = position(m, step);
    Sampled s = sampled(centre, sigma, ladder.prefilter_reach);
    const bool inside = s.first >= 0 && s.first + static_cast<Index>(s.weights.size()) <= n;
    if (!inside) {
      s = folded(s, n, mode);
      const auto count = static_cast<Index>(s.weights.size());
      rows_.push_back({s.first, count, store(s)});
      continue;
    }
    const auto [at, fresh] = shared.try_emplace(centre - std::floor(centre), 0);
    if (fresh) at->second = store(s);
    rows_.push_back({s.first, static_cast<Index>(s.weights.size()), at->second});
  }
}

template <class T>
kernels::Window1d<T> LevelFilter<T>::row(Index m) const {
  const Place& place = rows_[static_cast<std::size_t>(m - first_)];
  return {place.first, place.count, weights_.data() + place.weights};
}

template class LevelFilter<float>;
template class LevelFilter<double>;

}  // namespace blurfield::detail
