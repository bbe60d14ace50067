// SPDX-License-Identifier: BSD-3-Clause
// The weights of a run of neighbours in a row of an isotropic or diagonal field, as the tables that
// kernels/adaptive/separable.h works on, with the extension folded in: the kernels touch pixels of
// the frame only, and a radius far beyond the frame costs no more than the frame.
#pragma once

#include <vector>

#include "blurfield/kernels/adaptive/separable.h"
#include "blurfield/ops/detail/adaptive.h"

namespace blurfield::detail {

template <class T>
class SeparableTile {
 public:
  // Room for tiles of this field; derivative: with tables of d/dsigma.
  SeparableTile(const AdaptiveField<T>& field, const RowCosts& costs, bool derivative);

  Index max_pixels() const { return max_pixels_; }

  // Builds the tables of pixels x0..x0+count-1 of row y of field n.
  void build(Index n, Index y, Index x0, Index count);

  const kernels::Tile<T>& tile() const { return tile_; }
  // Slot k stands for the rows y - k and y + k if symmetric, else for row rows().begin + k.
  bool symmetric() const { return symmetric_; }
  Index slots() const { return slots_; }
  const Window& rows() const { return rows_; }
  const Window& columns() const { return columns_; }
  // Under Mode::constant the part of each kernel that falls inside the frame, per axis, and its
  // derivative by the axis' sigma.
  struct Mass {
    double y = 1.0, x = 1.0, dy = 0.0, dx = 0.0;
  };
  const std::vector<Mass>& mass() const { return mass_; }

 private:
  struct Axis {  // one axis' tables
    std::vector<T> half, dhalf, full, dfull;
    Index half_stride = 0;
    Index full_stride = 0;
    std::vector<double> sigma;
    std::vector<int> radius;
    std::vector<Index> extent;  // of half tables; 0: they end at the radius
    std::vector<kernels::Placement> place;
  };
  bool meets_own_copy(Index first, Index last, Index n) const;
  void read_field(Index n, Index y, Index x0, Index count);
  void make_groups(Index y, Index x0, Index count);
  const Axis& half_of(const Axis& axis) const;
  void make_tables(Axis& axis, Index count);
  void fold_borders(Axis& axis, bool along_y, Index first, Index step, Index count);

  const AdaptiveField<T>& field_;
  bool derivative_;
  bool isotropic_;  // both axes have the same tables
  Index max_pixels_ = 0;
  Axis y_axis_, x_axis_;
  std::vector<kernels::Group> groups_;
  std::vector<Mass> mass_;
  std::vector<double> scratch_;
  kernels::Tile<T> tile_{};
  bool symmetric_ = true;
  Index slots_ = 0;
  Window rows_, columns_;
};

}  // namespace blurfield::detail
