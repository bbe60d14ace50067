// SPDX-License-Identifier: BSD-3-Clause
// Line searches from a run's x along a direction of that slope. Both leave an accepted point
// evaluated in run.trial() and return true, or return false where no step lowers the value.
#pragma once

#include "blurfield/optim/detail/run.h"

namespace blurfield::detail {

// For the strong Wolfe conditions, first trying `first`.
template <class T>
bool search_line(Run<T>& run, const T* direction, double slope, double first);

// The same while no bound is near enough to be met by `first`; else backtracks along the path
// projected into the box, with Armijo's condition for what remains of the step.
template <class T>
bool search_box(Run<T>& run, const T* direction, double slope, double first);

}  // namespace blurfield::detail
