// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/axis_filter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace blurfield::detail {
namespace {

using kernels::kFirRows;

// Border weights above this count are made anew by every task instead of being kept.
constexpr Index kMaxKept = Index{1} << 22;

Index period(Index n, Mode mode) {
  switch (mode) {
    case Mode::wrap:
      return n;
    case Mode::reflect:
      return 2 * n;
    case Mode::mirror:
      return std::max<Index>(2 * n - 2, 1);
    default:
      return 0;
  }
}

Index modulo(Index i, Index n) {
  const Index rest = i % n;
  return rest < 0 ? rest + n : rest;
}

// Drops what T holds as a (slow) subnormal number at most, and zeros at the ends.
template <class T>
void trim(Taps& taps) {
  auto& w = taps.weights;
  for (double& v : w) {
    if (std::abs(v) < static_cast<double>(std::numeric_limits<T>::min())) v = 0;
  }
  while (w.size() > 1 && w.back() == 0) w.pop_back();
  const auto zero = std::find_if(w.begin(), w.end() - 1, [](double v) { return v != 0; });
  taps.first += zero - w.begin();
  w.erase(w.begin(), zero);
}

}  // namespace

Taps centred_taps(std::vector<double> weights) {
  const Index radius = static_cast<Index>(weights.size()) / 2;
  return {-radius, std::move(weights)};
}

template <class T>
AxisFilter<T>::AxisFilter(Taps taps, Index n, Mode mode, bool transposed, bool beyond)
    : n_(n),
      mode_(mode),
      transposed_(transposed),
      beyond_(beyond && mode == Mode::constant && !transposed),
      taps_(std::move(taps)) {
  trim<T>(taps_);
  const auto count = static_cast<Index>(taps_.weights.size());
  const Index last = taps_.first + count - 1;
  lo_ = transposed ? -last : taps_.first;
  hi_ = transposed ? -taps_.first : last;
  reach_ = std::max<Index>({lo_, hi_, -lo_, -hi_});
  double sum = 0.0;
  for (double w : taps_.weights) running_.push_back(sum += w);
  if (const Index p = period(n, mode); p > 0) {
    fold_.assign(static_cast<std::size_t>(p), 0.0);
    Index at = modulo(taps_.first, p);
    for (double w : taps_.weights) {
      fold_[static_cast<std::size_t>(at)] += w;
      if (++at == p) at = 0;
    }
  }
  band_.assign(kFirRows - 1, T{0});
  for (double w : taps_.weights) band_.push_back(static_cast<T>(w));
  band_.resize(band_.size() + kFirRows - 1, T{0});
  if (transposed) std::reverse(band_.begin(), band_.end());

  Index kept = 0;
  for (Index first = 0; first < n; first += kFirRows) {
    if (!inside(first)) kept += kFirRows * (sources(first, first + kFirRows).count + 1);
  }
  if (kept > kMaxKept) return;
  for (Index first = 0; first < n; first += kFirRows) {
    auto& weights = border_.emplace_back();
    if (inside(first)) continue;
    const Range range = sources(first, first + kFirRows);
    weights.resize(static_cast<std::size_t>(kFirRows * (range.count + 1)));
    fill(first, range, weights.data());
  }
}

template <class T>
bool AxisFilter<T>::inside(Index first) const {
  if (!transposed_) return first + lo_ >= 0 && first + kFirRows - 1 + hi_ < n_;
  // A pixel that is also seen beyond the border, from inside the frame, takes more than the band.
  return first - reach_ > 0 && first + kFirRows + reach_ < n_;
}

template <class T>
Range AxisFilter<T>::sources(Index begin, Index end) const {
  const Index lo = begin - reach_;
  const Index hi = end + reach_;
  if (hi - lo >= n_) return {0, n_};
  if (mode_ == Mode::wrap) return {modulo(lo, n_), hi - lo};
  return {std::max<Index>(lo, 0), std::min(hi, n_) - std::max<Index>(lo, 0)};
}

