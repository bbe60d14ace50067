// SPDX-License-Identifier: BSD-3-Clause
#include "apps/estimate/unknown.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "apps/pixels.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield::app {

template <class T>
void fill_unknown(const View<T>& image, const View<const T>& mask, const Execution& execution) {
  const Index colours = image.channels();
  const Image<T> weighed = weigh<T>(image, mask);
  Image<T> known(mask);  // > 0 where a pixel has its value
  const double side = static_cast<double>(image.height() + image.width());
  // Calls body(n, y, x) for every pixel that has no value yet; returns their number.
  const auto visit = [&](const auto& body) {
    Index count = 0;
    for (Index n = 0; n < image.batch(); ++n) {
      for (Index y = 0; y < image.height(); ++y) {
        for (Index x = 0; x < image.width(); ++x) {
          if (known.view().at(n, 0, y, x) > 0) continue;
          body(n, y, x);
          ++count;
        }
      }
    }
    return count;
  };
  Index missing = visit([&](Index n, Index y, Index x) {
    for (Index c = 0; c < colours; ++c) image.at(n, c, y, x) = 0;
  });
  BlurOptions options;
  options.execution = execution;
  Image<T> sums(weighed.shape());
  for (double sigma = 1; missing > 0 && sigma < 2 * side; sigma *= 2) {
    uniform_blur<T>(weighed, std::array{sigma}, sums, options);
    missing = visit([&](Index n, Index y, Index x) {
      const T weight = sums.view().at(n, colours, y, x);
      if (!(weight > 0)) return;
      for (Index c = 0; c < colours; ++c) {
        image.at(n, c, y, x) = sums.view().at(n, c, y, x) / weight;
      }
      known.view().at(n, 0, y, x) = 1;
    });
  }
}

template <class T>
void lower_around_unknown(const View<const T>& sharp, const View<const T>& blurred,
                          const EstimateOptions& options, const View<T>& mask) {
  // A share of 1 / kSteep from unknown pixels divides the weight by e.
  constexpr double kSteep = 50;
  EstimateOptions whole;
  whole.model = BlurModel::uniform;
  whole.blur = options.blur;
  whole.max_sigma = options.max_sigma;
  const double sigma = static_cast<double>(*estimate<T>(sharp, blurred, whole, mask).field.data());
  Image<T> known(mask);
  std::transform(known.data(), known.data() + known.elements(), known.data(),
                 [](T m) { return m > 0 ? T{1} : T{0}; });
  BlurOptions nearest = options.blur;
  nearest.extension.mode = Mode::nearest;
  Image<T> share(known.shape());
  uniform_blur<T>(known, std::array{sigma}, share, nearest);
  const T most = *std::max_element(share.data(), share.data() + share.elements());
  transform<T>(share, 1, [&](double v) { return std::pow(v / static_cast<double>(most), kSteep); });
  const View<const T> factor = share;
  for (Index n = 0; n < mask.batch(); ++n) {
    for (Index y = 0; y < mask.height(); ++y) {
      for (Index x = 0; x < mask.width(); ++x) mask.at(n, 0, y, x) *= factor.at(n, 0, y, x);
    }
  }
}

#define BLURFIELD_INSTANTIATE(T)                                                      \
  template void fill_unknown(const View<T>&, const View<const T>&, const Execution&); \
  template void lower_around_unknown(const View<const T>&, const View<const T>&,      \
                                     const EstimateOptions&, const View<T>&);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::app
