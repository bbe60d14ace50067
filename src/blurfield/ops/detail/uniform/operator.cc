// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/uniform/operator.h"

#include <array>
#include <numeric>
#include <utility>

#include "blurfield/base/image.h"
#include "blurfield/ops/detail/progress_step.h"

namespace blurfield::detail {
namespace {

using Kind = UniformPart::Kind;

// Whether an array can be seen as images (N, C, H, W) packed along x; signals are rows of one.
template <class T>
bool is_regular(const View<T>& v) {
  const bool signals = v.spatial_rank() == 1 && v.batch() > 1 && v.channels() > 1;
  return v.x_stride() == 1 && (!signals || v.stride[0] == v.stride[1] * v.channels());
}
template <class T>
View<T> as_images(const View<T>& v) {
  if (v.spatial_rank() == 2) return v;
  const Index rows = v.batch() * v.channels();
  const Index stride = v.channels() > 1 ? v.stride[1] : v.stride[0];
  return {v.data, {1, 1, rows, v.width()}, {rows * stride, rows * stride, stride, 1}};
}
Shape as_images(const Shape& s) { return s.rank() == 4 ? s : Shape{1, 1, s[0] * s[1], s[2]}; }

// Eight sums at a time, in double.
template <class T>
double dot_rows(const T* a, const T* b, Index count) {
  std::array<double, 8> sums{};
  Index i = 0;
  for (; i + 8 <= count; i += 8) {
    for (Index k = 0; k < 8; ++k) {
      sums[static_cast<std::size_t>(k)] +=
          static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
    }
  }
  for (; i < count; ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// What the coarse kernel of a covariance may lack of its norm: derivatives in double are exact.
template <class T>
double split_share(double tolerance) {
  return sizeof(T) == 4 ? 0.05 * tolerance : 1e-14;
}

}  // namespace

template <class T>
UniformOperator<T>::UniformOperator(const char* operation, const Shape& shape,
                                    std::span<const double> gaussian, const BlurOptions& options)
    : shape_(shape),
      gaussian_(operation, shape, gaussian, options),
      plan_(plan_uniform<T>(operation, as_images(shape), gaussian_, options)),
      tolerance_(options.tolerance) {}

template <class T>
TermSum UniformOperator<T>::terms(const UniformPart& part) const {
  TermSum sum = part.kind == Kind::slope ? gaussian_.slope<T>(part.parameter) : gaussian_.blur<T>();
  if (part.kind == Kind::linear) sum = linear_part(std::move(sum));
  if (part.kind == Kind::transpose) sum = adjoint(std::move(sum));
  return scaled(std::move(sum), part.factor);
}

template <class T>
std::vector<UniformProduct<T>> UniformOperator<T>::products(const UniformPart& part) const {
  const Extension& extension = gaussian_.extension();
  const bool with_cval = part.kind == Kind::blur || part.kind == Kind::slope;
  const auto rows = [&](std::size_t axis, bool derivative) {
    return axis_rows(plan_.axes[axis], extension.mode, plan_.ladder, derivative);
  };
  const auto product = [&](bool slope_y, bool slope_x) {
    return UniformProduct<T>(rows(0, slope_y), rows(1, slope_x), part.factor,
                             part.kind == Kind::transpose, with_cval ? extension.cval : 0.0);
  };
  std::vector<UniformProduct<T>> all;
  if (part.kind != Kind::slope) {
    all.push_back(product(false, false));
    return all;
  }
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const bool own = gaussian_.parameters().size() == 1 || part.parameter == axis;
    if (own && plan_.axes[axis].step > 0) all.push_back(product(axis == 0, axis == 1));
  }
  return all;
}

template <class T>
UniformCovariance<T> UniformOperator<T>::covariance(const UniformPart& part) const {
  Extension extension = gaussian_.extension();
  if (part.kind == Kind::linear || part.kind == Kind::transpose) extension.cval = 0.0;
  Cov along{};
  if (part.kind == Kind::slope) {
    const auto& p = gaussian_.parameters();
    const Jacobian3 jacobian = logchol_to_cov_jacobian(Logchol{p[0], p[1], p[2]});
    for (std::size_t i = 0; i < 3; ++i) along[i] = jacobian[i][part.parameter];
  }
  return {{shape_[2], shape_[3]},
          extension,
          plan_.ladder,
          *plan_.covariance,
          part.kind == Kind::slope ? &along : nullptr,
          part.factor,
          split_share<T>(tolerance_),
          part.kind == Kind::transpose};
}

template <class T>
bool UniformOperator<T>::apply_level(const UniformPart& part, const View<const T>& x, bool add,
                                     const View<T>& out, const Execution& execution) const {
  if (!is_regular(x)) return apply_level(part, Image<T>(x).view(), add, out, execution);
  if (!is_regular(out)) {
    Image<T> packed = add ? Image<T>(View<const T>(out)) : Image<T>(out.shape);
    const bool finite = apply_level(part, x, add, packed.view(), execution);
    copy<T>(packed, out);
    return finite;
  }
  if (plan_.covariance) return covariance(part).apply(x, add, out, execution);
  const auto all = products(part);
  if (all.empty() && !add) copy<T>(Image<T>(out.shape), out);
  bool finite = true;
  for (std::size_t i = 0; i < all.size(); ++i) {
    finite &= all[i].apply(as_images(x), add || i > 0, as_images(out),
                           progress_step(execution, i, all.size()));
  }
  return finite;
}

template <class T>
bool UniformOperator<T>::apply(const UniformPart& part, const View<const T>& x, bool add,
                               const View<T>& out, const Execution& execution) const {
  if (!plan_.exact) return apply_level(part, x, add, out, execution);
  TermSum sum = terms(part);
  sum.execution = execution;
  return apply_terms(sum, x, add, out);
}

template <class T>
double UniformOperator<T>::dot(const UniformPart& part, const View<const T>& cotangent,
                               const View<const T>& x, const Execution& execution) const {
  if (plan_.exact) {
    TermSum sum = terms(part);
    sum.execution = execution;
    return dot_terms(sum, cotangent, x);
  }
  if (cotangent.x_stride() != 1) return dot(part, Image<T>(cotangent).view(), x, execution);
  auto image = Image<T>::uninitialised(x.shape);
  apply_level(part, x, false, image, execution);
  const View<const T> a = image.view();
  std::vector<double> sums(static_cast<std::size_t>(x.batch() * x.channels() * x.height()));
  parallel_for(std::ssize(sums), {execution.threads, {}}, [&](Index i) {
    const Index plane = i / x.height();
    const Index n = plane / x.channels();
    const Index c = plane % x.channels();
    sums[static_cast<std::size_t>(i)] =
        dot_rows(a.row(n, c, i % x.height()), cotangent.row(n, c, i % x.height()), x.width());
  });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

template class UniformOperator<float>;
template class UniformOperator<double>;

}  // namespace blurfield::detail
