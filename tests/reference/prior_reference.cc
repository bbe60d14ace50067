// SPDX-License-Identifier: BSD-3-Clause
#include "tests/reference/prior_reference.h"

#include <cmath>

namespace blurfield::test {
namespace {

struct Pixel {
  const Image<double>& image;
  Index n, c, y, x;
  double at(Index dy, Index dx) const { return image.view().at(n, c, y + dy, x + dx); }
  bool below() const { return y + 1 < image.shape()[2]; }
  bool right() const { return x + 1 < image.shape()[3]; }

  double dy() const { return below() ? at(1, 0) - at(0, 0) : 0; }
  double dx() const { return right() ? at(0, 1) - at(0, 0) : 0; }
  double dyy() const { return y > 0 && below() ? at(1, 0) - 2 * at(0, 0) + at(-1, 0) : 0; }
  double dxx() const { return x > 0 && right() ? at(0, 1) - 2 * at(0, 0) + at(0, -1) : 0; }
  double dyx() const { return below() && right() ? at(1, 1) - at(1, 0) - at(0, 1) + at(0, 0) : 0; }
  double first_square() const { return dy() * dy() + dx() * dx(); }
  double second_square() const { return dyy() * dyy() + 2 * dyx() * dyx() + dxx() * dxx(); }
};

double huber(double t, double scale) { return t <= scale ? t * t / (2 * scale) : t - scale / 2; }

double smooth(double t, double scale) { return std::sqrt(t * t + scale * scale) - scale; }

// f of the squares summed over the channels, of each pixel's if not joint.
template <class Square, class F>
double sum_over_pixels(const Image<double>& x, bool joint, const Square& square, const F& f) {
  const Shape& s = x.shape();
  double sum = 0.0;
  for (Index n = 0; n < s[0]; ++n) {
    for (Index i = 0; i < s[2] * s[3]; ++i) {
      double together = 0.0;
      for (Index c = 0; c < s[1]; ++c) {
        const double here = square(Pixel{x, n, c, i / s[3], i % s[3]});
        together += here;
        if (!joint) sum += f(here);
      }
      if (joint) sum += f(together);
    }
  }
  return sum;
}

double absolute_eigenvalues(const Pixel& p, double scale) {
  const double trace = p.dyy() + p.dxx();
  const double determinant = p.dyy() * p.dxx() - p.dyx() * p.dyx();
  const double root = std::sqrt(std::max(trace * trace - 4 * determinant, 0.0));
  return smooth((trace + root) / 2, scale) + smooth((trace - root) / 2, scale);
}

}  // namespace

double prior_reference(const Image<double>& x, const PriorOptions& options, bool smoothed) {
  const double blunt = smoothed ? options.scale : 0.0;
  const auto sum = [&](auto square, auto f) {
    return sum_over_pixels(x, options.joint, square, f);
  };
  const auto first = [](const Pixel& p) { return p.first_square(); };
  const auto second = [](const Pixel& p) { return p.second_square(); };
  const auto half = [](double square) { return square / 2; };
  const auto bent = [&](double square) { return huber(std::sqrt(square), options.scale); };
  switch (options.kind) {
    case Prior::none:
      return 0.0;
    case Prior::tikhonov:
      return sum([](const Pixel& p) { return p.at(0, 0) * p.at(0, 0); }, half);
    case Prior::gradient:
      return sum(first, half);
    case Prior::norm:
      return std::sqrt(sum(first, half));
    case Prior::tv:
      return sum(first, [&](double square) { return smooth(std::sqrt(square), blunt); });
    case Prior::huber_tv:
      return sum(first, bent);
    case Prior::tv2:
      return sum(first, bent) + 0.4 * sum(second, bent);
    case Prior::hessian:
      return sum_over_pixels(
          x, false, [&](const Pixel& p) { return absolute_eigenvalues(p, blunt); },
          [](double value) { return value; });
  }
  return NAN;
}

}  // namespace blurfield::test
