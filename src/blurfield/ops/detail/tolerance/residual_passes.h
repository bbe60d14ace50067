// SPDX-License-Identifier: BSD-3-Clause
// The passes of adaptive.h on the sites of a tile that read one level.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "blurfield/ops/detail/tolerance/levels.h"
#include "blurfield/ops/detail/tolerance/residual_sites.h"

namespace blurfield::detail {

// The samples of one level that a tile's sites reach, for up to three planes.
template <class T>
class ResidualBlock {
 public:
  ResidualBlock(const LevelGrid<T>& grid, const LevelSites& sites);

  // Whether no site sees any of the level: zeros stand around it.
  bool empty() const { return present_y_.size() <= 0 || present_x_.size() <= 0; }

  // Zeroed, for planes first, first + 1, ... of the levels.
  void start(std::size_t first, std::size_t planes);
  void pack(const Levels<T>& levels);
  void unpack(LevelSums<T>& sums) const;

  Index stride() const { return x_.size() + kernels::kResidualPad; }
  // Planes begin, begin + 1, ... of those started.
  template <class P>
  kernels::ResidualBlock<P> planes(std::size_t begin, std::size_t count) {
    kernels::ResidualBlock<P> block{{}, static_cast<int>(count), stride(), y_.begin, x_.begin};
    for (std::size_t c = 0; c < count; ++c) block.plane[c] = values_.data() + (begin + c) * size();
    return block;
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(y_.size() * stride()); }
  std::size_t offset(std::size_t plane) const {
    return plane * size() + static_cast<std::size_t>((present_y_.begin - y_.begin) * stride() +
                                                     present_x_.begin - x_.begin);
  }

  std::size_t level_ = 0;
  Window y_, x_;
  Window present_y_, present_x_;  // what the level has of them
  std::size_t first_plane_ = 0;
  std::size_t planes_ = 0;
  std::vector<T> values_;
};

template <class T>
class ResidualPasses {
 public:
  ResidualPasses(const AdaptiveField<T>& field, Index n, const ResidualSites<T>& tile)
      : field_(field), n_(n), tile_(tile) {}

  // The sites to come. `sites` must be of the tile and live on.
  void start(const LevelSites& sites);

  // `block` holds `planes`; what the sites gather is added to the pass' outputs.
  void gather(const GatherPass<T>& pass, std::span<const Plane> planes, ResidualBlock<T>& block);
  // Spreads into `block`.
  void spread(const SpreadPass<T>& pass, std::span<const Plane> planes, ResidualBlock<T>& block);

 private:
  Index count() const { return static_cast<Index>(sites_->pixels.size()); }
  std::vector<T> read(const View<const T>& image, std::span<const Plane> planes) const;
  void moments(const kernels::ResidualBlock<const T>& block, const std::vector<T>& coef);
  void values(const GatherPass<T>& pass, std::span<const Plane> planes, ResidualBlock<T>& block);
  void derivative(const GatherPass<T>& pass, std::span<const Plane> planes,
                  ResidualBlock<T>& block);
  void slopes(const GatherPass<T>& pass, std::span<const Plane> planes, ResidualBlock<T>& block);
  kernels::FullPolynomial polynomial(Index i, const View<const T>& field_dot) const;
  std::array<double, 3> centred(Index i) const;

  const AdaptiveField<T>& field_;
  Index n_;
  const ResidualSites<T>& tile_;
  const LevelSites* sites_ = nullptr;
  std::vector<T> scratch_;
  std::vector<double> norm_;
  std::vector<double> value_;
  std::vector<kernels::FullMoments> moments_;
  std::vector<kernels::FullPolynomial> polynomials_;
};

}  // namespace blurfield::detail
