// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/node_filter.h"

#include <algorithm>
#include <cmath>

namespace blurfield::detail {
namespace {

using kernels::kFirRows;

// Up to this step pixels are summed phase by phase, as bands; beyond, neighbours share their rows.
constexpr Index kMaxPhases = 4;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Index floor_div(Index a, Index b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

// exp(-(k + offset)^2 / (2 tau^2)), k = -radius..radius, normalised. By products from the middle:
// |offset| <= 1/2 and a few dozen factors keep the last digits.
void gaussian(double offset, double tau, Index radius, double* w) {
  const double s = 1.0 / (tau * tau);
  const double falling = std::exp(-s);
  const double tilt = std::exp(-s * offset);
  const double half = std::exp(-0.5 * s);
  w[radius] = 1.0;
  double sum = 1.0;
  double up = half * tilt;
  double down = half / tilt;
  for (Index k = 1; k <= radius; ++k, up *= falling, down *= falling) {
    sum += w[radius + k] = w[radius + k - 1] * up;
    sum += w[radius - k] = w[radius - k + 1] * down;
  }
  for (Index k = 0; k <= 2 * radius; ++k) w[k] /= sum;
}

// The taps of a border pixel and all its copies beyond the frame.
template <class T>
std::vector<double> edge_taps(Index pixel, NodeTaps& taps, const LevelFilter<T>& level,
                              const Window& all) {
  std::vector<double> sum(at(all.size()), 0.0);
  const Index radius = taps.radius();
  const auto add = [&](Index p) {
    const Index m = floor_div(p, taps.step());
    if (m + radius < all.begin || m - radius >= all.end) return false;
    const std::span<const double> w = taps.of(p);
    for (Index k = -radius; k <= radius; ++k) {
      if (m + k >= all.begin && m + k < all.end) sum[at(m + k - all.begin)] += w[at(k + radius)];
    }
    return true;
  };
  add(pixel);
  for (Index p = -1; pixel == 0 && add(p);) --p;
  for (Index p = level.pixels(); pixel == level.pixels() - 1 && add(p);) ++p;
  return sum;
}

}  // namespace

NodeTaps::NodeTaps(double sigma, double step, const Ladder& ladder)
    : step_(static_cast<Index>(step)), made_(at(step_), 0) {
  if (sigma == 0) {
    weights_ = {1.0};
    made_ = {1};
    return;
  }
  tau_ = std::sqrt(ladder.residual(sigma * sigma, step));
  // Samples reach * tau away on either side, for every phase alike.
  const double far = ladder.reach * tau_ - (step_ == 1 ? 0.5 : 0.0);
  radius_ = std::max<Index>(1, static_cast<Index>(std::ceil(far)));
  weights_.resize(at(step_ * (2 * radius_ + 1)));
}

std::span<const double> NodeTaps::of(Index pixel) {
  const Index phase = pixel - floor_div(pixel, step_) * step_;
  const Index count = 2 * radius_ + 1;
  double* w = weights_.data() + phase * count;
  if (!made_[at(phase)]) {
    made_[at(phase)] = 1;
    const Index mirrored = step_ - 1 - phase;
    if (made_[at(mirrored)] && mirrored != phase) {
      const double* other = weights_.data() + mirrored * count;
      std::reverse_copy(other, other + count, w);
    } else {
      const double step = static_cast<double>(step_);
      gaussian((0.5 * (step - 1.0) - static_cast<double>(phase)) / step, tau_, radius_, w);
    }
  }
  return {w, at(count)};
}

template <class T>
NodeFilter<T>::NodeFilter(const Window& pixels, NodeTaps& node, const LevelFilter<T>& level,
                          bool edges, Use use)
    : pixels_(pixels) {
  const Index step = node.step();
  AllTaps taps;
  taps.reserve(at(pixels.size()));
  for (Index p = pixels.begin; p < pixels.end; ++p) {
    taps.push_back({floor_div(p, step) - node.radius(), node.of(p)});
  }
  bool regular = node.radius() >= kFirRows / 2;  // bands have at least six taps
  const Index last = level.pixels() - 1;
  std::vector<double> of_first, of_last;
  const Window all = step == 1 ? Window{0, last + 1} : Window{level.first(), level.end()};
  if (edges && pixels.begin == 0) {
    of_first = edge_taps(0, node, level, all);
    taps.front() = {all.begin, of_first};
    regular = false;
  }
  if (edges && pixels.end == last + 1 && last > 0) {
    of_last = edge_taps(last, node, level, all);
    taps.back() = {all.begin, of_last};
    regular = false;
  }
  samples_ = {taps.front().first, taps.front().end()};
  for (const Taps& t : taps) {
    samples_ = {std::min(samples_.begin, t.first), std::max(samples_.end, t.end())};
  }
  if (use != Use::transposed) {
    if (regular && step <= kMaxPhases) {
      add_bands(taps, step);
    } else {
      for (Index p = 0; p < pixels.size(); p += kFirRows) add_dense(taps, p);
    }
  }
  if (use != Use::forward) {
    if (regular && step == 1) {
      add_transposed_bands(taps.front());
    } else {
      for (Index m = samples_.begin; m < samples_.end; m += kFirRows) {
        add_transposed_dense(taps, m);
      }
    }
  }
}

// Room for weights; returns where it begins.
template <class T>
std::size_t NodeFilter<T>::zeros(Index count) {
  const std::size_t first = weights_.size();
  weights_.resize(first + at(count), T{0});
  return first;
}

// Weights of a band: five zeros on both sides; returns where the first tap stands.
template <class T>
std::size_t NodeFilter<T>::band_weights(const Taps& taps) {
  const auto count = static_cast<Index>(taps.weights.size());
  const std::size_t first = zeros(count + 2 * (kFirRows - 1)) + at(kFirRows - 1);
  for (std::size_t k = 0; k < taps.weights.size(); ++k) {
    weights_[first + k] = static_cast<T>(taps.weights[k]);
  }
  return first;
}

// Pixels p, p + phases, ... have the same taps, one sample apart. The last block may read samples
// beyond those of its pixels.
template <class T>
void NodeFilter<T>::add_bands(const AllTaps& taps, Index phases) {
  const Index size = pixels_.size();
  const auto count = static_cast<Index>(taps.front().weights.size());
  for (Index phase = 0; phase < std::min(phases, size); ++phase) {
    const std::size_t weights = band_weights(taps[at(phase)]);
    for (Index p = phase; p < size; p += kFirRows * phases) {
      forward_.push_back({taps[at(p)].first - samples_.begin, count + kFirRows - 1, weights, -1,
                          count, p, phases});
    }
  }
  for (const Block& b : forward_) {
    samples_.end = std::max(samples_.end, samples_.begin + b.first + b.count);
  }
}

template <class T>
void NodeFilter<T>::add_dense(const AllTaps& taps, Index first) {
  const Index last = std::min(first + kFirRows, pixels_.size());
  Index begin = taps[at(first)].first;
  Index end = begin;
  for (Index p = first; p < last; ++p) {
    begin = std::min(begin, taps[at(p)].first);
    end = std::max(end, taps[at(p)].end());
  }
  const Index count = end - begin;
  const std::size_t weights = zeros(kFirRows * count);
  for (Index p = first; p < last; ++p) {
    const Taps& t = taps[at(p)];
    T* to = weights_.data() + weights + (p - first) * count + t.first - begin;
    for (double w : t.weights) *to++ = static_cast<T>(w);
  }
  forward_.push_back({begin - samples_.begin, count, weights, count, 0, first, 1});
}

// Step 1: the taps are even, so that the transpose is the same band.
template <class T>
void NodeFilter<T>::add_transposed_bands(const Taps& taps) {
  const auto count = static_cast<Index>(taps.weights.size());
  margin_ = count + kFirRows;
  const std::size_t weights = band_weights(taps);
  for (Index m = samples_.begin; m < samples_.end; m += kFirRows) {
    const Index first = m - count / 2 - pixels_.begin + margin_;
    transposed_.push_back({first, count + kFirRows - 1, weights, -1, count, m - samples_.begin, 1});
  }
}

template <class T>
void NodeFilter<T>::add_transposed_dense(const AllTaps& taps, Index first) {
  const auto meets = [&](const Taps& t) { return t.first < first + kFirRows && t.end() > first; };
  Index begin = 0;
  Index end = pixels_.size();
  while (begin < end && !meets(taps[at(begin)])) ++begin;
  while (end > begin && !meets(taps[at(end - 1)])) --end;
  const Index count = end - begin;
  const std::size_t weights = zeros(kFirRows * count);
  for (Index p = begin; p < end; ++p) {
    const Taps& t = taps[at(p)];
    const Index from = std::max(first, t.first);
    const Index to = std::min(first + kFirRows, t.end());
    for (Index m = from; m < to; ++m) {
      weights_[weights + at((m - first) * count + p - begin)] =
          static_cast<T>(t.weights[at(m - t.first)]);
    }
  }
  transposed_.push_back({begin, count, weights, count, 0, first - samples_.begin, 1});
}

template <class T>
void NodeFilter<T>::run(const std::vector<Block>& blocks, const T* const* rows, Index width, T* out,
                        Index stride) const {
  for (const Block& b : blocks) {
    kernels::fir_rows<T>({rows + b.first, b.count, weights_.data() + b.weights, b.step, b.band}, 0,
                         width, out + b.out * stride, b.out_step * stride);
  }
}

template <class T>
void NodeFilter<T>::apply(const T* const* rows, Index width, T* out, Index stride) const {
  run(forward_, rows, width, out, stride);
}

template <class T>
void NodeFilter<T>::apply_transposed(const T* const* rows, const T* zero, Index width, T* out,
                                     Index stride) const {
  if (margin_ == 0) return run(transposed_, rows, width, out, stride);
  std::vector<const T*> padded(at(pixels_.size() + 2 * margin_ + kFirRows), zero);
  std::copy_n(rows, pixels_.size(), padded.begin() + margin_);
  run(transposed_, padded.data(), width, out, stride);
}

template class NodeFilter<float>;
template class NodeFilter<double>;

}  // namespace blurfield::detail
