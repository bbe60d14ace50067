// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/uniform/band.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace blurfield::detail {
namespace {

using kernels::kFirRows;

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

Index modulo(Index i, Index n) { return ((i % n) + n) % n; }

// What T holds as a (slow) subnormal number at most counts as 0.
template <class T>
T rounded(double w) {
  return std::abs(w) < static_cast<double>(std::numeric_limits<T>::min()) ? T{0}
                                                                          : static_cast<T>(w);
}

}  // namespace

Range united(const Range& a, const Range& b, Index n) {
  if (a.count == 0) return b;
  if (b.count == 0) return a;
  Range best{0, n};
  for (Index shift : {Index{0}, -n, n}) {
    const Index lo = std::min(a.lo, b.lo + shift);
    const Index end = std::max(a.lo + a.count, b.lo + shift + b.count);
    if (end - lo < best.count) best = {modulo(lo, n), end - lo};
  }
  return best;
}

template <class T>
UniformBand<T>::UniformBand(const SparseRows& rows)
    : rows_(rows.rows()), columns_(rows.columns()), total_(rows.total()) {
  const Index count = (rows_ + kFirRows - 1) / kFirRows;
  // Blocks inside repeat after this many.
  const Index repeat = rows.period() > 0 ? rows.period() / std::gcd(kFirRows, rows.period()) : 0;
  const auto inside = [&](Index i) {
    return i * kFirRows >= rows.middle_begin() && (i + 1) * kFirRows <= rows.middle_end();
  };
  blocks_.reserve(at(count));
  for (Index i = 0; i < count; ++i) {
    if (inside(i) && i >= repeat && inside(i - repeat)) {
      Block block = blocks_[at(i - repeat)];
      block.range.lo += repeat * kFirRows / rows.period() * rows.shift();
      blocks_.push_back(block);
    } else {
      blocks_.push_back(assembled(rows, i));
    }
    taps_ += static_cast<double>(kFirRows * blocks_.back().range.count);
  }
}

template <class T>
typename UniformBand<T>::Block UniformBand<T>::assembled(const SparseRows& rows, Index i) {
  const Index begin = i * kFirRows;
  const Index end = std::min(rows_, begin + kFirRows);
  Block block;
  for (Index r = begin; r < end; ++r) {
    const auto row = rows.row(r);
    block.range = united(block.range, {row.first, std::ssize(row.weights)}, columns_);
    block.beyond = block.beyond || row.beyond != 0;
  }
  block.weights = weights_.size();
  const Index step = block.range.count + 1;
  weights_.resize(weights_.size() + at(kFirRows * step), T{0});
  for (Index r = begin; r < end; ++r) {
    const auto row = rows.row(r);
    T* to = weights_.data() + block.weights + at((r - begin) * step);
    for (Index k = 0; k < std::ssize(row.weights); ++k) {
      to[modulo(row.first + k - block.range.lo, columns_)] += rounded<T>(row.weights[at(k)]);
    }
    to[block.range.count] = rounded<T>(row.beyond);
  }
  return block;
}

template <class T>
Range UniformBand<T>::sources(Index begin, Index end) const {
  Range range;
  for (Index i = begin; i < std::min(end, blocks()); ++i) {
    range = united(range, blocks_[at(i)].range, columns_);
  }
  return range;
}

template class UniformBand<float>;
template class UniformBand<double>;

}  // namespace blurfield::detail
