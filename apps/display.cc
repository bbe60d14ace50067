// SPDX-License-Identifier: BSD-3-Clause
#include "apps/display.h"

#include <algorithm>
#include <cmath>

#include "blurfield/ops/covariance.h"

namespace blurfield::app {

template <class T>
Image<float> displayed(const View<const T>& image, bool alpha, const report::Range& range) {
  constexpr double kBackground = 0.5;
  const Index colours = image.channels() - (alpha ? 1 : 0);
  Image<float> picture({1, colours >= 3 ? 3 : 1, image.height(), image.width()});
  const View<float> out = picture.view();
  const double span = range.high > range.low ? range.high - range.low : 1.0;
  for (Index c = 0; c < out.channels(); ++c) {
    for (Index y = 0; y < image.height(); ++y) {
      for (Index x = 0; x < image.width(); ++x) {
        const double value = (static_cast<double>(image.at(0, c, y, x)) - range.low) / span;
        const double cover =
            alpha ? static_cast<double>(image.at(0, colours, y, x)) / range.high : 1;
        const double shown = cover * value + (1 - cover) * kBackground;
        out.at(0, c, y, x) =
            std::isfinite(shown) ? static_cast<float>(std::clamp(shown, 0.0, 1.0)) : 0.5f;
      }
    }
  }
  return picture;
}

template <class T>
report::Range display_range(const View<const T>& image, bool is_float, double white) {
  if (!is_float) return {0.0, white};
  bool any = false;
  report::Range range;
  for (Index c = 0; c < image.channels(); ++c) {
    for (Index y = 0; y < image.height(); ++y) {
      for (Index x = 0; x < image.width(); ++x) {
        const auto v = static_cast<double>(image.at(0, c, y, x));
        if (!std::isfinite(v)) continue;
        range.low = any ? std::min(range.low, v) : v;
        range.high = any ? std::max(range.high, v) : v;
        any = true;
      }
    }
  }
  return range;
}

template <class T>
Image<float> drawn_field(const View<const T>& field) {
  if (field.empty()) return {};
  Image<T> values(field);
  if (field.channels() == 3) logchol_to_cov<T>(field, values);
  Image<float> drawn(field.shape);
  std::transform(values.data(), values.data() + values.elements(), drawn.data(),
                 [](T v) { return static_cast<float>(v); });
  return drawn;
}

template Image<float> displayed(const View<const float>&, bool, const report::Range&);
template Image<float> displayed(const View<const double>&, bool, const report::Range&);
template report::Range display_range(const View<const float>&, bool, double);
template report::Range display_range(const View<const double>&, bool, double);
template Image<float> drawn_field(const View<const float>&);
template Image<float> drawn_field(const View<const double>&);

}  // namespace blurfield::app
