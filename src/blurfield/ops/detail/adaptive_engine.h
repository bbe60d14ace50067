// SPDX-License-Identifier: BSD-3-Clause
// An adaptive blur's field and plan, and its passes by kind of field and method.
#pragma once

#include <vector>

#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/progress_step.h"
#include "blurfield/ops/detail/tolerance/plan.h"
#include "blurfield/ops/detail/tolerance/residual.h"
#include "blurfield/ops/detail/tolerance/stack/stack.h"

namespace blurfield::detail {

template <class T>
class AdaptiveEngine {
 public:
  AdaptiveEngine(const char* operation, const View<const T>& params, const Shape& image,
                 const AdaptiveBlurOptions& options)
      : options_(options), full_(params.channels() == 3) {
    // Reflections and translations map a copy of the source and its kernel onto the source itself,
    // so that under these two modes scatter is the exact transpose of gather (B2 = B1*).
    const bool transpose = mode() == Mode::reflect || mode() == Mode::wrap;
    field_ = {params, &options_,
              options.scatter && !transpose ? Belongs::to_source : Belongs::to_output,
              options.extension.mode, RadiusRule::of<T>(options, params.spatial_rank())};
    plan_ = plan_blur(operation, field_, image);
    for (const FieldPlan& field : plan_.fields) {
      field_.tiles.push_back(field.exact);
      exact_ |= !field.exact.empty();
    }
    exact_ |= plan_.fields.empty();
    if (exact_) field_.costs = row_costs(field_);
    BlurReport& report = plan_.report;
    if (report.seconds == 0.0) report.seconds = report.exact_seconds = exact_seconds(field_, image);
  }
  AdaptiveEngine(const AdaptiveEngine&) = delete;
  AdaptiveEngine& operator=(const AdaptiveEngine&) = delete;

  const BlurReport& report() const { return plan_.report; }
  double cval() const {
    return options_.extension.mode == Mode::constant ? options_.extension.cval : 0.0;
  }
  // A scatter with cval: what a frame of zeros gives (image less cval) plus what an image of cval
  // gives, whose field extends by nearest.
  bool split() const { return options_.scatter && cval() != 0.0; }

  // Announces the passes to come, so that progress runs once from 0 to 1.
  void plan(std::size_t passes) { passes_ = passes; }

  void gather(const GatherPass<T>& pass, Mode mode) {
    run(mode, [&](const auto& step) {
      if (step.exact) {
        full_ ? full_gather(field_, pass) : separable_gather(field_, pass);
      } else if (full_) {
        residual_gather(field_, step.n, plan_.ladder, step.residual, step.tiles, pass,
                        options_.execution);
      } else {
        stack_gather(field_, step.n, plan_.ladder, step.stack, step.tiles, pass,
                     options_.execution);
      }
    });
  }
  void spread(const SpreadPass<T>& pass, Mode mode) {
    run(mode, [&](const auto& step) {
      if (step.exact) {
        full_ ? full_spread(field_, pass) : separable_spread(field_, pass);
      } else if (full_) {
        residual_spread(field_, step.n, plan_.ladder, step.residual, step.tiles, pass,
                        options_.execution);
      } else {
        stack_spread(field_, step.n, plan_.ladder, step.stack, step.tiles, pass,
                     options_.execution);
      }
    });
  }
  Mode mode() const { return options_.extension.mode; }

 private:
  // All exact tiles, or the others of field n.
  struct Step {
    bool exact;
    Index n;
    const TileSet& tiles;
    const std::vector<StackTile>& stack;
    const std::vector<ResidualTile>& residual;
  };
  template <class Run>
  void run(Mode mode, const Run& run_step) {
    field_.mode = mode;
    const Execution pass = progress_step(whole_, pass_++, passes_);
    std::vector<Step> steps;
    if (exact_) steps.push_back({true, 0, none_.approximate, none_.stack, none_.residual});
    for (std::size_t n = 0; n < plan_.fields.size(); ++n) {
      const FieldPlan& field = plan_.fields[n];
      if (field.approximate.empty()) continue;
      steps.push_back(
          {false, static_cast<Index>(n), field.approximate, field.stack, field.residual});
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      options_.execution = progress_step(pass, i, steps.size());
      run_step(steps[i]);
    }
  }

  AdaptiveBlurOptions options_;
  Execution whole_ = options_.execution;
  std::size_t passes_ = 1;
  std::size_t pass_ = 0;
  bool full_;
  bool exact_ = false;
  FieldPlan none_;
  BlurPlan plan_;
  AdaptiveField<T> field_;
};

}  // namespace blurfield::detail
