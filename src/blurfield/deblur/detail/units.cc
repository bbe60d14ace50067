// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/detail/units.h"

#include <cmath>

namespace blurfield::detail {
namespace {

// Beyond these a first step of one unit along the gradient is lost in rounding, or squares are.
constexpr double kDim = 1e-2;
constexpr double kBright = 1e2;

// p of P(c x) = c^p P(x)
int degree(Prior prior) {
  switch (prior) {
    case Prior::none:
      return 0;
    case Prior::tikhonov:
    case Prior::gradient:
      return 2;
    default:
      return 1;
  }
}

}  // namespace

template <class T>
Units<T>::Units(double largest, const DeblurOptions<T>& options) : options_(options) {
  if (largest == 0 || (largest >= kDim && largest <= kBright)) return;
  unit_ = std::exp2(std::floor(std::log2(largest)));
  // All fidelities but norm, of degree 1, are of degree 0.
  if (options.fidelity.kind == Fidelity::norm) value_ = unit_;
  lambda_ = std::pow(unit_, degree(options.prior.kind)) / value_;
}

template <class T>
DeblurOptions<T> Units<T>::options() const {
  DeblurOptions<T> here = options_;
  if (!differ()) return here;
  for (auto member : {&DeblurSettings::noise, &DeblurSettings::prior_scale, &DeblurSettings::lower,
                      &DeblurSettings::upper}) {
    if (here.*member) *(here.*member) /= unit_;
  }
  if (here.lambda) *here.lambda *= lambda_;
  here.fidelity.noise /= unit_;
  here.fidelity.gain /= unit_;
  here.fidelity.offset /= unit_;
  here.fidelity.background /= unit_;
  if (!options_.callback) return here;
  here.callback = [this](const DeblurStep<T>& step) {
    Image<T> image(step.image);
    scale(image, unit_);
    DeblurStep<T> before = step;
    leave(before);
    before.image = image;
    return options_.callback(before);
  };
  return here;
}

template <class T>
void Units<T>::leave(Deblurred<T>& result) const {
  scale(result.image, unit_);
  result.lambda = lambda(result.lambda);
  result.prior_scale *= unit_;
  result.result.value *= value_;
  result.result.gradient_norm *= value_ / unit_;
  for (DeblurStep<T>& step : result.trace) leave(step);
}

template <class T>
void Units<T>::leave(DeblurStep<T>& step) const {
  step.value *= value_;
  step.lambda = lambda(step.lambda);
}

template <class T>
void Units<T>::scale(Image<T>& image, double factor) {
  if (factor == 1) return;
  for (Index i = 0; i < image.elements(); ++i) {
    image.data()[i] = static_cast<T>(factor * static_cast<double>(image.data()[i]));
  }
}

template class Units<float>;
template class Units<double>;

}  // namespace blurfield::detail
