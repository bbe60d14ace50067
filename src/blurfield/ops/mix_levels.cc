// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/mix_levels.h"

#include <algorithm>
#include <cmath>

#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/progress_step.h"
#include "blurfield/ops/detail/tolerance/nodes.h"
#include "blurfield/ops/detail/uniform/operator.h"

namespace blurfield {
namespace {

using detail::progress_step;
using detail::UniformOperator;
using detail::UniformPart;

void check_range(const char* operation, double sigma_min, double sigma_max) {
  require(std::isfinite(sigma_max) && sigma_min > 0 && sigma_min <= sigma_max, operation,
          "expected 0 < sigma_min <= sigma_max, got ", sigma_min, " and ", sigma_max);
}

// c_k(ln sigma) along a row of the field, and its derivative by sigma.
struct WeightRow {
  std::vector<double> value;
  std::vector<double> slope;
};

// The checked inputs of a mix.
template <class T>
class Mixture {
 public:
  Mixture(const char* operation, const View<const T>& x, std::span<const double> sigmas,
          const View<const T>& sigma, const BlurOptions& options)
      : operation_(operation), x_(x), sigmas_(sigmas), sigma_(sigma), options_(options) {
    detail::check_shape(operation, "image", x.shape, x.data);
    require(sigmas.size() >= 2, operation, "expected at least two sigmas, got ", sigmas.size());
    for (std::size_t k = 0; k < sigmas.size(); ++k) {
      require(sigmas[k] > (k > 0 ? sigmas[k - 1] : 0.0) && std::isfinite(sigmas[k]), operation,
              "expected finite ascending sigmas > 0, got ", sigmas[k], " at place ", k);
      nodes_.push_back(std::log(sigmas[k]));
    }
    check_field("sigma", sigma);
    logs_ = Image<double>(sigma.shape);
    for_field_rows([&](Index n, Index y) {
      for (Index i = 0; i < sigma.width(); ++i) {
        const T s = sigma.at(n, 0, y, i);
        require(s > 0, operation, "expected sigma > 0, got ", s, " at ",
                detail::pixel_text(sigma.shape, n, 0, y, i));
        logs_.view().at(n, 0, y, i) = std::log(static_cast<double>(s));
      }
    });
  }

  // A field, or a direction of one: (N | 1, 1, H, W).
  void check_field(const char* name, const View<const T>& field) const {
    detail::check_shape(operation_, name, field.shape, field.data);
    Shape expected = x_.shape;
    expected[1] = 1;
    if (field.shape[0] == 1) expected[0] = 1;
    detail::check_same_shape(operation_, name, field.shape, expected);
    detail::check_finite(operation_, name, field, options_.execution);
  }

  std::size_t levels() const { return sigmas_.size(); }

  // out = part of blur k (from), or +=, as step i of `steps`.
  void blur(std::size_t k, const UniformPart& part, const View<const T>& from, bool add,
            const View<T>& out, std::size_t i, std::size_t steps) const {
    const UniformOperator<T> blur(operation_, x_.shape, sigmas_.subspan(k, 1), options_);
    blur.apply(part, from, add, out, progress_step(options_.execution, i, steps));
  }

  // f(n of the field, y) for all rows of the field, in parallel.
  template <class F>
  void for_field_rows(const F& f) const {
    parallel_for(sigma_.batch() * sigma_.height(), {options_.execution.threads, {}},
                 [&](Index row) { f(row / sigma_.height(), row % sigma_.height()); });
  }
  // f(n of the image, n of the field, y, weights of level k) for all rows, those that share a row
  // of the field one after another.
  template <class F>
  void for_rows(std::size_t k, const F& f) const {
    for_field_rows([&](Index field_n, Index y) {
      const WeightRow weights = weight_row(k, field_n, y);
      const bool shared = sigma_.batch() == 1;
      for (Index n = shared ? 0 : field_n; n < (shared ? x_.batch() : field_n + 1); ++n) {
        for (Index c = 0; c < x_.channels(); ++c) f(n, c, field_n, y, weights);
      }
    });
  }

