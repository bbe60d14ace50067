// SPDX-License-Identifier: BSD-3-Clause
// Problems of any size to try optimisers on.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "blurfield/base/random.h"
#include "blurfield/optim/gauss_newton.h"

namespace blurfield::test {

template <class T>
struct Problem {
  Objective<T> objective;
  Curvature<T> curvature;
};

// The sum of f(x_i), given f, its derivative and its second derivative, all functions of a double.
// The second derivative is the curvature too.
template <class T>
Problem<T> separable(const std::function<double(double)>& f,
                     const std::function<double(double)>& slope,
                     const std::function<double(double)>& second) {
  Problem<T> problem;
  problem.objective.evaluate = [=](std::span<const T> x, std::span<T> gradient) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += f(x[i]);
      if (!gradient.empty()) gradient[i] = static_cast<T>(slope(x[i]));
    }
    return sum;
  };
  problem.objective.hessian_product = [=](std::span<const T> x, std::span<const T> v,
                                          std::span<T> product) {
    for (std::size_t i = 0; i < x.size(); ++i) product[i] = static_cast<T>(second(x[i]) * v[i]);
  };
  const auto diagonal = std::make_shared<std::vector<double>>();
  problem.curvature.linearise = [=](std::span<const T> x) {
    diagonal->clear();
    for (T value : x) diagonal->push_back(second(value));
  };
  problem.curvature.multiply = [=](std::span<const T> v, std::span<T> product) {
    for (std::size_t i = 0; i < v.size(); ++i) product[i] = static_cast<T>((*diagonal)[i] * v[i]);
  };
  return problem;
}

// Extended Rosenbrock of any even size, f = 0 at ones.
template <class T>
Problem<T> rosenbrock() {
  Problem<T> problem;
  problem.objective.evaluate = [](std::span<const T> x, std::span<T> gradient) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); i += 2) {
      const double a = x[i];
      const double steep = x[i + 1] - a * a;
      sum += 100 * steep * steep + (1 - a) * (1 - a);
      if (gradient.empty()) continue;
      gradient[i] = static_cast<T>(-400 * a * steep - 2 * (1 - a));
      gradient[i + 1] = static_cast<T>(200 * steep);
    }
    return sum;
  };
  problem.objective.hessian_product = [](std::span<const T> x, std::span<const T> v,
                                         std::span<T> product) {
    for (std::size_t i = 0; i < x.size(); i += 2) {
      const double a = x[i];
      product[i] = static_cast<T>((1200 * a * a - 400 * x[i + 1] + 2) * v[i] - 400 * a * v[i + 1]);
      product[i + 1] = static_cast<T>(-400 * a * v[i] + 200 * v[i + 1]);
    }
  };
  const auto at = std::make_shared<std::vector<T>>();
  problem.curvature.linearise = [=](std::span<const T> x) { at->assign(x.begin(), x.end()); };
  problem.curvature.multiply = [=](std::span<const T> v, std::span<T> product) {
    for (std::size_t i = 0; i < v.size(); i += 2) {
      const double a = (*at)[i];
      const double steep = 200 * (v[i + 1] - 2 * a * v[i]);
      product[i] = static_cast<T>(-2 * a * steep + 2 * v[i]);
      product[i + 1] = static_cast<T>(steep);
    }
  };
  return problem;
}

template <class T>
std::vector<T> rosenbrock_start(std::size_t size) {
  std::vector<T> x(size);
  for (std::size_t i = 0; i < size; ++i) x[i] = i % 2 == 0 ? T(-1.2) : T(1);
  return x;
}

// f = (x - minimum) . A (x - minimum) / 2 where A has eigenvalues from 1 to `condition`, evenly
// spaced in their logarithm, and no axis of coordinates as an eigenvector.
struct Quadratic {
  Quadratic(std::size_t size, double condition) : minimum(size), eigenvalues_(size), mirror_(size) {
    Random random(11);
    double square = 0.0;
    for (std::size_t i = 0; i < size; ++i) {
      minimum[i] = random.normal();
      mirror_[i] = random.normal();
      square += mirror_[i] * mirror_[i];
      eigenvalues_[i] =
          std::pow(condition, static_cast<double>(i) / (static_cast<double>(size) - 1));
    }
    for (double& m : mirror_) m *= std::sqrt(2 / square);
  }
  std::vector<double> multiply(std::span<const double> v) const {
    std::vector<double> result = mirrored({v.begin(), v.end()});
    for (std::size_t i = 0; i < v.size(); ++i) result[i] *= eigenvalues_[i];
    return mirrored(std::move(result));
  }
  Problem<double> problem() const {
    Problem<double> result;
    result.objective.evaluate = [this](std::span<const double> x, std::span<double> gradient) {
      std::vector<double> d(x.begin(), x.end());
      for (std::size_t i = 0; i < d.size(); ++i) d[i] -= minimum[i];
      const std::vector<double> g = multiply(d);
      if (!gradient.empty()) std::copy(g.begin(), g.end(), gradient.begin());
      double sum = 0.0;
      for (std::size_t i = 0; i < d.size(); ++i) sum += d[i] * g[i] / 2;
      return sum;
    };
    result.objective.hessian_product = [this](std::span<const double>, std::span<const double> v,
                                              std::span<double> product) {
      std::ranges::copy(multiply(v), product.begin());
    };
    result.curvature.multiply = [this](std::span<const double> v, std::span<double> product) {
      std::ranges::copy(multiply(v), product.begin());
    };
    return result;
  }

  std::vector<double> minimum;

 private:
  // (I - m m^T) v with |m|^2 = 2, a reflection.
  std::vector<double> mirrored(std::vector<double> v) const {
    double along = 0.0;
    for (std::size_t i = 0; i < v.size(); ++i) along += mirror_[i] * v[i];
    for (std::size_t i = 0; i < v.size(); ++i) v[i] -= along * mirror_[i];
    return v;
  }
  std::vector<double> eigenvalues_;
  std::vector<double> mirror_;
};

}  // namespace blurfield::test
