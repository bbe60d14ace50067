// SPDX-License-Identifier: BSD-3-Clause
#include "tests/reference/local_filter_reference.h"

namespace blurfield::test {
namespace {

// A pixel of the output, a tap of its kernel, and the pixel that the tap sees; from_y or from_x is
// -1 beyond the border of a constant extension.
struct Step {
  Index n, c, y, x;
  Index set, tap;
  Index from_y, from_x;
};

template <class Visit>
void for_each_tap(const Shape& image, Index sets, const LocalFilterOptions& options,
                  const Visit& visit) {
  const bool signal = image.rank() == 3;
  const Index height = signal ? 1 : image[2];
  const Index width = image[image.rank() - 1];
  const Index kh = signal ? 1 : options.window[0];
  const Index kw = options.window.back();
  for (Index n = 0; n < image[0]; ++n) {
    for (Index c = 0; c < image[1]; ++c) {
      for (Index y = 0; y < height; ++y) {
        for (Index x = 0; x < width; ++x) {
          for (Index i = 0; i < kh; ++i) {
            for (Index j = 0; j < kw; ++j) {
              visit(Step{n, c, y, x, sets == 1 ? 0 : n, i * kw + j,
                         extend(y + i - kh / 2, height, options.extension.mode),
                         extend(x + j - kw / 2, width, options.extension.mode)});
            }
          }
        }
      }
    }
  }
}

template <class T>
double pixel(const View<const T>& x, const Step& at, double cval) {
  return at.from_y < 0 || at.from_x < 0
             ? cval
             : static_cast<double>(x.at(at.n, at.c, at.from_y, at.from_x));
}

}  // namespace

template <class T>
Image<double> local_filter_reference(const View<const T>& x, const View<const T>& weights,
                                     const LocalFilterOptions& options) {
  Image<double> out(x.shape);
  const View<double> to = out;
  for_each_tap(x.shape, weights.batch(), options, [&](const Step& at) {
    to.at(at.n, at.c, at.y, at.x) += static_cast<double>(weights.at(at.set, at.tap, at.y, at.x)) *
                                     pixel(x, at, options.extension.cval);
  });
  return out;
}

template <class T>
LocalFilterGradients local_filter_gradients(const View<const T>& x, const View<const T>& weights,
                                            const View<const T>& cotangent,
                                            const LocalFilterOptions& options) {
  LocalFilterGradients grad{Image<double>(x.shape), Image<double>(weights.shape)};
  const View<double> grad_x = grad.x;
  const View<double> grad_weights = grad.weights;
  for_each_tap(x.shape, weights.batch(), options, [&](const Step& at) {
    const auto u = static_cast<double>(cotangent.at(at.n, at.c, at.y, at.x));
    grad_weights.at(at.set, at.tap, at.y, at.x) += u * pixel(x, at, options.extension.cval);
    if (at.from_y < 0 || at.from_x < 0) return;
    grad_x.at(at.n, at.c, at.from_y, at.from_x) +=
        u * static_cast<double>(weights.at(at.set, at.tap, at.y, at.x));
  });
  return grad;
}

#define BLURFIELD_INSTANTIATE(T)                                                            \
  template Image<double> local_filter_reference(const View<const T>&, const View<const T>&, \
                                                const LocalFilterOptions&);                 \
  template LocalFilterGradients local_filter_gradients(                                     \
      const View<const T>&, const View<const T>&, const View<const T>&, const LocalFilterOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::test
