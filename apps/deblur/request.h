// SPDX-License-Identifier: BSD-3-Clause
// What `blurfield deblur` was asked to do.
#pragma once

#include <array>
#include <string>

#include "apps/command.h"
#include "apps/gaussian.h"
#include "blurfield/deblur/deblur.h"
#include "blurfield/deblur/psf_grid.h"

namespace blurfield::app {

struct DeblurRequest {
  std::string in;
  std::string out;
  // The blur: one of these two, or a Gaussian.
  std::string psf;               // a file, or a formula as parse_psf takes it
  std::string psf_grid;          // a folder or a file
  std::array<Index, 2> cells{};  // of the grid, (ny, nx)
  GridOrder order = GridOrder::mask_first;
  GaussianRequest gaussian;
  Border border;
  Index upscale = 1;  // OUT's pixels per pixel of IN, along each axis

  std::string mask;
  bool mask_saturated = false;
  bool linear_light = false;
  std::string reference;  // empty: not asked for, as the next two
  std::string trace;
  std::string report;
  std::string bit_depth;    // empty: the input's
  DeblurSettings settings;  // but for threads and least_noise
  bool force = false;
  Common common;
  std::string line;  // the command line, to repeat it

  bool uniform() const { return psf_grid.empty() && !gaussian.varies(); }
  std::string blur_text() const;    // "psf.fits", "grid of 3 x 4 PSFs in stars, mask-first"
  std::string border_text() const;  // "extend", "reflect"
};

}  // namespace blurfield::app
