// SPDX-License-Identifier: BSD-3-Clause
#include "tests/support/more_garbow_hillstrom.h"

#include <algorithm>
#include <memory>
#include <numbers>

#include "blurfield/base/error.h"

namespace blurfield::test {
namespace {

template <class Residuals>
LeastSquares problem(const std::string& name, const Values& start, std::size_t count,
                     const Values& minima, const Residuals& residuals) {
  return {name, start, count, minima, residuals, residuals, residuals};
}

Values repeated(const Values& block, std::size_t times) {
  Values result;
  for (std::size_t i = 0; i < times; ++i) result.insert(result.end(), block.begin(), block.end());
  return result;
}

template <class S>
S power(const S& x, int n) {
  S result = 1.0;
  for (int i = 0; i < n; ++i) result *= x;
  return result;
}

// Problems of two parameters.
void add_planar(std::vector<LeastSquares>& all) {
  all.push_back(problem("Rosenbrock", {-1.2, 1}, 2, {0}, [](const auto* x, auto* r) {
    r[0] = 10.0 * (x[1] - x[0] * x[0]);
    r[1] = 1.0 - x[0];
  }));
  all.push_back(
      problem("Freudenstein and Roth", {0.5, -2}, 2, {0, 48.98425368}, [](const auto* x, auto* r) {
        r[0] = x[0] - 13.0 + ((5.0 - x[1]) * x[1] - 2.0) * x[1];
        r[1] = x[0] - 29.0 + ((x[1] + 1.0) * x[1] - 14.0) * x[1];
      }));
  all.push_back(problem("Powell badly scaled", {0, 1}, 2, {0}, [](const auto* x, auto* r) {
    using std::exp;
    r[0] = 1e4 * x[0] * x[1] - 1.0;
    r[1] = exp(-x[0]) + exp(-x[1]) - 1.0001;
  }));
  all.push_back(problem("Brown badly scaled", {1, 1}, 3, {0}, [](const auto* x, auto* r) {
    r[0] = x[0] - 1e6;
    r[1] = x[1] - 2e-6;
    r[2] = x[0] * x[1] - 2.0;
  }));
  all.push_back(problem("Beale", {1, 1}, 3, {0}, [](const auto* x, auto* r) {
    constexpr double kY[] = {1.5, 2.25, 2.625};
    for (int i = 0; i < 3; ++i) r[i] = kY[i] - x[0] * (1.0 - power(x[1], i + 1));
  }));
  all.push_back(
      problem("Jennrich and Sampson", {0.3, 0.4}, 10, {124.362182}, [](const auto* x, auto* r) {
        using std::exp;
        for (int i = 1; i <= 10; ++i) {
          r[i - 1] = 2.0 + 2.0 * i - (exp(1.0 * i * x[0]) + exp(1.0 * i * x[1]));
        }
      }));
}

// Problems of three parameters.
void add_spatial(std::vector<LeastSquares>& all) {
  all.push_back(problem("helical valley", {-1, 0, 0}, 3, {0}, [](const auto* x, auto* r) {
    using std::atan2, std::sqrt;
    // theta runs from -1/4 to 3/4 of a turn: rotated by a quarter, the cut is atan2's own.
    const auto theta = 0.25 + atan2(-x[0], x[1]) / (2 * std::numbers::pi);
    r[0] = 10.0 * (x[2] - 10.0 * theta);
    r[1] = 10.0 * (sqrt(x[0] * x[0] + x[1] * x[1]) - 1.0);
    r[2] = x[2];
  }));
  all.push_back(problem("Bard", {1, 1, 1}, 15, {8.21487731e-3}, [](const auto* x, auto* r) {
    constexpr double kY[] = {0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39,
                             0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39};
    for (int i = 1; i <= 15; ++i) {
      const double v = 16 - i;
      const double w = std::min<double>(i, v);
      r[i - 1] = kY[i - 1] - (x[0] + 1.0 * i / (v * x[1] + w * x[2]));
    }
  }));
  all.push_back(problem("Gaussian", {0.4, 1, 0}, 15, {1.12793277e-8}, [](const auto* x, auto* r) {
    using std::exp;
    constexpr double kY[] = {0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989};
    for (int i = 0; i < 15; ++i) {
      const auto d = (7 - i) / 2.0 - x[2];
      r[i] = x[0] * exp(-x[1] * d * d / 2.0) - kY[std::min(i, 14 - i)];
    }
  }));
  all.push_back(problem("Box", {0, 10, 20}, 10, {0}, [](const auto* x, auto* r) {
    using std::exp;
    for (int i = 1; i <= 10; ++i) {
      const double t = 0.1 * i;
      r[i - 1] = exp(-t * x[0]) - exp(-t * x[1]) - x[2] * (std::exp(-t) - std::exp(-10 * t));
    }
  }));
}

// Problems of four to six parameters.
void add_small(std::vector<LeastSquares>& all) {
  const auto powell = [](const auto* x, auto* r) {
    const auto a = x[1] - 2.0 * x[2];
    const auto b = x[0] - x[3];
    r[0] = x[0] + 10.0 * x[1];
    r[1] = std::sqrt(5.0) * (x[2] - x[3]);
    r[2] = a * a;
    r[3] = std::sqrt(10.0) * b * b;
  };
  all.push_back(problem("Powell singular", {3, -1, 0, 1}, 4, {0}, powell));
  all.push_back(problem("extended Powell singular", repeated({3, -1, 0, 1}, 25), 100, {0},
                        [powell](const auto* x, auto* r) {
                          for (int i = 0; i < 100; i += 4) powell(x + i, r + i);
                        }));
  all.push_back(problem("Wood", {-3, -1, -3, -1}, 6, {0}, [](const auto* x, auto* r) {
    r[0] = 10.0 * (x[1] - x[0] * x[0]);
    r[1] = 1.0 - x[0];
    r[2] = std::sqrt(90.0) * (x[3] - x[2] * x[2]);
    r[3] = 1.0 - x[2];
    r[4] = std::sqrt(10.0) * (x[1] + x[3] - 2.0);
    r[5] = (x[1] - x[3]) / std::sqrt(10.0);
  }));
  all.push_back(problem("Kowalik and Osborne", {0.25, 0.39, 0.415, 0.39}, 11, {3.07505604e-4},
                        [](const auto* x, auto* r) {
                          constexpr double kY[] = {0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627,
                                                   0.0456, 0.0342, 0.0323, 0.0235, 0.0246};
                          constexpr double kU[] = {4,     2,   1,      0.5,    0.25,  0.167,
                                                   0.125, 0.1, 0.0833, 0.0714, 0.0625};
                          for (int i = 0; i < 11; ++i) {
                            const double u = kU[i];
                            r[i] = kY[i] - x[0] * (u * u + u * x[1]) / (u * u + u * x[2] + x[3]);
                          }
                        }));
  all.push_back(
      problem("Brown and Dennis", {25, 5, -5, -1}, 20, {85822.2016}, [](const auto* x, auto* r) {
        for (int i = 1; i <= 20; ++i) {
          const double t = i / 5.0;
          const auto a = x[0] + t * x[1] - std::exp(t);
          const auto b = x[2] + x[3] * std::sin(t) - std::cos(t);
          r[i - 1] = a * a + b * b;
        }
      }));
  all.push_back(
      problem("Biggs EXP6", {1, 2, 1, 1, 1, 1}, 13, {0, 5.65565e-3}, [](const auto* x, auto* r) {
        using std::exp;
        for (int i = 1; i <= 13; ++i) {
          const double t = 0.1 * i;
          const double y = std::exp(-t) - 5 * std::exp(-10 * t) + 3 * std::exp(-4 * t);
          r[i - 1] = x[2] * exp(-t * x[0]) - x[3] * exp(-t * x[1]) + x[5] * exp(-t * x[4]) - y;
        }
      }));
  all.push_back(problem("Watson", Values(6, 0.0), 31, {2.28767005e-3}, [](const auto* x, auto* r) {
    for (int i = 1; i <= 29; ++i) {
      const double t = i / 29.0;
      auto first = 0.0 * x[0];
      auto sum = x[0];
      for (int j = 1; j < 6; ++j) {
        first += j * std::pow(t, j - 1) * x[j];
        sum += std::pow(t, j) * x[j];
      }
      r[i - 1] = first - sum * sum - 1.0;
    }
    r[29] = x[0];
    r[30] = x[1] - x[0] * x[0] - 1.0;
  }));
}

// Problems of any dimension.
void add_large(std::vector<LeastSquares>& all) {
  all.push_back(
      problem("extended Rosenbrock", repeated({-1.2, 1}, 50), 100, {0}, [](const auto* x, auto* r) {
        for (int i = 0; i < 100; i += 2) {
          r[i] = 10.0 * (x[i + 1] - x[i] * x[i]);
          r[i + 1] = 1.0 - x[i];
        }
      }));
  all.push_back(problem("penalty I", {1, 2, 3, 4}, 5, {2.24997750e-5}, [](const auto* x, auto* r) {
    auto squares = 0.0 * x[0];
    for (int i = 0; i < 4; ++i) {
      r[i] = std::sqrt(1e-5) * (x[i] - 1.0);
      squares += x[i] * x[i];
    }
    r[4] = squares - 0.25;
  }));
  all.push_back(problem("variably dimensioned", {0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0},
                        12, {0}, [](const auto* x, auto* r) {
                          auto sum = 0.0 * x[0];
                          for (int i = 0; i < 10; ++i) {
                            r[i] = x[i] - 1.0;
                            sum += (i + 1.0) * r[i];
                          }
                          r[10] = sum;
                          r[11] = sum * sum;
                        }));
  all.push_back(
      problem("trigonometric", Values(10, 0.1), 10, {0, 2.79506e-5}, [](const auto* x, auto* r) {
        using std::cos, std::sin;
        auto sum = 0.0 * x[0];
        for (int i = 0; i < 10; ++i) sum += cos(x[i]);
        for (int i = 0; i < 10; ++i) {
          r[i] = 10.0 - sum + (i + 1.0) * (1.0 - cos(x[i])) - sin(x[i]);
        }
      }));
  Values curve(10);
  for (int i = 0; i < 10; ++i) curve[i] = (i + 1) / 11.0 * ((i + 1) / 11.0 - 1);
  all.push_back(problem("discrete boundary value", curve, 10, {0}, [](const auto* x, auto* r) {
    constexpr double kStep = 1.0 / 11;
    for (int i = 0; i < 10; ++i) {
      r[i] = 2.0 * x[i] + kStep * kStep / 2 * power(x[i] + (i + 1) * kStep + 1.0, 3);
      if (i > 0) r[i] += -x[i - 1];
      if (i < 9) r[i] += -x[i + 1];
    }
  }));
  all.push_back(
      problem("Broyden tridiagonal", Values(30, -1.0), 30, {0}, [](const auto* x, auto* r) {
        for (int i = 0; i < 30; ++i) {
          r[i] = (3.0 - 2.0 * x[i]) * x[i] + 1.0;
          if (i > 0) r[i] += -x[i - 1];
          if (i < 29) r[i] += -2.0 * x[i + 1];
        }
      }));
  all.push_back(problem("linear, full rank", Values(10, 1.0), 20, {10}, [](const auto* x, auto* r) {
    auto sum = 0.0 * x[0];
    for (int i = 0; i < 10; ++i) sum += x[i];
    for (int i = 0; i < 20; ++i) {
      r[i] = -0.1 * sum - 1.0;
      if (i < 10) r[i] += x[i];
    }
  }));
}

template <class T>
Values widened(std::span<const T> x) {
  return {x.begin(), x.end()};
}

template <class T>
void narrow(const Values& from, std::span<T> to) {
  std::transform(from.begin(), from.end(), to.begin(), [](double v) { return static_cast<T>(v); });
}

}  // namespace

double LeastSquares::value(const Values& x) const {
  Values r(residuals);
  evaluate(x.data(), r.data());
  double sum = 0.0;
  for (double v : r) sum += v * v;
  return sum;
}

Values LeastSquares::jacobian(const Values& x) const {
  const std::size_t n = x.size();
  Values result(residuals * n);
  std::vector<Dual<double>> at(x.begin(), x.end());
  std::vector<Dual<double>> r(residuals);
  for (std::size_t j = 0; j < n; ++j) {
    at[j].slope = 1.0;
    evaluate_first(at.data(), r.data());
    at[j].slope = 0.0;
    for (std::size_t i = 0; i < residuals; ++i) result[i * n + j] = r[i].slope;
  }
  return result;
}

double LeastSquares::value_and_gradient(const Values& x, Values& gradient) const {
  Values r(residuals);
  evaluate(x.data(), r.data());
  const Values j = jacobian(x);
  gradient.assign(x.size(), 0.0);
  double sum = 0.0;
  for (std::size_t i = 0; i < residuals; ++i) {
    sum += r[i] * r[i];
    for (std::size_t k = 0; k < x.size(); ++k) gradient[k] += 2 * r[i] * j[i * x.size() + k];
  }
  return sum;
}

Values LeastSquares::hessian_product(const Values& x, const Values& v) const {
  using Second = Dual<Dual<double>>;
  std::vector<Second> at(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) at[i] = Second({x[i], v[i]}, {0.0, 0.0});
  std::vector<Second> r(residuals);
  Values result(x.size());
  for (std::size_t k = 0; k < x.size(); ++k) {
    at[k].slope.value = 1.0;
    evaluate_second(at.data(), r.data());
    at[k].slope.value = 0.0;
    Second sum = 0.0;
    for (const Second& part : r) sum += part * part;
    result[k] = sum.slope.slope;
  }
  return result;
}

const std::vector<LeastSquares>& more_garbow_hillstrom() {
  static const std::vector<LeastSquares> problems = [] {
    std::vector<LeastSquares> all;
    add_planar(all);
    add_spatial(all);
    add_small(all);
    add_large(all);
    return all;
  }();
  return problems;
}

const LeastSquares& more_garbow_hillstrom(const std::string& name) {
  for (const LeastSquares& one : more_garbow_hillstrom()) {
    if (one.name == name) return one;
  }
  throw Error("more_garbow_hillstrom: no problem " + name);
}

template <class T>
Objective<T> objective_of(const LeastSquares& problem) {
  Objective<T> objective;
  objective.evaluate = [&problem](std::span<const T> x, std::span<T> gradient) {
    if (gradient.empty()) return problem.value(widened(x));
    Values wide;
    const double value = problem.value_and_gradient(widened(x), wide);
    narrow(wide, gradient);
    return value;
  };
  objective.hessian_product = [&problem](std::span<const T> x, std::span<const T> v,
                                         std::span<T> product) {
    narrow(problem.hessian_product(widened(x), widened(v)), product);
  };
  return objective;
}

template <class T>
Curvature<T> curvature_of(const LeastSquares& problem) {
  const auto jacobian = std::make_shared<Values>();
  const std::size_t n = problem.start.size();
  Curvature<T> curvature;
  curvature.linearise = [&problem, jacobian](std::span<const T> x) {
    *jacobian = problem.jacobian(widened(x));
  };
  curvature.multiply = [=](std::span<const T> v, std::span<T> product) {
    Values sums(n);
    for (std::size_t i = 0; i < jacobian->size(); i += n) {
      double along = 0.0;
      for (std::size_t k = 0; k < n; ++k) along += (*jacobian)[i + k] * v[k];
      for (std::size_t k = 0; k < n; ++k) sums[k] += 2 * along * (*jacobian)[i + k];
    }
    narrow(sums, product);
  };
  // The largest so far, as Moré (1978) scales.
  curvature.scale = [=, sums = Values(n, 1e-12)](std::span<T> diagonal) mutable {
    Values now(n);
    for (std::size_t i = 0; i < jacobian->size(); ++i) {
      now[i % n] += 2 * (*jacobian)[i] * (*jacobian)[i];
    }
    for (std::size_t k = 0; k < n; ++k) sums[k] = std::max(sums[k], now[k]);
    narrow(sums, diagonal);
  };
  return curvature;
}

template Objective<float> objective_of(const LeastSquares&);
template Objective<double> objective_of(const LeastSquares&);
template Curvature<float> curvature_of(const LeastSquares&);
template Curvature<double> curvature_of(const LeastSquares&);

}  // namespace blurfield::test