 private:
  // The Lagrange polynomial and its derivative, one factor after the other.
  WeightRow weight_row(std::size_t k, Index n, Index y) const {
    const auto width = static_cast<std::size_t>(sigma_.width());
    const double* t = logs_.view().row(n, 0, y);
    WeightRow row{std::vector<double>(width, 1.0), std::vector<double>(width, 0.0)};
    for (std::size_t j = 0; j < nodes_.size(); ++j) {
      if (j == k) continue;
      const double node = nodes_[j];
      const double scale = 1.0 / (nodes_[k] - node);
      for (std::size_t i = 0; i < width; ++i) {
        row.slope[i] = (row.slope[i] * (t[i] - node) + row.value[i]) * scale;
        row.value[i] *= (t[i] - node) * scale;
      }
    }
    for (std::size_t i = 0; i < width; ++i) row.slope[i] *= std::exp(-t[i]);
    return row;
  }

  const char* operation_;
  View<const T> x_;
  std::span<const double> sigmas_;
  View<const T> sigma_;
  const BlurOptions& options_;
  std::vector<double> nodes_;
  Image<double> logs_;  // of the field
};

}  // namespace

double mix_level_error(double sigma_min, double sigma_max, int count) {
  check_range("mix_level_error", sigma_min, sigma_max);
  require(count >= 2, "mix_level_error", "expected at least two levels, got ", count);
  return detail::interpolation_error(std::log(sigma_max / sigma_min), count, sigma_min);
}

std::vector<double> mix_level_sigmas(double sigma_min, double sigma_max, int count) {
  constexpr const char* kName = "mix_level_sigmas";
  check_range(kName, sigma_min, sigma_max);
  require(count >= 2, kName, "expected at least two levels, got ", count);
  require(sigma_min < sigma_max, kName, "expected sigma_min < sigma_max, got ", sigma_min,
          " twice");
  auto sigmas = detail::chebyshev_nodes(std::log(sigma_min), std::log(sigma_max), count);
  for (double& s : sigmas) s = std::exp(s);
  return sigmas;
}

std::vector<double> mix_level_sigmas(double sigma_min, double sigma_max, double tolerance) {
  constexpr const char* kName = "mix_level_sigmas";
  check_range(kName, sigma_min, sigma_max);
  require(tolerance > 0 && tolerance < 1, kName, "expected a tolerance within 0..1, got ",
          tolerance);
  const double log_ratio = std::log(sigma_max / sigma_min);
  return mix_level_sigmas(sigma_min, sigma_max,
                          detail::nodes_needed(log_ratio, tolerance, sigma_min));
}

template <class T>
void mix_levels(const View<const T>& x, std::span<const double> sigmas, const View<const T>& sigma,
                const View<T>& out, const BlurOptions& options) {
  constexpr const char* kName = "mix_levels";
  const Mixture<T> mixture(kName, x, sigmas, sigma, options);
  detail::check_same_shape(kName, "output", out.shape, x.shape);
  detail::check_finite(kName, "image", x, options.execution);
  Image<T> blurred(x.shape);
  const View<const T> from = blurred;
  for (std::size_t k = 0; k < mixture.levels(); ++k) {
    mixture.blur(k, {}, x, false, blurred, k, mixture.levels());
    mixture.for_rows(k, [&](Index n, Index c, Index, Index y, const WeightRow& weights) {
      for (Index i = 0; i < x.width(); ++i) {
        const T part =
            static_cast<T>(weights.value[static_cast<std::size_t>(i)]) * from.at(n, c, y, i);
        T& to = out.at(n, c, y, i);
        to = k > 0 ? to + part : part;
      }
    });
  }
}

template <class T>
void mix_levels_vjp(const View<const T>& x, std::span<const double> sigmas,
                    const View<const T>& sigma, const View<const T>& cotangent,
                    const View<T>& grad_x, const View<T>& grad_sigma, const BlurOptions& options) {
  constexpr const char* kName = "mix_levels_vjp";
  const Mixture<T> mixture(kName, x, sigmas, sigma, options);
  detail::check_finite(kName, "image", x, options.execution);
  detail::check_same_shape(kName, "cotangent", cotangent.shape, x.shape);
  detail::check_image(kName, cotangent, "cotangent");
  if (!grad_x.empty()) detail::check_same_shape(kName, "grad_x", grad_x.shape, x.shape);
  if (!grad_sigma.empty()) {
    detail::check_same_shape(kName, "grad_sigma", grad_sigma.shape, sigma.shape);
  }
  Image<T> part(x.shape);
  Image<double> sums(grad_sigma.empty() ? Shape{} : sigma.shape);
  const std::size_t steps =
      mixture.levels() * ((grad_x.empty() ? 0 : 1) + (grad_sigma.empty() ? 0 : 1));
  std::size_t done = 0;
  for (std::size_t k = 0; k < mixture.levels(); ++k) {
    const View<T> to = part;
    if (!grad_x.empty()) {
      mixture.for_rows(k, [&](Index n, Index c, Index, Index y, const WeightRow& weights) {
        for (Index i = 0; i < x.width(); ++i) {
          to.at(n, c, y, i) =
              static_cast<T>(weights.value[static_cast<std::size_t>(i)]) * cotangent.at(n, c, y, i);
        }
      });
      mixture.blur(k, {UniformPart::transpose}, part, k > 0, grad_x, done++, steps);
    }
    if (grad_sigma.empty()) continue;
    mixture.blur(k, {}, x, false, part, done++, steps);
    mixture.for_rows(k, [&](Index n, Index c, Index field_n, Index y, const WeightRow& weights) {
      double* sum = sums.view().row(field_n, 0, y);
      for (Index i = 0; i < x.width(); ++i) {
        sum[i] += weights.slope[static_cast<std::size_t>(i)] *
                  static_cast<double>(to.at(n, c, y, i)) *
                  static_cast<double>(cotangent.at(n, c, y, i));
      }
    });
  }
  if (grad_sigma.empty()) return;
  mixture.for_field_rows([&](Index n, Index y) {
    const double* sum = sums.view().row(n, 0, y);
    for (Index i = 0; i < x.width(); ++i) grad_sigma.at(n, 0, y, i) = static_cast<T>(sum[i]);
  });
}

template <class T>
void mix_levels_jvp(const View<const T>& x, std::span<const double> sigmas,
                    const View<const T>& sigma, const View<const T>& x_dot,
                    const View<const T>& sigma_dot, const View<T>& out_dot,
                    const BlurOptions& options) {
  constexpr const char* kName = "mix_levels_jvp";
  const Mixture<T> mixture(kName, x, sigmas, sigma, options);
  detail::check_finite(kName, "image", x, options.execution);
  detail::check_same_shape(kName, "output", out_dot.shape, x.shape);
  if (!x_dot.empty()) {
    detail::check_same_shape(kName, "x_dot", x_dot.shape, x.shape);
    detail::check_image(kName, x_dot, "x_dot");
  }
  if (!sigma_dot.empty()) mixture.check_field("sigma_dot", sigma_dot);
  copy<T>(Image<T>(x.shape), out_dot);
  Image<T> blurred(x.shape);
  const View<const T> from = blurred;
  const std::size_t steps =
      mixture.levels() * ((x_dot.empty() ? 0 : 1) + (sigma_dot.empty() ? 0 : 1));
  std::size_t done = 0;
  for (std::size_t k = 0; k < mixture.levels(); ++k) {
    if (!x_dot.empty()) {
      mixture.blur(k, {UniformPart::linear}, x_dot, false, blurred, done++, steps);
      mixture.for_rows(k, [&](Index n, Index c, Index, Index y, const WeightRow& weights) {
        for (Index i = 0; i < x.width(); ++i) {
          out_dot.at(n, c, y, i) +=
              static_cast<T>(weights.value[static_cast<std::size_t>(i)]) * from.at(n, c, y, i);
        }
      });
    }
    if (sigma_dot.empty()) continue;
    mixture.blur(k, {}, x, false, blurred, done++, steps);
    mixture.for_rows(k, [&](Index n, Index c, Index m, Index y, const WeightRow& weights) {
      for (Index i = 0; i < x.width(); ++i) {
        out_dot.at(n, c, y, i) += static_cast<T>(weights.slope[static_cast<std::size_t>(i)]) *
                                  sigma_dot.at(m, 0, y, i) * from.at(n, c, y, i);
      }
    });
  }
}

#define BLURFIELD_INSTANTIATE(T)                                                                 \
  template void mix_levels(const View<const T>&, std::span<const double>, const View<const T>&,  \
                           const View<T>&, const BlurOptions&);                                  \
  template void mix_levels_vjp(const View<const T>&, std::span<const double>,                    \
                               const View<const T>&, const View<const T>&, const View<T>&,       \
                               const View<T>&, const BlurOptions&);                              \
  template void mix_levels_jvp(const View<const T>&, std::span<const double>,                    \
                               const View<const T>&, const View<const T>&, const View<const T>&, \
                               const View<T>&, const BlurOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
