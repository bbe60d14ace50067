// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/convolution/geometry.h"

#include <cmath>

namespace blurfield::detail {
namespace {

// Numbers beyond this could overflow when multiplied with each other.
constexpr Index kLargest = Index{1} << 30;

CorrelationAxis axis_of(const char* operation, Index n, Index taps, Index stride, Index dilation,
                        Index padding, const CorrelateOptions& options) {
  CorrelationAxis axis{n, 1, taps, padding, stride, dilation};
  const Index reach = axis.span() - 1;
  Index extended = n + 2 * padding;
  if (options.padding.empty() && options.output == Output::same) {
    const Index anchor = taps / 2;
    axis.before = dilation * (options.flip ? taps - 1 - anchor : anchor);
    extended = n + reach;
  } else if (options.padding.empty() && options.output == Output::full) {
    axis.before = reach;
    extended = n + 2 * reach;
  }
  require(extended > reach, operation, "expected a kernel that fits into the ",
          options.padding.empty() ? "image" : "padded image",
          " for an output of at least 1 pixel, ", "got ", taps, " taps spanning ", axis.span(),
          " pixels on an axis of ", extended);
  axis.out = (extended - reach - 1) / stride + 1;
  return axis;
}

}  // namespace

std::vector<Index> per_axis(const char* operation, const char* name,
                            const std::vector<Index>& given, int axes, Index otherwise,
                            Index least) {
  const auto count = static_cast<std::size_t>(axes);
  require(given.size() <= 1 || given.size() == count, operation, "expected one ", name, " or ",
          axes, ", one per axis; got ", given.size());
  std::vector<Index> all(count, given.empty() ? otherwise : given.front());
  if (given.size() == count) all = given;
  for (Index value : all) {
    require(value >= least && value <= kLargest, operation, "expected ", name, " in ", least,
            "..2^30, got ", value);
  }
  return all;
}

Geometry correlate_geometry(const char* operation, const Shape& shape,
                            const std::vector<Index>& window, const CorrelateOptions& options) {
  const int axes = shape.rank() - 2;
  require(axes == 1 || axes == 2, operation,
          "expected an image (N, C, H, W) or a signal (N, C, L), got shape ", shape.text());
  for (int axis = 0; axis < shape.rank(); ++axis) {
    require(shape[axis] >= 1, operation, "expected an image with extents >= 1, got shape ",
            shape.text());
  }
  require(window.size() == static_cast<std::size_t>(axes), operation, "expected ", axes,
          " extents of the kernel, got ", window.size());
  require(std::isfinite(options.extension.cval), operation, "expected a finite cval, got ",
          options.extension.cval);
  require(options.padding.empty() || options.output == Output::same, operation,
          "expected either padding or output, got both");
  const auto taps = per_axis(operation, "kernel extents", window, axes, 1, 1);
  const auto stride = per_axis(operation, "stride", options.stride, axes, 1, 1);
  const auto dilation = per_axis(operation, "dilation", options.dilation, axes, 1, 1);
  const auto padding = per_axis(operation, "padding", options.padding, axes, 0, 0);
  const auto axis = [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    return axis_of(operation, shape[2 + i], taps[at], stride[at], dilation[at], padding[at],
                   options);
  };
  if (axes == 1) return {CorrelationAxis{}, axis(0)};
  return {axis(0), axis(1)};
}

Shape output_shape(const Shape& shape, Index channels, const Geometry& geometry) {
  if (shape.rank() == 3) return {shape[0], channels, geometry.x.out};
  return {shape[0], channels, geometry.y.out, geometry.x.out};
}

}  // namespace blurfield::detail
