// SPDX-License-Identifier: BSD-3-Clause
// How a uniform blur is computed: by its own taps, or from a level of a pyramid (ladder.h).
#pragma once

#include <array>
#include <optional>

#include "blurfield/ops/blur_options.h"
#include "blurfield/ops/blur_report.h"
#include "blurfield/ops/detail/gaussian_terms.h"
#include "blurfield/ops/detail/tolerance/ladder.h"
#include "blurfield/ops/detail/uniform/covariance.h"
#include "blurfield/ops/detail/uniform/product.h"

namespace blurfield::detail {

struct UniformPlan {
  explicit UniformPlan(const Ladder& of) : ladder(of) {}

  Ladder ladder;
  bool exact = true;
  std::array<AxisBlur, 2> axes{};               // y and x, unless exact or of a covariance
  std::optional<CovarianceLevel> covariance{};  // unless exact
  BlurReport report{};
};

// For images (N, C, H, W) of T; the rows of signals are those of one. Throws Error in the
// operation's name if options.method does not go with the Gaussian.
template <class T>
UniformPlan plan_uniform(const char* operation, const Shape& shape, const UniformGaussian& gaussian,
                         const BlurOptions& options);

}  // namespace blurfield::detail
