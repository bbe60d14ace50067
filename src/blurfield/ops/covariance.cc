// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/covariance.h"

#include <cmath>

#include "blurfield/ops/detail/check.h"

namespace blurfield {
namespace {

using Vector3 = std::array<double, 3>;

bool all_finite(const Vector3& v) {
  return std::isfinite(v[0]) && std::isfinite(v[1]) && std::isfinite(v[2]);
}

bool positive_definite(const Cov& cov) {
  return all_finite(cov) && cov[0] > 0 && cov[2] - cov[1] / cov[0] * cov[1] > 0;
}

Vector3 multiply(const Jacobian3& jacobian, const Vector3& v) {
  Vector3 out{};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) out[i] += jacobian[i][j] * v[j];
  }
  return out;
}

Vector3 multiply_transposed(const Jacobian3& jacobian, const Vector3& v) {
  Vector3 out{};
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) out[j] += jacobian[i][j] * v[i];
  }
  return out;
}

template <class T>
Vector3 pixel(const View<const T>& view, Index n, Index y, Index x) {
  return {static_cast<double>(view.at(n, 0, y, x)), static_cast<double>(view.at(n, 1, y, x)),
          static_cast<double>(view.at(n, 2, y, x))};
}

// Calls f(value, second) at every pixel and stores its result; `second` may be `first` itself.
template <class T, class F>
void for_each_pixel(const char* operation, const char* name, const View<const T>& first,
                    const View<const T>& second, const View<T>& out, bool (*valid)(const Vector3&),
                    const F& f) {
  require(first.rank() == 4 && first.channels() == 3, operation, "expected ", name,
          " shaped (N, 3, H, W), got ", first.shape.text());
  detail::check_same_shape(operation, "second input", second.shape, first.shape);
  detail::check_same_shape(operation, "output", out.shape, first.shape);
  for (Index n = 0; n < first.batch(); ++n) {
    for (Index y = 0; y < first.height(); ++y) {
      for (Index x = 0; x < first.width(); ++x) {
        const Vector3 value = pixel(first, n, y, x);
        require(valid(value), operation, "expected a ", name, " at (n, y, x) = (", n, ", ", y, ", ",
                x, "), got (", value[0], ", ", value[1], ", ", value[2], ")");
        const Vector3 result = f(value, pixel(second, n, y, x));
        for (int i = 0; i < 3; ++i) out.at(n, i, y, x) = static_cast<T>(result[i]);
      }
    }
  }
}

constexpr const char* kLogchol = "finite logchol";
constexpr const char* kCov = "positive definite cov";

}  // namespace

Cov logchol_to_cov(const Logchol& logchol) {  // (G4)
  const auto [a, b, c] = logchol;
  return {std::exp(2 * a), b * std::exp(a), b * b + std::exp(2 * c)};
}

Jacobian3 logchol_to_cov_jacobian(const Logchol& logchol) {
  const auto [a, b, c] = logchol;
  const double ea = std::exp(a);
  return {{{2 * ea * ea, 0, 0}, {b * ea, ea, 0}, {0, 2 * b, 2 * std::exp(2 * c)}}};
}

Logchol cov_to_logchol(const Cov& cov) {
  require(positive_definite(cov), "cov_to_logchol", "expected a positive definite cov, got (",
          cov[0], ", ", cov[1], ", ", cov[2], ")");
  const double b = cov[1] / std::sqrt(cov[0]);
  return {0.5 * std::log(cov[0]), b, 0.5 * std::log(cov[2] - cov[1] / cov[0] * cov[1])};
}

Jacobian3 cov_to_logchol_jacobian(const Cov& cov) {
  const double e_2c = std::exp(-2 * cov_to_logchol(cov)[2]);
  const double root = std::sqrt(cov[0]);
  const double slope = cov[1] / cov[0];
  return {{{0.5 / cov[0], 0, 0},
           {-0.5 * slope / root, 1 / root, 0},
           {0.5 * slope * slope * e_2c, -slope * e_2c, 0.5 * e_2c}}};
}

