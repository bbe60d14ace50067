// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/plan.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>

#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/tolerance/cost.h"
#include "blurfield/ops/detail/tolerance/residual.h"

namespace blurfield::detail {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

double area(const Tile& tile) { return static_cast<double>(tile.y.size() * tile.x.size()); }

// Bound on what truncated kernels cost: 4 erfc(t / sqrt 2), t the fewest sigmas within a radius.
template <class T>
double truncation_cost(const AdaptiveField<T>& field) {
  const View<const T>& params = field.params;
  const RadiusRule& rule = field.radius;
  double t = rule.truncate;
  if (rule.fixed[0] >= 0 || rule.fixed[1] >= 0) {
    for (Index n = 0; n < params.batch(); ++n) {
      for (Index y = 0; y < params.height(); ++y) {
        for (Index x = 0; x < params.width(); ++x) {
          const auto p = [&](Index c) { return static_cast<double>(params.at(n, c, y, x)); };
          const bool full = params.channels() == 3;
          const double sy = full ? std::exp(p(0)) : p(0);
          const double sx = full ? std::hypot(p(1), std::exp(p(2))) : p(params.channels() - 1);
          const bool signal = params.spatial_rank() == 1;
          if (rule.fixed[0] >= 0 && !signal) t = std::min(t, (rule.fixed[0] + 0.5) / sy);
          if (rule.fixed[1] >= 0) t = std::min(t, (rule.fixed[1] + 0.5) / sx);
        }
      }
    }
  }
  return 4.0 * std::erfc(t / std::numbers::sqrt2);
}

// Taps of a tile's exact kernels.
template <class T>
double exact_taps(const AdaptiveField<T>& field, Index n, const Tile& tile) {
  const View<const T>& params = field.params;
  double taps = 0.0;
  for (Index y = tile.y.begin; y < tile.y.end; ++y) {
    for (Index x = tile.x.begin; x < tile.x.end; ++x) {
      const auto p = [&](Index c) { return static_cast<double>(params.at(n, c, y, x)); };
      const std::array<int, 2> radius =
          logchol_radii(field.radius, std::exp(p(0)), p(1), std::exp(p(2)));
      taps += (2.0 * radius[0] + 1.0) * (2.0 * radius[1] + 1.0);
    }
  }
  return taps;
}

// The same of covariances whose widths are summed: a radius is about truncate * sigma.
template <class T>
double exact_taps(const AdaptiveField<T>& field, Index n, const ResidualTile& plan,
                  const Tile& tile) {
  const RadiusRule& rule = field.radius;
  const bool fixed = rule.fixed[0] >= 0 || rule.fixed[1] >= 0;
  if (fixed || !plan.feasible) return exact_taps(field, n, tile);
  const double t = 2.0 * rule.truncate;
  const auto [sigma_y, sigma_x, box] = plan.widths;
  return t * t * box + t * (sigma_y + sigma_x) + area(tile);
}

// What it takes to fold a tap of a table onto the frame, in taps.
constexpr double kFoldedTap = 22.0;

// The same of sigmas whose means are known: a radius is about truncate * sigma.
template <class T>
double exact_taps(const AdaptiveField<T>& field, const StackTile& plan, const Tile& tile) {
  const RadiusRule& rule = field.radius;
  const double t = 2.0 * rule.truncate;
  const StackAxis& y = plan.axes[0];
  const StackAxis& x = plan.axes[plan.axes[1].nodes.empty() ? 0 : 1];
  // Kernels are folded onto the frame: none has more taps than that.
  double folded = 0.0;
  const auto extent = [&](std::size_t axis, double sigma, Index n) {
    const int fixed = rule.fixed[axis];
    const double taps = fixed >= 0 ? 2.0 * fixed + 1.0 : t * sigma + 1.0;
    const double kept = std::min(taps, static_cast<double>(n));
    folded += (&x == &y ? 0.5 : 1.0) * (taps - kept);  // one table serves both axes
    return kept;
  };
  const Index height = field.params.height();
  const Index width = field.params.width();
  const double widest = std::sqrt(y.mean_square);
  const bool free = rule.fixed[0] < 0 && rule.fixed[1] < 0 && &x == &y &&
                    t * widest + 1.0 < static_cast<double>(std::min(height, width));
  if (free) return area(tile) * (t * t * y.mean_square + 2.0 * t * y.mean + 1.0);
  const double taps = extent(0, y.mean, height) * extent(1, x.mean, width);
  return area(tile) * (taps + kFoldedTap * folded);
}

// Costs are predicted to a tenth or so: what is closer is computed exactly.
constexpr double kGain = 0.9;

double widest(const LevelRequest& level) { return std::max(level.step[0], level.step[1]); }

// Of a plane by the stack, its levels apart; `setup` is paid once for all planes.
struct StackCost {
  double setup = 0.0;
  double plane = 0.0;
};

StackCost stack_cost(const StackTile& tile, const Tile& pixels, const Ladder& ladder,
                     const BlurCosts& costs) {
  const auto taps = [&](const StackNode& node) {
    return 2.0 * ladder.reach * std::sqrt(ladder.residual(node.sigma * node.sigma, node.step)) +
           2.0;
  };
  // The last rows of an image of several tiles are judged like a whole tile of them: bands of an
  // image that wraps around go on below them, and are to choose alike.
  const Index judged = pixels.y.begin > 0 ? kTileSide : pixels.y.size();
  const auto height = static_cast<double>(judged);
  const auto width = static_cast<double>(pixels.x.size());
  const bool diagonal = !tile.axes[1].nodes.empty();
  StackCost cost{costs.tile, 0.0};
  const auto roots = [](const StackAxis& axis, const StackNode& node) {
    return static_cast<double>(axis.clusters[node.cluster].count);
  };
  for (const StackNode& x : tile.axes[diagonal ? 1 : 0].nodes) {
    cost.setup += 2.0 * costs.node;
    for (const StackNode& y : tile.axes[0].nodes) {
      if (!diagonal && &y != &x) continue;
      const double rows = height / y.step + taps(y);
      cost.plane += costs.tap * (rows * width * (taps(x) + 6.0) + height * width * taps(y)) +
                    height * width * (costs.mix + costs.root * roots(tile.axes[0], y));
    }
  }
  const double there = static_cast<double>(pixels.y.size()) / height;
  return {there * cost.setup, there * cost.plane};
}

template <class T>
class Planner {
 public:
  Planner(const char* operation, const AdaptiveField<T>& field, const Shape& image)
      : field_(field),
        options_(*field.options),
        ladder_(options_.tolerance),
        costs_(blur_costs(field.params.channels(), sizeof(T) == 4)),
        planes_(static_cast<double>(image[1] * (field.params.batch() == 1 ? image[0] : 1))) {
    const bool full = field.params.channels() == 3;
    const BlurMethod method = options_.method;
    require(method != BlurMethod::stack || !full, operation,
            "expected sigma or (sigma_y, sigma_x) for the stack, got logchol: residual does it");
    require(method != BlurMethod::residual || full, operation,
            "expected a logchol field for the residual method, got ", field.params.channels(),
            " channels: stack does it");
  }

