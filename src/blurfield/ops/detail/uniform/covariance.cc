// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/uniform/covariance.h"

#include <cmath>

#include "blurfield/ops/detail/gaussian_terms.h"
#include "blurfield/ops/detail/low_rank.h"
#include "blurfield/ops/detail/progress_step.h"
#include "blurfield/ops/detail/uniform/spaced.h"

namespace blurfield::detail {
namespace {

// The coarse Gaussian, or its derivative along a change of its covariance.
Kernel2d coarse_kernel(const Cov& cov, const Cov* along, const std::array<int, 2>& radius) {
  const Logchol logchol = cov_to_logchol(cov);
  if (along == nullptr) return gaussian_kernel2d_logchol(logchol, radius);
  const auto slopes = gaussian_kernel2d_dlogchol(logchol, radius);
  const Jacobian3 jacobian = cov_to_logchol_jacobian(cov);
  Kernel2d sum = slopes[0];
  std::fill(sum.taps.begin(), sum.taps.end(), 0.0);
  for (std::size_t i = 0; i < 3; ++i) {
    double factor = 0.0;
    for (std::size_t j = 0; j < 3; ++j) factor += jacobian[i][j] * (*along)[j];
    for (std::size_t k = 0; k < sum.taps.size(); ++k) sum.taps[k] += factor * slopes[i].taps[k];
  }
  return sum;
}

template <class T>
UniformBand<T> band(const SparseRows& rows, bool transpose) {
  return UniformBand<T>(transpose ? transposed(rows) : rows);
}

template <class T>
void fill_zero(const View<T>& view) {
  for (Index plane = 0; plane < view.batch() * view.channels(); ++plane) {
    for (Index y = 0; y < view.height(); ++y) {
      std::fill_n(view.row(plane / view.channels(), plane % view.channels(), y), view.width(),
                  T{0});
    }
  }
}

Shape sized(Shape shape, Index height, Index width) {
  shape[2] = height;
  shape[3] = width;
  return shape;
}

}  // namespace

CovarianceAxis::CovarianceAxis(Index n, const CovarianceLevel& level, const Ladder& ladder,
                               int axis)
    : radius(gaussian_radius(std::sqrt(level.coarse[axis == 0 ? 0 : 2]), ladder.reach)),
      inner(samples_around(n, level.step, ladder.reach * std::sqrt(level.reading) + 0.5)),
      outer{level.step, inner.first - radius, inner.count + 2 * radius} {}

template <class T>
UniformCovariance<T>::UniformCovariance(std::array<Index, 2> frame, const Extension& extension,
                                        const Ladder& ladder, const CovarianceLevel& level,
                                        const Cov* along, double factor, double split,
                                        bool transposed)
    : transposed_(transposed), beyond_(extension.cval) {
  const auto step = static_cast<double>(level.step);
  for (int i = 0; i < 2; ++i) {
    const Index n = frame[static_cast<std::size_t>(i)];
    const auto& axis = axes_.emplace_back(n, level, ladder, i);
    const SparseRows thin =
        gaussian_rows(n, extension.mode, axis.outer, std::sqrt(ladder.prefilter) * step,
                      ladder.prefilter_reach, false);
    const SparseRows read =
        reading_rows(n, axis.inner, std::sqrt(level.reading), ladder.reach, false);
    down_.push_back(band<T>(transposed ? read : thin, transposed));
    up_.push_back(band<T>(transposed ? thin : read, transposed));
  }
  Cov change{};
  if (along != nullptr) {
    for (std::size_t i = 0; i < 3; ++i) change[i] = (*along)[i] / (step * step);
  }
  const Kernel2d kernel = coarse_kernel(level.coarse, along == nullptr ? nullptr : &change,
                                        {axes_[0].radius, axes_[1].radius});
  coarse_ = scaled({split_kernel(kernel, split, 0.0), {Mode::constant, 0.0}, false, {}}, factor);
  if (transposed) coarse_ = adjoint(coarse_);
}

template <class T>
View<T> UniformCovariance<T>::inner(View<T> level) const {
  level.data += axes_[0].radius * level.y_stride() + axes_[1].radius;
  level.shape = sized(level.shape, axes_[0].inner.count, axes_[1].inner.count);
  return level;
}

template <class T>
bool UniformCovariance<T>::apply(const View<const T>& x, bool add, const View<T>& out,
                                 const Execution& execution) const {
  const Spaced<T> level(sized(x.shape, axes_[0].outer.count, axes_[1].outer.count));
  if (transposed_) fill_zero(level.view());
  {
    const Spaced<T> rows(sized(x.shape, down_[0].rows(), x.width()));
    filter_columns(down_[0], x, beyond_, false, rows.view(), progress_step(execution, 0, 5));
    filter_rows<T>({&down_[1], 1}, rows.view(), beyond_, false,
                   transposed_ ? inner(level.view()) : level.view(),
                   progress_step(execution, 1, 5));
  }
  const Spaced<T> blurred(level.view().shape);
  TermSum coarse = coarse_;
  coarse.execution = progress_step(execution, 2, 5);
  const bool finite = apply_terms<T>(coarse, level.view(), false, blurred.view());
  const View<T> from = transposed_ ? blurred.view() : inner(blurred.view());
  const Spaced<T> rows(sized(x.shape, from.height(), x.width()));
  filter_rows<T>({&up_[1], 1}, from, 0.0, false, rows.view(), progress_step(execution, 3, 5));
  filter_columns<T>(up_[0], rows.view(), 0.0, add, out, progress_step(execution, 4, 5));
  return finite;
}

template class UniformCovariance<float>;
template class UniformCovariance<double>;

}  // namespace blurfield::detail
