// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur/encoding.h"

#include "apps/pixels.h"

namespace blurfield::app {
namespace {

// Random::normal takes two numbers.
void skip(Random& random, Index normals) {
  for (Index i = 0; i < 2 * normals; ++i) random.uniform();
}

}  // namespace

template <class T>
Encoding<T>::Encoding(const BlurRequest& request, const Shape& picture, bool alpha)
    : linear_(request.linear_light),
      alpha_(alpha),
      noise_(request.noise),
      colours_(picture[1] - (alpha ? 1 : 0)),
      plane_(picture[2] * picture[3]) {
  if (noise_ == 0) return;
  Random random(request.seed);
  for (Index c = 0; c < colours_; ++c) {
    channels_.push_back(random);
    if (c + 1 < colours_) skip(random, plane_);
  }
}

template <class T>
void Encoding<T>::decode(const View<T>& x) const {
  if (linear_) transform<T>(x, colours_, srgb_decode);
  if (alpha_) premultiply<T>(x);
}

template <class T>
double Encoding<T>::decode_cval(double cval) const {
  return linear_ ? srgb_decode(cval) : cval;
}

template <class T>
void Encoding<T>::encode(const View<T>& out) {
  if (alpha_) unpremultiply<T>(out);
  if (linear_) transform<T>(out, colours_, srgb_encode);
  if (noise_ > 0) add_noise(out);
}

template <class T>
void Encoding<T>::add_noise(const View<T>& out) {
  for (Index n = 0; n < out.batch(); ++n) {
    if (done_ == plane_) {
      done_ = 0;
      for (Random& random : channels_) skip(random, (colours_ - 1) * plane_);
    }
    View<T> page = out;
    page.data = out.row(n, 0, 0);
    page.shape[0] = 1;
    for (Index c = 0; c < colours_; ++c) {
      Random& random = channels_[static_cast<std::size_t>(c)];
      transform<T>(channels(page, c, 1), 1, [&](double v) { return v + noise_ * random.normal(); });
    }
    done_ += out.height() * out.width();
  }
}

template class Encoding<float>;
template class Encoding<double>;

}  // namespace blurfield::app
