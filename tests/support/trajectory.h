// SPDX-License-Identifier: BSD-3-Clause
// Compares an optimiser's steps on the extended Rosenbrock function with PyTorch's of descent.npz.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/npz.h"
#include "tests/support/optimisers.h"

namespace blurfield::test {

// `run(objective, x, common)` for 20 iterations against `name`.
template <class T, class Run>
void expect_trajectory(const std::string& name, const Run& run) {
  const double tolerance = sizeof(T) == 8 ? 1e-12 : 1e-6;
  const Npz data("descent.npz");
  const std::vector<double>& steps = data[name + "/x"].values;
  const std::vector<double>& start = data["start/x"].values;
  std::vector<T> x(start.begin(), start.end());
  ASSERT_EQ(steps.size(), 20 * x.size());
  MinimiseOptions<T> options;
  options.max_iterations = 20;
  options.callback = [&](const Iterate<T>& now) {
    for (std::size_t i = 0; i < x.size() && now.iteration > 0; ++i) {
      const double expected = steps[static_cast<std::size_t>(now.iteration - 1) * x.size() + i];
      EXPECT_NEAR(now.x[i], expected, tolerance * std::max(1.0, std::abs(expected)))
          << name << ", iteration " << now.iteration << ", parameter " << i;
    }
    return true;
  };
  EXPECT_EQ(run(rosenbrock<T>().objective, x, options).iterations, 20) << name;
}

}  // namespace blurfield::test
