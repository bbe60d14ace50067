// SPDX-License-Identifier: BSD-3-Clause
// How an adaptive blur with a tolerance is computed: which tiles of its field exactly, which not.
#pragma once

#include <vector>

#include "blurfield/ops/blur_report.h"
#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/tolerance/ladder.h"
#include "blurfield/ops/detail/tolerance/residual.h"
#include "blurfield/ops/detail/tolerance/stack/plan.h"
#include "blurfield/ops/detail/tolerance/tiles.h"

namespace blurfield::detail {

// Of one field of the batch.
struct FieldPlan {
  TileSet exact;
  TileSet approximate;                 // by the stack, or the residual method of a logchol field
  std::vector<StackTile> stack;        // nodes of all tiles; empty for a logchol field
  std::vector<ResidualTile> residual;  // of all tiles of a logchol field
};

struct BlurPlan {
  Ladder ladder{1.0};
  std::vector<FieldPlan> fields;  // empty: all exact
  BlurReport report;
};

// For an image of this shape; throws Error in the operation's name if options.method does not go
// with the field. Without a tolerance, or with a truncation that costs more, nothing is planned:
// the report lacks seconds.
template <class T>
BlurPlan plan_blur(const char* operation, const AdaptiveField<T>& field, const Shape& image);

// One thread's time that the exact blur is expected to take, by the field's costs.
template <class T>
double exact_seconds(const AdaptiveField<T>& field, const Shape& image);

}  // namespace blurfield::detail
