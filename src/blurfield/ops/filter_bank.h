// SPDX-License-Identifier: BSD-3-Clause
// Classic small filters by name, at any odd size. To be correlated, y downwards, units of pixels:
// sobel-x responds positively where brightness grows to the right. A classic 3 x 3 filter becomes
// larger by a binomial that smooths it, of sum 1: Sobel's smoothing and derivative become binomial,
// and what a slope of 1 per pixel gives, `gain`, stays that of the classic weights.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "blurfield/base/image.h"

namespace blurfield {

struct Filter {
  std::string_view name;     // "sobel-x"
  std::string_view summary;  // one line, with the source where there is one
  bool has_sigma = false;    // takes a sigma
  Index least_size = 1;      // 3 for derivatives
  Index usual_size = 3;      // to take where none is given
};

// All filters, in a fixed order.
std::span<const Filter> filter_bank();

// The kernel (size, size) of a filter, in double. `size` is odd and at least the filter's own
// least; sigma > 0 is used where the filter has one; 0 stands for size / 6 (a radius of three
// sigma). Throws Error for an unknown name (listing the names) or a size that is even or too small.
Image<double> make_filter(std::string_view name, Index size, double sigma = 0.0);

}  // namespace blurfield