  BlurPlan plan() {
    BlurPlan plan{ladder_, {}, {}};
    BlurReport& report = plan.report;
    report.error_bound = truncation_cost(field_);
    const bool set = options_.truncate.has_value() || !options_.radius.empty();
    const bool wanted = options_.tolerance >= kFinestTolerance<T>;
    report.truncated = wanted && set && report.error_bound > options_.tolerance;
    if (!wanted || report.truncated || options_.method == BlurMethod::exact) return plan;
    double tiles = 0.0;
    for (Index n = 0; n < field_.params.batch(); ++n) {
      FieldPlan& field = plan.fields.emplace_back();
      tiles += plan_field(n, field, report);
    }
    const double pixels = static_cast<double>(field_.params.height() * field_.params.width()) *
                          static_cast<double>(field_.params.batch());
    report.exact = exact_pixels_ / pixels;
    (field_.params.channels() == 3 ? report.residual : report.stack) = 1.0 - report.exact;
    if (tiles > 0.0) report.nodes /= tiles;
    report.steps.assign(steps_.begin(), steps_.end());
    if (report.exact < 1.0) report.error_bound = bound_;
    if (report.exact == 1.0) plan.fields.clear();
    return plan;
  }

 private:
  // Returns how many tiles the stack computes.
  double plan_field(Index n, FieldPlan& field, BlurReport& report) {
    const View<const T>& params = field_.params;
    const TileSet grid(params.height(), params.width());
    field.exact = grid;
    field.approximate = grid;
    const bool full = params.channels() == 3;
    if (full) {
      field.residual = residual_tiles(field_, n, ladder_);
    } else {
      field.stack = stack_tiles(field_, n, ladder_);
    }
    std::vector<double> taps(at(grid.count()));
    parallel_for(grid.count(), {options_.execution.threads, {}}, [&](Index i) {
      const Tile tile = grid.tile(i);
      taps[at(i)] = full ? exact_taps(field_, n, field.residual[at(i)], tile)
                         : exact_taps(field_, field.stack[at(i)], tile);
    });
    double exactly = 0.0;
    double seconds = 0.0;
    for (Index i = 0; i < grid.count(); ++i) {
      const Tile tile = grid.tile(i);
      const double one =
          1e-9 * planes_ * (costs_.exact_pixel * area(tile) + costs_.exact_tap * taps[at(i)]);
      exactly += one;
      double other = 0.0;
      bool feasible = false;
      if (full) {
        other =
            1e-9 * planes_ *
            (costs_.residual_pixel * area(tile) + costs_.residual_tap * field.residual[at(i)].taps);
        feasible = field.residual[at(i)].feasible;
      } else {
        const StackCost cost = stack_cost(field.stack[at(i)], tile, ladder_, costs_);
        other = 1e-9 * (cost.setup + planes_ * cost.plane);
        feasible = field.stack[at(i)].feasible;
      }
      const bool cheaper = options_.method != BlurMethod::automatic || other < kGain * one;
      (feasible && cheaper ? field.approximate : field.exact).add(i);
      seconds += feasible && cheaper ? other : one;
    }
    return settle(n, exactly, seconds, field, report);
  }

