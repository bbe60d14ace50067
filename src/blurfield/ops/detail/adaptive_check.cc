// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/adaptive_check.h"

#include <atomic>
#include <cmath>

#include "blurfield/base/check.h"
#include "blurfield/base/parallel.h"
#include "blurfield/kernels/row_range.h"

namespace blurfield::detail {
namespace {

// Whether rows of a view all pass: `fine` judges the span of one.
template <class T, class Fine>
bool all_rows(const View<const T>& view, int threads, const Fine& fine) {
  if (view.x_stride() != 1) return false;
  const Index rows = view.batch() * view.channels() * view.height();
  std::atomic<bool> good{true};
  parallel_slices(rows * view.width(), threads, [&](Index begin, Index end) {
    // A slice judges the rows that begin in it.
    const Index first = (begin + view.width() - 1) / view.width();
    const Index last = (end + view.width() - 1) / view.width();
    for (Index i = first; i < last && good; ++i) {
      const Index y = i % view.height();
      const Index plane = i / view.height();
      const T* row = view.row(plane / view.channels(), plane % view.channels(), y);
      if (!fine(kernels::row_range(row, view.width()))) good = false;
    }
  });
  return good;
}

}  // namespace

template <class T>
void check_field(const char* operation, const View<const T>& field, const Shape& image,
                 int threads) {
  check_shape(operation, "field", field.shape, field.data);
  const int rank = image.rank();
  Shape expected = image;
  expected[0] = field.shape[0] == 1 ? 1 : image[0];
  expected[1] = field.shape.rank() == rank ? field.shape[1] : 1;
  check_same_shape(operation, "field", field.shape, expected);
  const Index kinds = rank == 3 ? 1 : 3;
  require(field.channels() <= kinds, operation, "expected a field of 1..", kinds,
          " channels for an image shaped ", image.text(), ", got ", field.channels());
  const bool full = field.channels() == 3;
  if (all_rows(field, threads, [full](const kernels::RowRange<T>& range) {
        return std::isfinite(range.sum) && (full || range.least > T{0});
      })) {
    return;
  }
  check_finite(operation, "field", field);
  if (full) return;
  for (Index n = 0; n < field.batch(); ++n) {
    for (Index c = 0; c < field.channels(); ++c) {
      for (Index y = 0; y < field.height(); ++y) {
        for (Index x = 0; x < field.width(); ++x) {
          if (field.at(n, c, y, x) > T{0}) continue;
          throw Error(message(operation, ": expected sigma > 0, got ", field.at(n, c, y, x), " at ",
                              pixel_text(field.shape, n, c, y, x)));
        }
      }
    }
  }
}

template <class T>
void check_pixels(const char* operation, const View<const T>& x, int threads) {
  constexpr T kLargest = sizeof(T) == 4 ? static_cast<T>(1e30) : static_cast<T>(1e290);
  if (all_rows(x, threads, [](const kernels::RowRange<T>& range) {
        return std::isfinite(range.sum) && range.least >= -kLargest && range.largest <= kLargest;
      })) {
    return;
  }
  check_finite(operation, "image", x);
  for (Index n = 0; n < x.batch(); ++n) {
    for (Index c = 0; c < x.channels(); ++c) {
      for (Index y = 0; y < x.height(); ++y) {
        for (Index at = 0; at < x.width(); ++at) {
          if (std::abs(x.at(n, c, y, at)) <= kLargest) continue;
          throw Error(message(operation, ": expected pixels up to ", kLargest, " in image, got ",
                              x.at(n, c, y, at), " at ", pixel_text(x.shape, n, c, y, at),
                              "; mask such pixels"));
        }
      }
    }
  }
}

#define BLURFIELD_INSTANTIATE(T)                                                   \
  template void check_field(const char*, const View<const T>&, const Shape&, int); \
  template void check_pixels(const char*, const View<const T>&, int)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
