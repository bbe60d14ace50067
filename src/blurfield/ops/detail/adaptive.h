// SPDX-License-Identifier: BSD-3-Clause
// What the separable and the full-covariance engine of the adaptive blur share: the two passes that
// every forward, vjp and jvp is made of.
//
//   gather: value(p) = sum_q K(p, q) src(q)          slope_i(p) = sum_q dK(p, q)/dtheta_i(p) src(q)
//   spread: out(q)   = sum_p K(p, q) value(p) + ...  the transpose
//
// theta(p) belongs to p. K(p, q) is the weight that connects p with pixel q of the frame, summed
// over all copies that the extension makes: copies of q when the kernel belongs to the output (B1),
// copies of p when it belongs to the source (B2).
#pragma once

#include <vector>

#include "blurfield/ops/adaptive_blur.h"
#include "blurfield/ops/detail/reach.h"
#include "blurfield/ops/detail/tolerance/tiles.h"

namespace blurfield::detail {

enum class Belongs { to_output, to_source };

// Per row of field n: the largest radii, and the taps of all kernels.
struct RowCosts {
  Index width = 0;
  std::vector<int> ry;
  std::vector<int> rx;
  std::vector<double> taps;
  int max_ry = 0;
  int max_rx = 0;
};
// A field that has been checked, with the options it is used under. Views are packed in x.
template <class T>
struct AdaptiveField {
  View<const T> params;  // (N | 1, 1 | 2 | 3, H, W)
  const AdaptiveBlurOptions* options = nullptr;
  Belongs belongs = Belongs::to_output;
  Mode mode = Mode::reflect;  // of this pass; options->extension.mode unless cval is split off
  RadiusRule radius{};
  std::vector<RowCosts> costs{};  // of each field of the batch
  // Of each field of the batch: the tiles whose kernels the exact engines work on; empty: all.
  std::vector<TileSet> tiles{};

  bool works_on(Index n, Index y, Index x) const {
    return tiles.empty() || tiles[static_cast<std::size_t>(n)].has_pixel(y, x);
  }
};

template <class T>
struct GatherPass {
  View<const T> src{};
  double cval = 0.0;          // value beyond the frame under Mode::constant (to_output only)
  View<T> out{};              // value, if not empty
  bool add = false;           // out += instead of out =
  View<const T> field_dot{};  // if not empty: out takes sum_i field_dot_i slope_i for value
  View<const T> coef{};       // grad_field_i += sum over channels of coef slope_i
  View<T> grad_field{};
};

template <class T>
struct SpreadPass {
  View<const T> value{};  // may be empty
  View<const T> along{};  // if not empty: out += sum_p along(p) sum_i field_dot_i dK_i(p, .)
  View<const T> field_dot{};
  View<T> out{};                         // is added to
  const GatherPass<T>* fused = nullptr;  // a gather whose grad_field is filled on the way
};

template <class T>
void separable_gather(const AdaptiveField<T>& field, const GatherPass<T>& pass);
template <class T>
void separable_spread(const AdaptiveField<T>& field, const SpreadPass<T>& pass);
template <class T>
void full_gather(const AdaptiveField<T>& field, const GatherPass<T>& pass);
template <class T>
void full_spread(const AdaptiveField<T>& field, const SpreadPass<T>& pass);

// The image planes that field n serves: (n, 0..C-1), or all of them if the field has a batch of 1.
struct Plane {
  Index n;
  Index c;
};
std::vector<Plane> planes_of(const Shape& image, Index field_batch, Index n);

// Calls f(begin, end) for runs of at most `most` columns of row y of the extended plane that the
// engine works on.
template <class T, class F>
void for_runs_of(const AdaptiveField<T>& field, Index n, Index y, const Window& columns, Index most,
                 const F& f) {
  // Under Mode::constant there are no kernels beyond the frame.
  const auto inside = [&](Index i, Index size) {
    return std::clamp<Index>(extend(i, size, field.mode), 0, size - 1);
  };
  const Index row = field.tiles.empty() ? 0 : inside(y, field.params.height());
  const auto ours = [&](Index x) {
    return field.tiles.empty() || field.works_on(n, row, inside(x, field.params.width()));
  };
  for (Index begin = columns.begin; begin < columns.end;) {
    Index end = std::min(begin + most, columns.end);
    if (!field.tiles.empty()) {
      const bool own = ours(begin);
      end = begin + 1;
      while (end < std::min(begin + most, columns.end) && ours(end) == own) ++end;
      if (own) f(begin, end);
    } else {
      f(begin, end);
    }
    begin = end;
  }
}

// The costs of each field of the batch.
template <class T>
std::vector<RowCosts> row_costs(const AdaptiveField<T>& field);

// Ends of row ranges of about equal cost. Ranges of a spread repeat work within a radius of their
// borders, so they stay a few radii high.
std::vector<Index> gather_ranges(const RowCosts& costs, const Execution& execution);
std::vector<Index> spread_ranges(const RowCosts& costs, const Execution& execution);

// Rows begin..end-1 of field n.
struct RowRange {
  Index n;
  Index begin;
  Index end;
};

// Runs task(costs of field n, range, tick) for the ranges of all fields.
template <class T, class Task>
void run_ranges(const AdaptiveField<T>& field,
                std::vector<Index> (*split)(const RowCosts&, const Execution&), const Task& task) {
  const Execution& execution = field.options->execution;
  std::vector<RowRange> ranges;
  for (Index n = 0; n < field.params.batch(); ++n) {
    Index begin = 0;
    for (Index end : split(field.costs[static_cast<std::size_t>(n)], execution)) {
      ranges.push_back({n, begin, end});
      begin = end;
    }
  }
  const auto count = static_cast<Index>(ranges.size());
  parallel_tasks(count, execution, [&](Index i, const Tick& tick) {
    const RowRange& range = ranges[static_cast<std::size_t>(i)];
    task(field.costs[static_cast<std::size_t>(range.n)], range, tick);
  });
}

}  // namespace blurfield::detail
