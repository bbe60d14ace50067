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
#include "blurfield/ops/detail/check.h"

namespace blurfield::detail {

enum class Belongs { to_output, to_source };

// A field that has been checked, with the options it is used under. Views are packed in x.
template <class T>
struct AdaptiveField {
  View<const T> params;  // (N | 1, 1 | 2 | 3, H, W)
  const AdaptiveBlurOptions* options = nullptr;
  Belongs belongs = Belongs::to_output;
  Mode mode = Mode::reflect;  // of this pass; options->extension.mode unless cval is split off
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

// Weights below the smallest normal number count as 0, so that no radius need exceed this many
// sigmas.
template <class T>
inline constexpr double kReach = sizeof(T) == 4 ? 13.5 : 38.0;

// The radius of a Gaussian of width sigma along an axis of the image: from the options, cut where
// weights vanish. Axis 0 is y, 1 is x; a signal has only x.
template <class T>
int adaptive_radius(const AdaptiveField<T>& field, int axis, double sigma) {
  const int spatial_rank = field.params.spatial_rank();
  if (axis == 0 && spatial_rank == 1) return 0;
  const int radius = resolve_radius(*field.options, axis - (2 - spatial_rank), sigma);
  const double reach = kReach<T> * sigma + 1.0;
  return reach < radius ? static_cast<int>(reach) : radius;
}

// Radii of pixel (y, x) of field n as (ry, rx).
template <class T>
std::array<int, 2> adaptive_radii(const AdaptiveField<T>& field, Index n, Index y, Index x);

// The image planes that field n serves: (n, 0..C-1), or all of them if the field has a batch of 1.
struct Plane {
  Index n;
  Index c;
};
std::vector<Plane> planes_of(const Shape& image, Index field_batch, Index n);

// Per row of field n: the largest radii, and the taps of all kernels.
struct RowCosts {
  Index width = 0;
  std::vector<int> ry;
  std::vector<int> rx;
  std::vector<double> taps;
  int max_ry = 0;
  int max_rx = 0;
};
template <class T>
RowCosts row_costs(const AdaptiveField<T>& field, Index n);

// Consecutive pixels of an axis. Under Mode::wrap they may lie beyond 0..n-1 and mean i mod n.
struct Window {
  Index begin = 0;
  Index end = 0;
  Index size() const { return end - begin; }
};

// The pixels that kernels of this radius around first..last reach, copies folded onto the frame.
Window reach_window(Index first, Index last, Index radius, Index n, Mode mode);

// Whether sources of row y with this radius reach rows of the band.
bool reaches(Index y, Index radius, const Window& band, Index height, Mode mode);

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

// Runs task(costs of field n, range) for the ranges of all fields.
template <class T, class Task>
void run_ranges(const AdaptiveField<T>& field,
                std::vector<Index> (*split)(const RowCosts&, const Execution&), const Task& task) {
  const Execution& execution = field.options->execution;
  std::vector<RowCosts> costs;
  std::vector<RowRange> ranges;
  for (Index n = 0; n < field.params.batch(); ++n) {
    costs.push_back(row_costs(field, n));
    Index begin = 0;
    for (Index end : split(costs.back(), execution)) {
      ranges.push_back({n, begin, end});
      begin = end;
    }
  }
  parallel_for(static_cast<Index>(ranges.size()), execution, [&](Index i) {
    const RowRange& range = ranges[static_cast<std::size_t>(i)];
    task(costs[static_cast<std::size_t>(range.n)], range);
  });
}

}  // namespace blurfield::detail