Logchol sigma_to_logchol(double sigma_y, double sigma_x) {
  require(std::isfinite(sigma_y) && std::isfinite(sigma_x) && sigma_y > 0 && sigma_x > 0,
          "sigma_to_logchol", "expected sigmas > 0, got (", sigma_y, ", ", sigma_x, ")");
  return {std::log(sigma_y), 0, std::log(sigma_x)};
}

std::array<double, 2> sigma_to_logchol_derivative(double sigma_y, double sigma_x) {
  return {1 / sigma_y, 1 / sigma_x};
}

std::array<double, 2> logchol_to_sigma(const Logchol& logchol) {
  return {std::exp(logchol[0]), std::hypot(logchol[1], std::exp(logchol[2]))};
}

std::array<std::array<double, 3>, 2> logchol_to_sigma_jacobian(const Logchol& logchol) {
  const auto [sigma_y, sigma_x] = logchol_to_sigma(logchol);
  const double ec = std::exp(logchol[2]);
  if (sigma_x == 0) return {{{sigma_y, 0, 0}, {0, 0, 0}}};  // b = 0 and e^c underflowed
  return {{{sigma_y, 0, 0}, {0, logchol[1] / sigma_x, ec * (ec / sigma_x)}}};
}

template <class T>
void logchol_to_cov(const View<const T>& logchol, const View<T>& cov) {
  for_each_pixel("logchol_to_cov", kLogchol, logchol, logchol, cov, all_finite,
                 [](const Vector3& v, const Vector3&) { return logchol_to_cov(v); });
}

template <class T>
void logchol_to_cov_vjp(const View<const T>& logchol, const View<const T>& cotangent,
                        const View<T>& grad) {
  for_each_pixel("logchol_to_cov_vjp", kLogchol, logchol, cotangent, grad, all_finite,
                 [](const Vector3& v, const Vector3& d) {
                   return multiply_transposed(logchol_to_cov_jacobian(v), d);
                 });
}

template <class T>
void logchol_to_cov_jvp(const View<const T>& logchol, const View<const T>& dot,
                        const View<T>& cov_dot) {
  for_each_pixel(
      "logchol_to_cov_jvp", kLogchol, logchol, dot, cov_dot, all_finite,
      [](const Vector3& v, const Vector3& d) { return multiply(logchol_to_cov_jacobian(v), d); });
}

template <class T>
void cov_to_logchol(const View<const T>& cov, const View<T>& logchol) {
  for_each_pixel("cov_to_logchol", kCov, cov, cov, logchol, positive_definite,
                 [](const Vector3& v, const Vector3&) { return cov_to_logchol(v); });
}

template <class T>
void cov_to_logchol_vjp(const View<const T>& cov, const View<const T>& cotangent,
                        const View<T>& grad) {
  for_each_pixel("cov_to_logchol_vjp", kCov, cov, cotangent, grad, positive_definite,
                 [](const Vector3& v, const Vector3& d) {
                   return multiply_transposed(cov_to_logchol_jacobian(v), d);
                 });
}

template <class T>
void cov_to_logchol_jvp(const View<const T>& cov, const View<const T>& dot,
                        const View<T>& logchol_dot) {
  for_each_pixel(
      "cov_to_logchol_jvp", kCov, cov, dot, logchol_dot, positive_definite,
      [](const Vector3& v, const Vector3& d) { return multiply(cov_to_logchol_jacobian(v), d); });
}

#define BLURFIELD_INSTANTIATE(T)                                                                \
  template void logchol_to_cov(const View<const T>&, const View<T>&);                           \
  template void logchol_to_cov_vjp(const View<const T>&, const View<const T>&, const View<T>&); \
  template void logchol_to_cov_jvp(const View<const T>&, const View<const T>&, const View<T>&); \
  template void cov_to_logchol(const View<const T>&, const View<T>&);                           \
  template void cov_to_logchol_vjp(const View<const T>&, const View<const T>&, const View<T>&); \
  template void cov_to_logchol_jvp(const View<const T>&, const View<const T>&, const View<T>&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
