// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/problem.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "blurfield/base/random.h"
#include "blurfield/learn/detail/residual_power.h"
#include "blurfield/learn/detail/small_symmetric.h"
#include "blurfield/ops/noise_level.h"
#include "blurfield/optim/conjugate_gradient.h"

namespace blurfield::detail {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

template <class T>
Problem<T>::Problem(const View<const T>& x, const View<const T>& y, const View<const T>& mask,
                    const EstimateOptions& options)
    : y_(y),
      mask_(mask),
      options_(options),
      threads_(options.blur.execution.threads),
      fit_(make_blur_fit<T>(x, options)),
      prior_(options.prior, fit_->local(), options.tv_scale, threads_),
      equations_(*fit_, threads_),
      multilevel_(fit_->local(), prior_.active(), threads_),
      weights_(y.shape),
      out_(y.shape),
      diagonal_(at(fit_->size())) {
  for (Index n = 0; n < y.batch(); ++n) {
    for (Index c = 0; c < y.channels(); ++c) {
      for (Index row = 0; row < y.height(); ++row) {
        T* to = weights_.view().row(n, c, row);
        for (Index col = 0; col < y.width(); ++col) {
          to[col] = mask.empty() ? T{1} : mask.at(mask.batch() == 1 ? 0 : n, 0, row, col);
          mask_total_ += static_cast<double>(to[col]);
        }
      }
    }
  }
}

template <class T>
void Problem<T>::set_noise(double noise) {
  const auto factor = static_cast<T>(noise_ * noise_ / (noise * noise));
  parallel_slices(weights_.elements(), threads_, [&](Index i, Index end) {
    for (; i < end; ++i) weights_.data()[i] *= factor;
  });
  noise_ = noise;
}

template <class T>
double Problem<T>::evaluate(std::span<const T> s, std::span<T> gradient) {
  fit_->predict(s, out_);
  const Index width = y_.width();
  const Index height = y_.height();
  std::vector<double> rows(at(out_.elements() / width));
  parallel_for(std::ssize(rows), {threads_, {}}, [&](Index row) {
    const Index plane = row / height;
    const T* y = y_.row(plane / y_.channels(), plane % y_.channels(), row % height);
    T* out = out_.data() + row * width;
    const T* weight = weights_.data() + row * width;
    double sum = 0.0;
    for (Index x = 0; x < width; ++x) {
      const T r = out[x] - y[x * y_.x_stride()];
      out[x] = weight[x] * r;
      sum += static_cast<double>(out[x]) * static_cast<double>(r);
    }
    rows[at(row)] = sum / 2;
  });
  const double value = std::accumulate(rows.begin(), rows.end(), 0.0);
  if (!gradient.empty()) fit_->pull(s, out_, gradient);
  return value + lambda_ * prior_.evaluate(s, lambda_, gradient);
}

template <class T>
double Problem<T>::loss(std::span<const T> s, double value) const {
  const double data = value - lambda_ * prior_.evaluate(s, 0.0, {});
  return std::max(0.0, 2 * data * noise_ * noise_ / std::max(mask_total_, 1e-300));
}

template <class T>
const Image<T>& Problem<T>::residual(std::span<const T> s) {
  fit_->predict(s, out_);
  const Index rows = y_.batch() * y_.channels() * y_.height();
  parallel_for(rows, {threads_, {}}, [&](Index i) {
    const Index plane = i / y_.height();
    const T* y = y_.row(plane / y_.channels(), plane % y_.channels(), i % y_.height());
    T* out = out_.data() + i * y_.width();
    for (Index x = 0; x < y_.width(); ++x) out[x] -= y[x * y_.x_stride()];
  });
  return out_;
}

template <class T>
double Problem<T>::robust_noise(std::span<const T> s) {
  return noise_level<T>(residual(s), mask_);
}

template <class T>
double Problem<T>::residual_noise(std::span<const T> s) {
  const Image<T> power = residual_power<T>(residual(s), weights_, options_);
  const Index plane = y_.height() * y_.width();
  const auto sum = [&](Index channel) {
    return parallel_sum(power.elements() / 3, threads_, [&](Index i, Index end) {
      double part = 0.0;
      for (; i < end; ++i) {
        part += static_cast<double>(power.data()[(i / plane * 3 + channel) * plane + i % plane]);
      }
      return part;
    });
  };
  const double weights = sum(2);
  return weights > 0 ? std::min(std::sqrt(sum(1) / weights), 1.5 * robust_noise(s)) : 0.0;
}

template <class T>
double Problem<T>::residual_size(std::span<const T> s) {
  return std::sqrt(loss(s, evaluate(s, {})));
}

template <class T>
double Problem<T>::mean_information(std::span<const T> s) {
  equations_.build(s, weights_);
  equations_.diagonal(diagonal_);
  double sum = 0.0;
  for (Index i = 0; i < fit_->local().elements(); ++i) sum += static_cast<double>(diagonal_[at(i)]);
  return sum / std::max(1.0, static_cast<double>(fit_->local().elements()));
}

template <class T>
const NormalEquations<T>& Problem<T>::equations(std::span<const T> s) {
  equations_.build(s, weights_);
  return equations_;
}

template <class T>
void Problem<T>::linearise(std::span<const T> s) {
  at_.assign(s.begin(), s.end());
  equations_.build(s, weights_);
  prior_.linearise(s);
  damping_ = -1.0;
}

template <class T>
void Problem<T>::multiply_data(std::span<const T> v, std::span<T> product) {
  if (fit_->gathers()) {
    equations_.multiply(v, product);
  } else {
    fit_->push(at_, v, out_);
    parallel_slices(out_.elements(), threads_, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) out_.data()[i] *= weights_.data()[i];
    });
    fit_->pull(at_, out_, product);
  }
}

