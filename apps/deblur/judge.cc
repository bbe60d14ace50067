// SPDX-License-Identifier: BSD-3-Clause
#include "apps/deblur/judge.h"

#include <algorithm>
#include <cmath>

#include "apps/pixels.h"

namespace blurfield::app {
namespace {

double range_of(const View<const double>& reference) {
  const auto [low, high] =
      std::minmax_element(reference.data, reference.data + reference.shape.elements());
  if (*low >= 0 && *high <= 1) return 1;
  return *high > *low ? *high - *low : std::abs(*high);
}

}  // namespace

Judge::Judge(const DeblurRequest& request, const View<const double>& reference, bool clipped,
             double white)
    : request_(request),
      reference_(reference),
      clipped_(clipped),
      data_range_(white > 0 ? white : range_of(reference)) {}

template <class T>
Quality Judge::quality(const View<const T>& image, bool all) {
  const Stopwatch watch;
  Image<double> shown(image.shape);
  const View<double> to = shown;
  const Index rows = image.batch() * image.channels() * image.height();
  parallel_for(rows, {request_.common.threads, {}}, [&](Index i) {
    const Index y = i % image.height();
    const Index c = i / image.height() % image.channels();
    const Index n = i / image.height() / image.channels();
    for (Index x = 0; x < image.width(); ++x) {
      double v = static_cast<double>(image.at(n, c, y, x));
      if (request_.linear_light) v = srgb_encode(v);
      to.at(n, c, y, x) = clipped_ ? std::clamp(v, 0.0, 1.0) : v;
    }
  });
  const bool with_ssim = all || spent_ + last_ < since_birth_.seconds() / 3;
  const Quality found =
      measure_quality(shown, reference_, data_range_, {request_.common.threads, {}}, with_ssim);
  if (with_ssim) {
    last_ = watch.seconds();
    spent_ += last_;
  }
  return found;
}

template Quality Judge::quality(const View<const float>&, bool);
template Quality Judge::quality(const View<const double>&, bool);

}  // namespace blurfield::app
