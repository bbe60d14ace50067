// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/noise_level.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "blurfield/base/check.h"

namespace blurfield {
namespace {

// Daubechies' high-pass of two vanishing moments; its squares sum to 1.
constexpr std::array<double, 4> kHighPass{-0.12940952255126037, -0.22414386804201339,
                                          0.83651630373780790, -0.48296291314453416};

}  // namespace

template <class T>
double noise_level(const View<const T>& image, const View<const T>& weight) {
  detail::check_image("noise_level", image);
  if (!weight.empty()) {
    require(weight.rank() == image.rank() && weight.shape[1] == 1 &&
                weight.height() == image.height() && weight.width() == image.width() &&
                (weight.batch() == 1 || weight.batch() == image.batch()),
            "noise_level", "expected a weight of one channel over ", image.shape.text(), ", got ",
            weight.shape.text());
  }
  // An axis too short for the filter is left alone.
  const bool along_y = image.height() >= 4;
  const bool along_x = image.width() >= 4;
  if (!along_y && !along_x) return 0.0;
  const Index taps_y = along_y ? 4 : 1;
  const Index taps_x = along_x ? 4 : 1;
  std::vector<double> sizes;
  for (Index n = 0; n < image.batch(); ++n) {
    for (Index c = 0; c < image.channels(); ++c) {
      for (Index y = 0; y + taps_y <= image.height(); y += along_y ? 2 : 1) {
        for (Index x = 0; x + taps_x <= image.width(); x += along_x ? 2 : 1) {
          double sum = 0.0;
          bool whole = true;
          for (Index i = 0; i < taps_y; ++i) {
            const double wy = along_y ? kHighPass[static_cast<std::size_t>(i)] : 1.0;
            for (Index j = 0; j < taps_x; ++j) {
              const double wx = along_x ? kHighPass[static_cast<std::size_t>(j)] : 1.0;
              sum += wy * wx * static_cast<double>(image.at(n, c, y + i, x + j));
              whole = whole && (weight.empty() ||
                                weight.at(weight.batch() == 1 ? 0 : n, 0, y + i, x + j) > 0);
            }
          }
          if (whole) sizes.push_back(std::abs(sum));
        }
      }
    }
  }
  if (sizes.empty()) return 0.0;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  return *middle / 0.6744897501960817;
}

template double noise_level(const View<const float>&, const View<const float>&);
template double noise_level(const View<const double>&, const View<const double>&);

}  // namespace blurfield