template <class T>
void Problem<T>::multiply(std::span<const T> v, std::span<T> product) {
  multiply_data(v, product);
  prior_.add_product(lambda_, v, product);
}

template <class T>
double Problem<T>::effective_parameters(std::span<const T> s) {
  linearise(s);
  std::vector<T> signs(s.size());
  std::vector<T> right(s.size());
  std::vector<T> solution(s.size());
  Random random(1);
  for (T& sign : signs) sign = random.uniform() < 0.5 ? T{-1} : T{1};
  multiply_data(signs, right);
  ConjugateGradientOptions options;
  options.max_iterations = fit_->gathers() ? 100 : 20;  // a scatter's cost two blurs each
  options.tolerance = 1e-2;
  options.threads = threads_;
  const Curvature<T> b = curvature();
  conjugate_gradient<T>(
      b.multiply, std::span<const T>(right), std::span<T>(solution), options,
      [&](std::span<const T> v, std::span<T> product) { b.precondition(0.0, v, product); });
  double trace = 0.0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    trace += static_cast<double>(signs[i]) * static_cast<double>(solution[i]);
  }
  return trace;
}

template <class T>
Objective<T> Problem<T>::objective() {
  return {[this](std::span<const T> s, std::span<T> gradient) { return evaluate(s, gradient); },
          nullptr};
}

// What damping is measured in: the curvature's diagonal. A parameter that nothing tells about is
// damped like a thousandth of the average one.
template <class T>
void Problem<T>::scale(std::span<T> diagonal) const {
  equations_.diagonal(diagonal);
  prior_.add_diagonal(lambda_, diagonal);
  const double sum = parallel_sum(fit_->size(), threads_, [&](Index begin, Index end) {
    double part = 0.0;
    for (Index i = begin; i < end; ++i) part += static_cast<double>(diagonal[at(i)]);
    return part;
  });
  const auto least = static_cast<T>(sum > 0 ? 1e-3 * sum / static_cast<double>(fit_->size()) : 1.0);
  for (T& d : diagonal) d = std::max(d, least);
}

