// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/prior.h"

#include <array>
#include <cmath>
#include <limits>

#include "blurfield/base/check.h"
#include "blurfield/deblur/detail/penalty.h"
#include "blurfield/deblur/detail/row_sweep.h"
#include "blurfield/deblur/detail/spectral_penalty.h"

namespace blurfield {
namespace {

using detail::Charbonnier;
using detail::FirstDifferences;
using detail::Groups;
using detail::Huber;
using detail::NormPenalty;
using detail::SecondDifferences;
using detail::SpectralPenalty;

constexpr std::array<std::string_view, 8> kNames{"none", "tikhonov", "gradient", "norm",
                                                 "tv",   "huber-tv", "tv2",      "hessian"};
constexpr double kSecond = 0.4;  // of tv2

// The sum of a penalty over an image, and its derivatives.
template <class D, class T, class Penalty>
struct Sum {
  const Shape& shape;
  bool joint;
  int threads;
  Penalty penalty;

  Groups groups() const { return {shape[0], shape[1], joint}; }

  double value(const View<const T>& x) const {
    return detail::sweep_rows<D, T>(shape, joint, 0, threads,
                                    [&](Index group, Index y, T* rows, T* work) {
                                      detail::difference_rows<D>(x, groups(), group, y, rows);
                                      return penalty.value(rows, shape[3], work);
                                    },
                                    T{0}, {});
  }
  double add_gradient(const View<const T>& x, T factor, const View<T>& g) const {
    return detail::sweep_rows<D, T>(
        shape, joint, 0, threads,
        [&](Index group, Index y, T* rows, T* work) {
          detail::difference_rows<D>(x, groups(), group, y, rows);
          return penalty.gradient(rows, shape[3], work);
        },
        factor, g);
  }
  void add_product(const View<const T>& x, const View<const T>& v, T factor,
                   const View<T>& product) const {
    const Index spare = groups().width() * D::kComponents;
    detail::sweep_rows<D, T>(
        shape, joint, spare, threads,
        [&](Index group, Index y, T* rows, T* work) {
          T* at_x = work + 2 * shape[3];
          detail::difference_rows<D>(x, groups(), group, y, at_x);
          detail::difference_rows<D>(v, groups(), group, y, rows);
          penalty.product(at_x, rows, shape[3], work);
          return 0.0;
        },
        factor, product);
  }
};

// <D x, D v>
template <class T>
double difference_dot(const View<const T>& x, const View<const T>& v, int threads) {
  const Index width = x.shape[3];
  return detail::sum_rows(x.shape, threads, [&](Index n, Index c, Index y) {
    const Index below = std::min(y + 1, x.shape[2] - 1);  // at the border the row itself: D is 0
    const T* x_here = x.row(n, c, y);
    const T* x_next = x.row(n, c, below);
    const T* v_here = v.row(n, c, y);
    const T* v_next = v.row(n, c, below);
    const auto down = [&](Index i) { return (x_next[i] - x_here[i]) * (v_next[i] - v_here[i]); };
    const double sum = detail::pixel_sum<T>(width - 1, [&](Index i) {
      return down(i) + (x_here[i + 1] - x_here[i]) * (v_here[i + 1] - v_here[i]);
    });
    return sum + static_cast<double>(down(width - 1));
  });
}

// out += D^T D (a x + b v); v is not read where b is 0.
template <class T>
void add_laplacian(const View<const T>& x, double a, const View<T>& out, int threads,
                   const View<const T>& v = {}, double b = 0) {
  detail::sum_rows(x.shape, threads, [&](Index n, Index c, Index y) {
    const Index above = std::max<Index>(y - 1, 0);
    const Index below = std::min(y + 1, x.shape[2] - 1);
    const auto add = [&](const View<const T>& from, double factor) {
      detail::add_laplacian_row(from.row(n, c, above), from.row(n, c, y), from.row(n, c, below),
                                x.shape[3], static_cast<T>(factor), out.row(n, c, y));
    };
    add(x, a);
    if (b != 0) add(v, b);
    return 0.0;
  });
}

// out += factor x unless `out` is empty; returns <x, x>.
template <class T>
double add_scaled(const View<const T>& x, double factor, const View<T>& out, int threads) {
  return detail::sum_rows(x.shape, threads, [&](Index n, Index c, Index y) {
    const T* from = x.row(n, c, y);
    T* to = out.empty() ? nullptr : out.row(n, c, y);
    double sum = 0.0;
    for (Index i = 0; i < x.shape[3]; ++i) {
      sum += static_cast<double>(from[i]) * static_cast<double>(from[i]);
      if (to != nullptr) to[i] += static_cast<T>(factor) * from[i];
    }
    return sum;
  });
}

template <class T>
void check_scene(const View<const T>& x, const Shape& scene, const char* name) {
  detail::check_same_shape("prior", name, x.shape, scene);
  require(x.shape[3] == 1 || x.x_stride() == 1, "prior", "expected a ", name,
          " whose pixels lie side by side, got a stride of ", x.x_stride());
}

// The sum over the sums of differences that a prior is, of their factor times f of them.
template <class T, class F>
double with_sums(const Shape& scene, const PriorOptions& options, bool smoothed, int threads,
                 const F& f) {
  const Index channels = options.joint ? scene[1] : 1;
  const auto scale = static_cast<T>(options.scale);
  const T blunt = smoothed ? scale : T{0};
  const auto norm = [&]<class D>(D, auto function, double factor) {
    using Penalty = NormPenalty<T, decltype(function)>;
    const Penalty penalty{function, channels * D::kComponents};
    return factor * f(Sum<D, T, Penalty>{scene, options.joint, threads, penalty}, factor);
  };
  switch (options.kind) {
    case Prior::huber_tv:
      return norm(FirstDifferences{}, Huber<T>{scale}, 1.0);
    case Prior::tv2:
      return norm(FirstDifferences{}, Huber<T>{scale}, 1.0) +
             norm(SecondDifferences{}, Huber<T>{scale}, kSecond);
    case Prior::hessian:
      return f(Sum<SecondDifferences, T, SpectralPenalty<T>>{scene, false, threads, {blunt, 1}},
               1.0);
    default:
      return norm(FirstDifferences{}, Charbonnier<T>{blunt}, 1.0);
  }
}

}  // namespace

std::string_view prior_name(Prior prior) { return kNames[static_cast<std::size_t>(prior)]; }

std::optional<Prior> parse_image_prior(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Prior>(i);
  }
  return std::nullopt;
}