template <class T>
kernels::RowSums<T> AxisFilter<T>::block(Index first, const Range& range, const T* const* rows,
                                         const T* cval_row, Room& room) const {
  if (inside(first)) {
    const Index offset = first + lo_ - range.lo;
    const Index slot = offset < 0 ? offset + n_ : offset;
    return {rows + slot, taps() + kFirRows - 1, band_.data() + kFirRows - 1, -1, taps()};
  }
  const Range own = sources(first, first + kFirRows);
  room.rows.clear();
  for (Index i = 0; i < own.count; ++i) {
    Index slot = own.lo + i - range.lo;
    if (slot < 0) slot += n_;
    if (slot >= n_) slot -= n_;
    room.rows.push_back(rows[slot]);
  }
  const T* weights = nullptr;
  if (!border_.empty()) {
    weights = border_[static_cast<std::size_t>(first / kFirRows)].data();
  } else {
    room.weights.resize(static_cast<std::size_t>(kFirRows * (own.count + 1)));
    fill(first, own, room.weights.data());
    weights = room.weights.data();
  }
  if (beyond_) room.rows.push_back(cval_row);
  return {room.rows.data(), static_cast<Index>(room.rows.size()), weights, own.count + 1, 0};
}

template <class T>
void AxisFilter<T>::fill(Index first, const Range& range, T* weights) const {
  for (Index j = 0; j < kFirRows; ++j) {
    T* row = weights + j * (range.count + 1);
    std::fill_n(row, range.count + 1, T{0});
    if (first + j >= n_) continue;
    for (Index i = 0; i < range.count; ++i) {
      const Index s = range.lo + i;
      row[i] = static_cast<T>(weight(first + j, s >= n_ ? s - n_ : s));
    }
    row[range.count] = static_cast<T>(beyond_weight(first + j));
  }
}

template <class T>
double AxisFilter<T>::tap(Index k) const {
  const Index i = k - taps_.first;
  const auto count = static_cast<Index>(taps_.weights.size());
  return i < 0 || i >= count ? 0.0 : taps_.weights[static_cast<std::size_t>(i)];
}

template <class T>
double AxisFilter<T>::tail_below(Index k) const {
  const Index i = std::min(k - taps_.first, static_cast<Index>(running_.size()) - 1);
  return i < 0 ? 0.0 : running_[static_cast<std::size_t>(i)];
}

// -period < k < period.
template <class T>
double AxisFilter<T>::folded(Index k) const {
  return fold_[static_cast<std::size_t>(k < 0 ? k + static_cast<Index>(fold_.size()) : k)];
}

template <class T>
double AxisFilter<T>::weight(Index t, Index s) const {
  return transposed_ ? forward(s, t) : forward(t, s);
}

template <class T>
double AxisFilter<T>::beyond_weight(Index t) const {
  if (!beyond_) return 0.0;
  return tail_below(-t - 1) + (running_.back() - tail_below(n_ - 1 - t));
}

// The weights of all places that show pixel s.
template <class T>
double AxisFilter<T>::forward(Index t, Index s) const {
  switch (mode_) {
    case Mode::wrap:
      return folded(s - t);
    case Mode::reflect:
      return folded(s - t) + folded(2 * n_ - 1 - s - t);
    case Mode::mirror: {
      if (n_ == 1) return fold_[0];
      const double image = s == 0 || s == n_ - 1 ? 0.0 : folded(-s - t);
      return folded(s - t) + image;
    }
    case Mode::nearest:
      if (n_ == 1) return running_.back();
      if (s == 0) return tail_below(-t);
      if (s == n_ - 1) return running_.back() - tail_below(s - 1 - t);
      return tap(s - t);
    case Mode::constant:
      break;
  }
  return tap(s - t);
}

template class AxisFilter<float>;
template class AxisFilter<double>;

}  // namespace blurfield::detail
