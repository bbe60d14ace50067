// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/uniform/product.h"

#include <algorithm>
#include <cmath>

#include "blurfield/base/check.h"
#include "blurfield/base/image.h"
#include "blurfield/ops/detail/progress_step.h"
#include "blurfield/ops/detail/uniform/spaced.h"

namespace blurfield::detail {
namespace {

template <class T>
bool all_finite(const View<T>& view) {
  for (Index n = 0; n < view.batch(); ++n) {
    for (Index c = 0; c < view.channels(); ++c) {
      for (Index y = 0; y < view.height(); ++y) {
        if (!detail::all_finite<T>(view.row(n, c, y), view.width(), 1)) return false;
      }
    }
  }
  return true;
}

template <class T>
std::vector<UniformBand<T>> bands_of(std::vector<SparseRows> all, bool transpose) {
  if (transpose) {
    std::reverse(all.begin(), all.end());
    for (SparseRows& rows : all) rows = transposed(rows);
  }
  return {all.begin(), all.end()};
}

Shape with_height(Shape shape, Index height) {
  shape[2] = height;
  return shape;
}

}  // namespace

double reading_width(const AxisBlur& axis, const Ladder& ladder) {
  return std::sqrt(ladder.residual(axis.sigma * axis.sigma, static_cast<double>(axis.step)));
}

Samples samples_of(const AxisBlur& axis, const Ladder& ladder) {
  return samples_around(axis.n, axis.step, ladder.reach * reading_width(axis, ladder) + 0.5);
}

std::vector<SparseRows> axis_rows(const AxisBlur& axis, Mode mode, const Ladder& ladder,
                                  bool derivative) {
  if (axis.step == 0) return {};
  if (axis.step == 1) {
    return {gaussian_rows(axis.n, mode, {1, 0, axis.n}, axis.sigma, axis.reach, derivative)};
  }
  const auto step = static_cast<double>(axis.step);
  const double tau = reading_width(axis, ladder);
  const Samples samples = samples_of(axis, ladder);
  std::vector<SparseRows> rows{
      gaussian_rows(axis.n, mode, samples, std::sqrt(ladder.prefilter) * step,
                    ladder.prefilter_reach, false),
      reading_rows(axis.n, samples, tau, ladder.reach, derivative)};
  if (derivative) rows.back().scale(axis.sigma / (step * step * tau));
  return rows;
}

template <class T>
UniformProduct<T>::UniformProduct(std::vector<SparseRows> y, std::vector<SparseRows> x,
                                  double factor, bool transposed, double beyond)
    : beyond_(beyond) {
  (x.empty() ? y : x).back().scale(factor);
  y_ = bands_of<T>(std::move(y), transposed);
  x_ = bands_of<T>(std::move(x), transposed);
}

template <class T>
bool UniformProduct<T>::apply(const View<const T>& x, bool add, const View<T>& out,
                              const Execution& execution) const {
  if (y_.empty()) return filter_rows<T>(x_, x, beyond_, add, out, execution);
  const std::size_t steps = y_.size() + (x_.empty() ? 0 : 1);
  const Spaced<T> thinned(with_height(x.shape, y_[0].rows()));
  filter_columns(y_[0], x, beyond_, false, thinned.view(), progress_step(execution, 0, steps));
  const double side = beyond_ * y_[0].total();
  if (y_.size() == 1) {
    return filter_rows<T>(x_, thinned.view(), side, add, out, progress_step(execution, 1, steps));
  }
  const auto last = progress_step(execution, steps - 1, steps);
  if (x_.empty()) {
    filter_columns<T>(y_[1], thinned.view(), 0.0, add, out, last);
    return all_finite(thinned.view());
  }
  const Spaced<T> blurred(thinned.view().shape);
  const bool finite = filter_rows<T>(x_, thinned.view(), side, false, blurred.view(),
                                     progress_step(execution, 1, steps));
  filter_columns<T>(y_[1], blurred.view(), 0.0, add, out, last);
  return finite;
}

template class UniformProduct<float>;
template class UniformProduct<double>;

}  // namespace blurfield::detail
