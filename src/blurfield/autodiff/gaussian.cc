// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/autodiff/gaussian.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "blurfield/autodiff/operation.h"
#include "blurfield/autodiff/slice.h"
#include "blurfield/ops/covariance.h"
#include "blurfield/ops/gaussian_kernel.h"

namespace blurfield {
namespace {

using Taps = std::vector<double>;

// A kernel of a few parameters. `Family` has the shape of the kernel, its taps by the parameters,
// and the taps' slopes by each of them, in double.
template <class T, class Family>
struct Kernel {
  static constexpr const char* kName = Family::kName;
  static constexpr std::array<const char*, 1> kInputs{Family::kInput};
  Family family;

  Shape shape(const Inputs<T, 1>&) const { return family.shape(); }
  void forward(const Inputs<T, 1>& in, const View<T>& out) const {
    write(family.taps(parameters(in[0])), out);
  }
  void vjp(const Inputs<T, 1>& in, const View<const T>& cotangent,
           const Outputs<T, 1>& grad) const {
    const Taps along = parameters(cotangent);
    Taps result;
    for (const Taps& slope : family.slopes(parameters(in[0]))) {
      result.push_back(std::inner_product(slope.begin(), slope.end(), along.begin(), 0.0));
    }
    write(result, grad[0]);
  }
  void jvp(const Inputs<T, 1>& in, const Inputs<T, 1>& dot, const View<T>& out_dot) const {
    const Taps along = parameters(dot[0]);
    Taps result(static_cast<std::size_t>(out_dot.shape.elements()));
    const std::vector<Taps> slopes = family.slopes(parameters(in[0]));
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      for (std::size_t k = 0; k < result.size(); ++k) result[k] += along[i] * slopes[i][k];
    }
    write(result, out_dot);
  }
  Dependence dependence(std::size_t) const { return Dependence::nonlinear; }

 private:
  static Taps parameters(const View<const T>& view) {
    const Image<T> plain(view);
    return {plain.data(), plain.data() + plain.elements()};
  }
  static void write(const Taps& from, const View<T>& to) {
    std::ranges::transform(from, to.data, [](double v) { return static_cast<T>(v); });
  }
};

struct Kernel1d {
  static constexpr const char* kName = "gaussian_kernel1d";
  static constexpr const char* kInput = "sigma";
  int radius = 0;
  int order = 0;

  Shape shape() const { return {2 * Index{radius} + 1}; }
  Taps taps(const Taps& sigma) const { return gaussian_kernel1d(sigma[0], radius, order); }
  std::vector<Taps> slopes(const Taps& sigma) const {
    return {gaussian_kernel1d_dsigma(sigma[0], radius, order)};
  }
};

struct KernelLogchol {
  static constexpr const char* kName = "gaussian_kernel2d_logchol";
  static constexpr const char* kInput = "parameters";
  std::array<int, 2> radius{};

  Shape shape() const { return {2 * Index{radius[0]} + 1, 2 * Index{radius[1]} + 1}; }
  Taps taps(const Taps& p) const {
    return gaussian_kernel2d_logchol({p[0], p[1], p[2]}, radius).taps;
  }
  std::vector<Taps> slopes(const Taps& p) const {
    std::vector<Taps> all;
    for (Kernel2d& slope : gaussian_kernel2d_dlogchol({p[0], p[1], p[2]}, radius)) {
      all.push_back(std::move(slope.taps));
    }
    return all;
  }
};

template <class T>
struct LogcholToCov {
  static constexpr const char* kName = "logchol_to_cov";
  static constexpr std::array<const char*, 1> kInputs{"parameters"};

  Shape shape(const Inputs<T, 1>& in) const { return in[0].shape; }
  void forward(const Inputs<T, 1>& in, const View<T>& out) const { logchol_to_cov<T>(in[0], out); }
  void vjp(const Inputs<T, 1>& in, const View<const T>& cotangent,
           const Outputs<T, 1>& grad) const {
    logchol_to_cov_vjp<T>(in[0], cotangent, grad[0]);
  }
  void jvp(const Inputs<T, 1>& in, const Inputs<T, 1>& dot, const View<T>& out_dot) const {
    logchol_to_cov_jvp<T>(in[0], dot[0], out_dot);
  }
  Dependence dependence(std::size_t) const { return Dependence::nonlinear; }
};

template <class T>
struct CovToLogchol {
  static constexpr const char* kName = "cov_to_logchol";
  static constexpr std::array<const char*, 1> kInputs{"covariance"};

