// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/rows/vips_decoder.h"

#include <algorithm>
#include <utility>

namespace blurfield::io {
namespace {

constexpr Index kStrip = 64;  // rows that are prepared at a time

// One band of a row of interleaved samples, divided by `divisor`.
template <class S, class T>
void copy_row(const void* row, Index band, Index bands, double divisor, T* to, Index step,
              Index width) {
  const S* from = static_cast<const S*>(row) + band;
  if (divisor == 1.0) {
    for (Index x = 0; x < width; ++x) to[x * step] = static_cast<T>(from[x * bands]);
  } else {
    for (Index x = 0; x < width; ++x) {
      to[x * step] = static_cast<T>(static_cast<double>(from[x * bands]) / divisor);
    }
  }
}

// Colours divided by alpha, the last channel; nothing where it is 0.
template <class T>
void unpremultiply(const View<T>& rows) {
  const Index last = rows.channels() - 1;
  for (Index c = 0; c < last; ++c) {
    for (Index y = 0; y < rows.height(); ++y) {
      const T* alpha = rows.row(0, last, y);
      T* colour = rows.row(0, c, y);
      for (Index x = 0; x < rows.width(); ++x) {
        const Index at = x * rows.x_stride();
        if (alpha[at] > 0) colour[at] /= alpha[at];
      }
    }
  }
}

}  // namespace

VipsDecoder::VipsDecoder(VipsOpened opened, const LoadOptions& options)
    : opened_(std::move(opened)),
      divisor_(load_divisor(opened_.info, options)),
      unpremultiply_(opened_.info.alpha && opened_.premultiplied && !options.map),
      region_(vips_region_new(opened_.image.get_image()),
              [](VipsRegion* region) { g_object_unref(region); }) {}

void VipsDecoder::prepare(Index top, Index rows) {
  const VipsRect strip{0, static_cast<int>(top), opened_.image.width(), static_cast<int>(rows)};
  if (vips_region_prepare(region_.get(), &strip) != 0) throw vips::VError();
}

template <class T>
void VipsDecoder::read(const View<T>& rows) {
  for (Index done = 0; done < rows.height(); done += kStrip) {
    const Index count = std::min(kStrip, rows.height() - done);
    prepare(next_, count);
    for (Index i = 0; i < count; ++i) {
      const void* row = VIPS_REGION_ADDR(region_.get(), 0, next_ + i);
      for (Index band = 0; band < bands(); ++band) {
        with_sample(opened_.info.sample, [&](auto s) {
          copy_row<decltype(s)>(row, band, bands(), divisor_, rows.row(0, band, done + i),
                                rows.x_stride(), width());
        });
      }
    }
    next_ += count;
  }
  if (unpremultiply_) unpremultiply(rows);
}

void VipsDecoder::skip(Index rows) {
  const Index end = next_ + rows;
  for (; next_ < end; next_ += std::min(kStrip, end - next_)) {
    prepare(next_, std::min(kStrip, end - next_));
  }
}

template void VipsDecoder::read(const View<float>&);
template void VipsDecoder::read(const View<double>&);

}  // namespace blurfield::io
