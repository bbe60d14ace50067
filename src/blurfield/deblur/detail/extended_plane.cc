// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/detail/extended_plane.h"

#include <algorithm>
#include <vector>

#include "blurfield/base/parallel.h"

namespace blurfield::detail {
namespace {

// f(n, c, y) for all rows, in parallel.
template <class F>
void for_each_row(const Shape& shape, int threads, const F& f) {
  parallel_for(shape[0] * shape[1] * shape[2], {threads, {}}, [&](Index i) {
    const Index plane = i / shape[2];
    f(plane / shape[1], plane % shape[1], i % shape[2]);
  });
}

// f(x, image's x) for the columns of the margin that are read from the image.
template <class F>
void for_each_margin(Index width, Index margin, Mode mode, const F& f) {
  for (Index x = 0; x < width + 2 * margin; ++x) {
    if (x == margin) x += width;
    if (x == width + 2 * margin) break;
    const Index at = extend(x - margin, width, mode);
    if (at >= 0) f(x, at);
  }
}

}  // namespace

template <class T>
Image<T> extended_plane(const View<const T>& image, const std::array<Index, 2>& margin, Mode mode,
                        int threads) {
  Image<T> plane({image.batch(), image.channels(), image.height() + 2 * margin[0],
                  image.width() + 2 * margin[1]});
  const View<T> to = plane;
  for_each_row(plane.shape(), threads, [&](Index n, Index c, Index y) {
    const Index from_y = extend(y - margin[0], image.height(), mode);
    if (from_y < 0) return;
    const T* from = image.row(n, c, from_y);
    T* row = to.row(n, c, y);
    for (Index x = 0; x < image.width(); ++x) row[margin[1] + x] = from[x * image.x_stride()];
    for_each_margin(image.width(), margin[1], mode,
                    [&](Index x, Index at) { row[x] = row[margin[1] + at]; });
  });
  return plane;
}

template <class T>
void fold_plane(const View<const T>& plane, const std::array<Index, 2>& margin, Mode mode,
                const View<T>& image, int threads) {
  std::vector<std::vector<Index>> copies(static_cast<std::size_t>(image.height()));
  for (Index y = 0; y < plane.height(); ++y) {
    const Index at = extend(y - margin[0], image.height(), mode);
    if (at >= 0) copies[static_cast<std::size_t>(at)].push_back(y);
  }
  for_each_row(image.shape, threads, [&](Index n, Index c, Index y) {
    T* to = image.row(n, c, y);
    const Index step = image.x_stride();
    for (Index x = 0; x < image.width(); ++x) to[x * step] = T{0};
    for (const Index copy : copies[static_cast<std::size_t>(y)]) {
      const T* row = plane.row(n, c, copy);
      const Index from_step = plane.x_stride();
      const T* inside = row + margin[1] * from_step;
      for (Index x = 0; x < image.width(); ++x) to[x * step] += inside[x * from_step];
      for_each_margin(image.width(), margin[1], mode,
                      [&](Index x, Index at) { to[at * step] += row[x * from_step]; });
    }
  });
}

#define BLURFIELD_INSTANTIATE(T)                                                                  \
  template Image<T> extended_plane(const View<const T>&, const std::array<Index, 2>&, Mode, int); \
  template void fold_plane(const View<const T>&, const std::array<Index, 2>&, Mode,               \
                           const View<T>&, int)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