  Shape shape(const Inputs<T, 1>& in) const { return in[0].shape; }
  void forward(const Inputs<T, 1>& in, const View<T>& out) const { cov_to_logchol<T>(in[0], out); }
  void vjp(const Inputs<T, 1>& in, const View<const T>& cotangent,
           const Outputs<T, 1>& grad) const {
    cov_to_logchol_vjp<T>(in[0], cotangent, grad[0]);
  }
  void jvp(const Inputs<T, 1>& in, const Inputs<T, 1>& dot, const View<T>& out_dot) const {
    cov_to_logchol_jvp<T>(in[0], dot[0], out_dot);
  }
  Dependence dependence(std::size_t) const { return Dependence::nonlinear; }
};

template <class T>
void require_parameters(const char* operation, const Var<T>& a, Index count, bool positive) {
  require(a.shape().elements() == count, operation, "expected ", count, " parameters, got shape ",
          a.shape().text());
  const Image<T> plain(a.value());
  for (const T v : std::span(plain.data(), static_cast<std::size_t>(count))) {
    require(std::isfinite(v) && (v > 0 || !positive), operation, "expected ",
            positive ? "sigma > 0" : "finite parameters", ", got ", v);
  }
}

void require_radius(const char* operation, int radius, int order) {
  require(radius >= 0 && order >= 0, operation, "expected radius and order >= 0, got ", radius,
          " and ", order);
}

}  // namespace

template <class T>
Var<T> gaussian_kernel1d(const Var<T>& sigma, int radius, int order) {
  require_parameters(Kernel1d::kName, sigma, 1, true);
  require_radius(Kernel1d::kName, radius, order);
  return apply_operation(Kernel<T, Kernel1d>{{radius, order}}, std::array{sigma});
}

template <class T>
Var<T> gaussian_kernel2d(const Var<T>& sigmas, std::array<int, 2> radius_yx,
                         std::array<int, 2> order_yx) {
  const Index count = sigmas.shape().elements();
  require(count == 1 || count == 2, "gaussian_kernel2d", "expected 1 or 2 sigmas, got shape ",
          sigmas.shape().text());
  const Var<T> flat = reshape(sigmas, {count});
  const auto along = [&](std::size_t axis) {
    const Index i = count == 1 ? 0 : static_cast<Index>(axis);
    return gaussian_kernel1d(slice(flat, {i}, {i + 1}), radius_yx[axis], order_yx[axis]);
  };
  const Var<T> down = along(0);
  return reshape(down, {down.shape()[0], 1}) * along(1);  // (G3)
}

template <class T>
Var<T> gaussian_kernel2d_logchol(const Var<T>& logchol, std::array<int, 2> radius_yx) {
  require_parameters(KernelLogchol::kName, logchol, 3, false);
  for (const int radius : radius_yx) require_radius(KernelLogchol::kName, radius, 0);
  return apply_operation(Kernel<T, KernelLogchol>{{radius_yx}}, std::array{logchol});
}

template <class T>
Var<T> logchol_to_cov(const Var<T>& logchol) {
  return apply_operation(LogcholToCov<T>{}, std::array{logchol});
}

template <class T>
Var<T> cov_to_logchol(const Var<T>& cov) {
  return apply_operation(CovToLogchol<T>{}, std::array{cov});
}

#define BLURFIELD_INSTANTIATE(T)                                                            \
  template Var<T> gaussian_kernel1d(const Var<T>&, int, int);                               \
  template Var<T> gaussian_kernel2d(const Var<T>&, std::array<int, 2>, std::array<int, 2>); \
  template Var<T> gaussian_kernel2d_logchol(const Var<T>&, std::array<int, 2>);             \
  template Var<T> logchol_to_cov(const Var<T>&);                                            \
  template Var<T> cov_to_logchol(const Var<T>&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);

}  // namespace blurfield