template <class T>
PriorTerm<T>::PriorTerm(const Shape& scene, const PriorOptions& options, int threads)
    : scene_(scene), options_(options), threads_(threads) {
  require(scene.rank() == 4 && scene.elements() > 0, "prior",
          "expected a scene (N, C, H, W) with pixels, got ", scene.text());
  require(options.scale > 0 && std::isfinite(options.scale), "prior", "expected a scale > 0, got ",
          options.scale);
}

template <class T>
double PriorTerm<T>::value(const View<const T>& x, bool smoothed) const {
  check_scene(x, scene_, "scene");
  switch (options_.kind) {
    case Prior::none:
      return 0.0;
    case Prior::tikhonov:
      return add_scaled<T>(x, 0.0, {}, threads_) / 2;
    case Prior::gradient:
      return difference_dot(x, x, threads_) / 2;
    case Prior::norm:
      return std::sqrt(difference_dot(x, x, threads_) / 2);
    default:
      return with_sums<T>(scene_, options_, smoothed, threads_,
                          [&](const auto& terms, double) { return terms.value(x); });
  }
}

template <class T>
double PriorTerm<T>::add_gradient(const View<const T>& x, double factor, const View<T>& g) const {
  check_scene(x, scene_, "scene");
  check_scene(View<const T>(g), scene_, "gradient");
  switch (options_.kind) {
    case Prior::none:
      return 0.0;
    case Prior::tikhonov:
      return add_scaled<T>(x, factor, g, threads_) / 2;
    case Prior::gradient:
      add_laplacian(x, factor, g, threads_);
      return value(x);
    case Prior::norm: {
      const double root = value(x);
      // At a flat scene the subgradient 0 stands.
      if (root > 0) add_laplacian(x, factor / (2 * root), g, threads_);
      return root;
    }
    default:
      return with_sums<T>(scene_, options_, true, threads_, [&](const auto& terms, double share) {
        return terms.add_gradient(x, static_cast<T>(factor * share), g);
      });
  }
}

template <class T>
void PriorTerm<T>::add_product(const View<const T>& x, const View<const T>& v, double factor,
                               const View<T>& product, std::optional<double> known) const {
  check_scene(x, scene_, "scene");
  check_scene(v, scene_, "direction");
  check_scene(View<const T>(product), scene_, "product");
  switch (options_.kind) {
    case Prior::none:
      return;
    case Prior::tikhonov:
      add_scaled<T>(v, factor, product, threads_);
      return;
    case Prior::gradient:
      add_laplacian(v, factor, product, threads_);
      return;
    case Prior::norm: {
      const double root = known ? *known : value(x);
      if (!(root > 0)) return;
      const double across = difference_dot(x, v, threads_) / (4 * root * root * root);
      add_laplacian(v, factor / (2 * root), product, threads_, x, -factor * across);
      return;
    }
    default:
      with_sums<T>(scene_, options_, true, threads_, [&](const auto& terms, double share) {
        terms.add_product(x, v, static_cast<T>(factor * share), product);
        return 0.0;
      });
  }
}

template <class T>
double PriorTerm<T>::curvature_bound() const {
  switch (options_.kind) {
    case Prior::none:
      return 0.0;
    case Prior::tikhonov:
      return 1.0;
    case Prior::gradient:
      return FirstDifferences::kSquaredNorm;
    case Prior::norm:
      return std::numeric_limits<double>::infinity();
    case Prior::tv2:
      return (FirstDifferences::kSquaredNorm + kSecond * SecondDifferences::kSquaredNorm) /
             options_.scale;
    case Prior::hessian:
      return SecondDifferences::kSquaredNorm / options_.scale;
    default:
      return FirstDifferences::kSquaredNorm / options_.scale;
  }
}

template class PriorTerm<float>;
template class PriorTerm<double>;

}  // namespace blurfield
