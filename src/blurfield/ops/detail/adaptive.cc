// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/adaptive.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace blurfield::detail {

std::vector<Plane> planes_of(const Shape& image, Index field_batch, Index n) {
  std::vector<Plane> planes;
  const Index first = field_batch == 1 ? 0 : n;
  const Index last = field_batch == 1 ? image[0] : n + 1;
  for (Index i = first; i < last; ++i) {
    for (Index c = 0; c < image[1]; ++c) planes.push_back({i, c});
  }
  return planes;
}

namespace {

constexpr Index kFewPixels = 1 << 14;  // not worth waking a thread for their radii
constexpr double kTapsAtLeast = 5e4;   // of a range: some ten microseconds

template <class T>
RowCosts row_costs_of(const AdaptiveField<T>& field, Index n) {
  const Index height = field.params.height();
  RowCosts costs;
  costs.width = field.params.width();
  costs.ry.assign(static_cast<std::size_t>(height), 0);
  costs.rx.assign(static_cast<std::size_t>(height), 0);
  costs.taps.assign(static_cast<std::size_t>(height), 0.0);
  const RadiusRule rule = field.radius;
  const View<const T>& params = field.params;
  const bool full = params.channels() == 3;
  const bool isotropic = params.channels() == 1 && rule.same_on_both_axes();
  const bool few = height * costs.width <= kFewPixels;
  const Execution quiet{.threads = few ? 1 : field.options->execution.threads, .progress = nullptr};
  parallel_for(height, quiet, [&](Index y) {
    const auto row = static_cast<std::size_t>(y);
    int max_ry = 0;
    int max_rx = 0;
    double taps = 0.0;
    const T* first = params.row(n, 0, y);
    const T* last = params.row(n, params.channels() - 1, y);
    const T* middle = full ? params.row(n, 1, y) : nullptr;
    for (Index x = 0; x < costs.width; ++x) {
      if (!field.works_on(n, y, x)) continue;
      const Index i = x * params.x_stride();
      int ry = 0;
      int rx = 0;
      if (full) {
        const std::array<int, 2> radii =
            logchol_radii(rule, std::exp(static_cast<double>(first[i])),
                          static_cast<double>(middle[i]), std::exp(static_cast<double>(last[i])));
        ry = radii[0];
        rx = radii[1];
      } else {
        ry = rule(0, static_cast<double>(first[i]));
        rx = isotropic ? ry : rule(1, static_cast<double>(last[i]));
      }
      max_ry = std::max(max_ry, ry);
      max_rx = std::max(max_rx, rx);
      taps += (2.0 * ry + 1.0) * (2.0 * rx + 1.0);
    }
    costs.ry[row] = max_ry;
    costs.rx[row] = max_rx;
    costs.taps[row] = taps;
  });
  costs.max_ry = *std::max_element(costs.ry.begin(), costs.ry.end());
  costs.max_rx = *std::max_element(costs.rx.begin(), costs.rx.end());
  return costs;
}

// Taps, and what building a pixel's tables costs in taps.
std::vector<double> work(const RowCosts& costs) {
  constexpr double kTablesOfPixel = 40.0;
  std::vector<double> rows = costs.taps;
  for (double& row : rows) row += kTablesOfPixel * static_cast<double>(costs.width);
  return rows;
}

// The most ranges that this many taps are cut into.
Index worthwhile(double taps) { return 1 + static_cast<Index>(std::min(taps / kTapsAtLeast, 1e6)); }

}  // namespace

template <class T>
std::vector<RowCosts> row_costs(const AdaptiveField<T>& field) {
  std::vector<RowCosts> costs;
  for (Index n = 0; n < field.params.batch(); ++n) costs.push_back(row_costs_of(field, n));
  return costs;
}

std::vector<Index> gather_ranges(const RowCosts& costs, const Execution& execution) {
  const std::vector<double> rows = work(costs);
  const double total = std::accumulate(rows.begin(), rows.end(), 0.0);
  constexpr double kTapsPerRange = 1e9;  // some tens of milliseconds: fine-grained progress
  const Index parts = std::max<Index>(32 * thread_limit(execution),
                                      static_cast<Index>(std::min(total / kTapsPerRange, 1e6)));
  return balanced_ranges(rows, std::min(parts, worthwhile(total)));
}

std::vector<Index> spread_ranges(const RowCosts& costs, const Execution& execution) {
  const auto height = static_cast<Index>(costs.taps.size());
  const Index threads = thread_limit(execution);
  if (threads == 1 && !execution.progress) return {height};
  const Index parts = std::max(threads, height / (8 * std::max(costs.max_ry, 1)));
  const std::vector<double> rows = work(costs);
  const double total = std::accumulate(rows.begin(), rows.end(), 0.0);
  return balanced_ranges(rows, std::min({parts, 64 * threads, worthwhile(total)}));
}

template std::vector<RowCosts> row_costs(const AdaptiveField<float>&);
template std::vector<RowCosts> row_costs(const AdaptiveField<double>&);

}  // namespace blurfield::detail