  double level_seconds(const std::vector<LevelRequest>& levels) const {
    const auto pixels = static_cast<double>(field_.params.height() * field_.params.width());
    double cost = planes_ * costs_.level * pixels * static_cast<double>(levels.size());
    for (const LevelRequest& level : levels) {
      cost += costs_.filter + costs_.filter_step * widest(level);
    }
    return 1e-9 * cost;
  }

  // Levels are paid for once: if they cost what the tiles gain, all is exact.
  double settle(Index n, double exactly, double seconds, FieldPlan& field, BlurReport& report) {
    const View<const T>& params = field_.params;
    std::vector<LevelRequest> levels;
    if (!field.approximate.empty()) {
      levels = params.channels() == 3
                   ? residual_levels(field_, n, ladder_, field.residual, field.approximate)
                   : stack_levels(field_, field.stack, field.approximate, ladder_);
      std::erase_if(levels, [](const LevelRequest& level) { return level.is_image(); });
      seconds += 1e-9 * costs_.start + level_seconds(levels);
    }
    if (options_.method == BlurMethod::automatic && seconds > kGain * exactly) {
      for (Index i = 0; i < field.exact.count(); ++i) field.exact.add(i);
      field.approximate = TileSet(params.height(), params.width());
      levels.clear();
      seconds = exactly;
    }
    for (const LevelRequest& level : levels) steps_.insert(widest(level));
    const std::size_t bytes = level_bytes<T>(params.height(), params.width(), levels);
    report.bytes = std::max(report.bytes, bytes * static_cast<std::size_t>(planes_));
    report.seconds += seconds;
    report.exact_seconds += exactly;
    double stacked = 0.0;
    for (Index i = 0; i < field.exact.count(); ++i) {
      if (!field.approximate.has(i)) {
        exact_pixels_ += area(field.exact.tile(i));
        bound_ = std::max(bound_, report.error_bound);
        continue;
      }
      if (field.stack.empty()) {
        bound_ = std::max(bound_, residual_bound(ladder_));
        continue;
      }
      const StackTile& tile = field.stack[at(i)];
      const double pairs = static_cast<double>(std::max<std::size_t>(tile.axes[1].nodes.size(), 1));
      report.nodes += static_cast<double>(tile.axes[0].nodes.size()) * pairs;
      bound_ = std::max(bound_, tile.bound);
      stacked += 1.0;
    }
    return stacked;
  }

  const AdaptiveField<T>& field_;
  const AdaptiveBlurOptions& options_;
  Ladder ladder_;
  BlurCosts costs_;
  double planes_;
  std::set<double> steps_;
  double exact_pixels_ = 0.0;
  double bound_ = 0.0;
};

}  // namespace

template <class T>
BlurPlan plan_blur(const char* operation, const AdaptiveField<T>& field, const Shape& image) {
  return Planner<T>(operation, field, image).plan();
}

template <class T>
double exact_seconds(const AdaptiveField<T>& field, const Shape& image) {
  const View<const T>& params = field.params;
  const BlurCosts costs = blur_costs(params.channels(), sizeof(T) == 4);
  double plane = 0.0;
  const auto height = static_cast<double>(params.height());
  const auto width = static_cast<double>(params.width());
  for (const RowCosts& rows : field.costs) {
    plane += costs.exact_pixel * height * width;
    for (std::size_t y = 0; y < rows.taps.size(); ++y) {
      // Separable kernels are folded onto the frame, covariances are not.
      const double extent_y = 2.0 * rows.ry[y] + 1.0;
      const double extent_x = 2.0 * rows.rx[y] + 1.0;
      const double kept_y = std::min(extent_y, height);
      const double kept_x = std::min(extent_x, width);
      const double folded = 0.5 * (extent_y - kept_y + extent_x - kept_x);
      const bool full = params.channels() == 3;
      const double within = width * (kept_y * kept_x + kFoldedTap * folded);
      plane += costs.exact_tap * (full ? rows.taps[y] : std::min(rows.taps[y], within));
    }
  }
  return 1e-9 * plane * static_cast<double>(image[1] * (params.batch() == 1 ? image[0] : 1));
}

template double exact_seconds(const AdaptiveField<float>&, const Shape&);
template double exact_seconds(const AdaptiveField<double>&, const Shape&);
template BlurPlan plan_blur(const char*, const AdaptiveField<float>&, const Shape&);
template BlurPlan plan_blur(const char*, const AdaptiveField<double>&, const Shape&);

}  // namespace blurfield::detail
