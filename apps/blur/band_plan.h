// SPDX-License-Identifier: BSD-3-Clause
// How an image is cut into bands of rows, each blurred with so many rows around it that its result
// is that of the whole image.
#pragma once

#include "blurfield/ops/adaptive_blur.h"

namespace blurfield::app {

// Rows of the tiles that a blur with a tolerance decides on.
inline constexpr Index kTile = 96;

struct Band {
  Index top = 0, bottom = 0;  // rows top..bottom-1 are its result
  // Rows first..end-1 are worked on; beyond the frame, under Mode::wrap alone, they mean y mod H.
  Index first = 0, end = 0;
};

class BandPlan {
 public:
  // For Gaussians of at most `sigma` along y, in pixels; options.tolerance is what the blur is
  // really done with.
  template <class T>
  static BandPlan of(Index height, double sigma, const BlurOptions& options);

  // Rows worked on at a time: the least, the most, and those of the plan, by default the least.
  Index least_rows() const { return std::min(grid_ + above_ + below_, height_); }
  Index rows() const { return std::min(core_ + above_ + below_, height_); }
  void set_rows(Index rows);  // as many as possible up to these, no less than least_rows()

  Index count() const { return (height_ + core_ - 1) / core_; }
  Index core() const { return core_; }  // rows of a band's result
  Band band(Index i) const;

 private:
  Index height_ = 0;
  bool wrap_ = false;
  Index grid_ = 0;   // bands begin at multiples of this, where tiles and levels' samples do
  Index above_ = 0;  // rows of the surroundings
  Index below_ = 0;
  Index core_ = 0;
};

}  // namespace blurfield::app