template <class T>
void Problem<T>::precondition(double damping, std::span<const T> v, std::span<T> product) {
  const Index globals = fit_->global();
  const auto locals = at(fit_->size() - globals);
  if (damping != damping_) {
    damping_ = damping;
    scale(diagonal_);
    for (T& d : diagonal_) d *= static_cast<T>(damping);
    multilevel_.set(equations_.blocks(), std::span<const T>(diagonal_).first(locals), prior_,
                    lambda_);
    global_inverse_.assign(at(globals * (globals + 1) / 2), 0.0);
    for (Index i = 0; i < globals; ++i) {
      for (Index j = 0; j <= i; ++j) {
        global_inverse_[at(packed(i, j))] = equations_.gram()[at(i * globals + j)];
      }
      global_inverse_[at(packed(i, i))] += static_cast<double>(diagonal_[locals + at(i)]);
    }
    if (globals > 0) invert_symmetric(globals, global_inverse_.data());
  }
  multilevel_.apply(v.first(locals), product.first(locals));
  for (Index i = 0; i < globals; ++i) {
    double sum = 0.0;
    for (Index j = 0; j < globals; ++j) {
      sum += global_inverse_[at(packed(i, j))] * static_cast<double>(v[locals + at(j)]);
    }
    product[locals + at(i)] = static_cast<T>(sum);
  }
}

template <class T>
Curvature<T> Problem<T>::curvature() {
  return {[this](std::span<const T> s) { linearise(s); },
          [this](std::span<const T> v, std::span<T> product) { multiply(v, product); },
          [this](std::span<T> diagonal) { scale(diagonal); },
          [this](double damping, std::span<const T> v, std::span<T> product) {
            precondition(damping, v, product);
          }};
}

template <class T>
bool Problem<T>::separable() const {
  return fit_->gathers() && !(prior_.active() && lambda_ > 0) && fit_->global() == 0;
}

template <class T>
void Problem<T>::evaluate_pixels(std::span<const T> s, std::span<double> values) {
  evaluate(s, {});
  const Index fields = fit_->local()[0];
  const Index plane = std::ssize(values) / fields;
  const Index planes = out_.elements() / plane / fields;  // that share a field
  parallel_slices(std::ssize(values), threads_, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index first = i / plane * planes * plane + i % plane;
      double sum = 0.0;
      for (Index q = first; q < first + planes * plane; q += plane) {
        // out_ holds M r
        const auto weight = static_cast<double>(weights_.data()[q]);
        if (weight > 0) sum += std::pow(static_cast<double>(out_.data()[q]), 2) / weight;
      }
      values[at(i)] = sum / 2;
    }
  });
}

template <class T>
BlockLayout Problem<T>::layout() const {
  const Shape& local = fit_->local();
  return {local[0], local[1], fit_->size() / (local[0] * local[1])};
}

template <class T>
void Problem<T>::solve_pixels(std::span<const T> damping, std::span<const T> gradient,
                              std::span<T> step) {
  const BlockLayout blocks = layout();
  const Index k = blocks.parameters;
  const Index triangle = k * (k + 1) / 2;
  parallel_slices(blocks.blocks(), threads_, [&](Index begin, Index end) {
    for (Index p = begin; p < end; ++p) {
      const T* from = equations_.blocks().data() + p / blocks.plane * triangle * blocks.plane +
                      p % blocks.plane;
      double block[6];
      double trace = 0.0;
      for (Index j = 0; j < triangle; ++j) block[j] = static_cast<double>(from[j * blocks.plane]);
      for (Index j = 0; j < k; ++j) trace += block[packed(j, j)];
      for (Index j = 0; j < k; ++j) {
        block[packed(j, j)] +=
            static_cast<double>(damping[blocks.at(p, j)]) * trace / static_cast<double>(k);
      }
      invert_symmetric(k, block);
      for (Index a = 0; a < k; ++a) {
        double sum = 0.0;
        for (Index b = 0; b < k; ++b) {
          sum -= block[packed(a, b)] * static_cast<double>(gradient[blocks.at(p, b)]);
        }
        step[blocks.at(p, a)] = static_cast<T>(sum);
      }
    }
  });
}

template <class T>
SeparableCurvature<T> Problem<T>::separable_curvature() {
  return {layout(),
          [this](std::span<const T> s, std::span<double> values) { evaluate_pixels(s, values); },
          [this](std::span<const T> s) { linearise(s); },
          [this](std::span<const T> damping, std::span<const T> gradient, std::span<T> step) {
            solve_pixels(damping, gradient, step);
          }};
}

template class Problem<float>;
template class Problem<double>;

}  // namespace blurfield::detail
