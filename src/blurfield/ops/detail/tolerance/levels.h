// SPDX-License-Identifier: BSD-3-Clause
// Levels of a pyramid (ladder.h), each made from the image itself, by folded weights at its border:
// no level needs a halo of the one before.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "blurfield/base/image.h"
#include "blurfield/base/parallel.h"
#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/tolerance/ladder.h"
#include "blurfield/ops/detail/tolerance/level_filter.h"

namespace blurfield::detail {

// A level that is wanted: pixels between samples, and how many samples beyond the frame's first and
// last pixel are read, along y and x. Step 1 on both axes is the image itself.
struct LevelRequest {
  std::array<double, 2> step{1.0, 1.0};
  std::array<Index, 2> beyond{0, 0};

  bool is_image() const { return step[0] == 1.0 && step[1] == 1.0; }
};

// Bytes of the levels of one plane, known before their filters are made.
template <class T>
std::size_t level_bytes(Index height, Index width, std::span<const LevelRequest> requests);

// The axes of all levels of a frame.
template <class T>
class LevelGrid {
 public:
  LevelGrid(Index height, Index width, Mode mode, const Ladder& ladder,
            std::vector<LevelRequest> requests);

  std::size_t size() const { return levels_.size(); }
  Mode mode() const { return mode_; }
  std::array<Index, 2> frame() const { return frame_; }
  // The filter of level i along axis 0 (y) or 1 (x).
  const LevelFilter<T>& axis(std::size_t i, int axis) const {
    return levels_[i][static_cast<std::size_t>(axis)];
  }
  bool is_image(std::size_t i) const { return axis(i, 0).step() == 1 && axis(i, 1).step() == 1; }

 private:
  std::vector<std::array<LevelFilter<T>, 2>> levels_;
  std::array<Index, 2> frame_;
  Mode mode_;
};

// The levels of planes of an image.
template <class T>
class Levels {
 public:
  // Makes them from src - cval; `src` and `grid` must live on.
  Levels(const LevelGrid<T>& grid, const View<const T>& src, std::span<const Plane> planes,
         double cval, const Execution& execution);

  // Copies samples y.begin..y.end-1, x.begin..x.end-1 of level i of planes[plane]. Samples of an
  // axis of step 1 go on beyond the frame by the extension, others must be among those requested.
  void pack(std::size_t i, std::size_t plane, const Window& y, const Window& x, T* block,
            Index stride) const;

 private:
  const LevelGrid<T>& grid_;
  View<const T> src_;
  std::vector<Plane> planes_;
  T cval_;
  std::vector<Image<T>> levels_;  // (plane, 1, height, width); empty for the image itself
};

// The transpose: sums on levels that come back to an image.
template <class T>
class LevelSums {
 public:
  // Zeroed. `out` must be packed in x.
  LevelSums(const LevelGrid<T>& grid, const View<T>& out, std::span<const Plane> planes);

  // The transpose of pack: adds a block to samples. Not to be called concurrently.
  void unpack(std::size_t i, std::size_t plane, const Window& y, const Window& x, const T* block,
              Index stride);

  // Adds the transposed levels to out; once, at the end.
  void finish(const Execution& execution);

 private:
  const LevelGrid<T>& grid_;
  View<T> out_;
  std::vector<Plane> planes_;
  std::vector<Image<T>> levels_;
};

}  // namespace blurfield::detail
