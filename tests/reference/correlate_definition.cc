// SPDX-License-Identifier: BSD-3-Clause
#include "tests/reference/correlate_definition.h"

namespace blurfield::test {
namespace {

struct Axis {
  Index out;
  Index origin;  // what output 0 reads with tap 0
  Index stride;
  Index dilation;
};

Index one_of(const std::vector<Index>& values, std::size_t axis, Index otherwise) {
  if (values.empty()) return otherwise;
  return values.size() == 1 ? values[0] : values[axis];
}

Axis axis_of(Index n, Index taps, std::size_t axis, const CorrelateOptions& options) {
  const Index stride = one_of(options.stride, axis, 1);
  const Index dilation = one_of(options.dilation, axis, 1);
  Index before = 0;
  Index after = 0;
  if (!options.padding.empty()) {
    before = after = one_of(options.padding, axis, 0);
  } else if (options.output == Output::full) {
    before = after = dilation * (taps - 1);
  } else if (options.output == Output::same) {
    before = dilation * (taps / 2);
    after = dilation * (taps - 1) - before;
    if (options.flip) std::swap(before, after);
  }
  Axis result{0, -before, stride, dilation};
  for (Index last = -before + dilation * (taps - 1); last < n + after; last += stride) ++result.out;
  return result;
}

}  // namespace

Image<double> correlate_by_definition(const View<const double>& x, const View<const double>& kernel,
                                      const CorrelateOptions& options) {
  const int leading = kernel.rank() - 2;
  const Index kh = kernel.shape[leading];
  const Index kw = kernel.shape[leading + 1];
  const Axis ys = axis_of(x.height(), kh, 0, options);
  const Axis xs = axis_of(x.width(), kw, 1, options);
  const auto tap = [&](Index k, Index c, Index i, Index j) {
    if (options.flip) {
      i = kh - 1 - i;
      j = kw - 1 - j;
    }
    const auto& s = kernel.stride;
    Index at = i * s[leading] + j * s[leading + 1];
    if (leading > 0) at += c * s[leading - 1];
    if (leading > 1) at += k * s[0];
    return kernel.data[at];
  };
  const auto pixel = [&](Index n, Index c, Index row, Index column) {
    const Index y = extend(row, x.height(), options.extension.mode);
    const Index at = extend(column, x.width(), options.extension.mode);
    return y < 0 || at < 0 ? options.extension.cval : x.at(n, c, y, at);
  };
  const Index channels = leading == 2 ? kernel.shape[0] : x.channels();
  Image<double> out({x.batch(), channels, ys.out, xs.out});
  for (Index n = 0; n < x.batch(); ++n) {
    for (Index k = 0; k < channels; ++k) {
      for (Index oy = 0; oy < ys.out; ++oy) {
        for (Index ox = 0; ox < xs.out; ++ox) {
          double sum = 0.0;
          for (Index c = 0; c < x.channels(); ++c) {
            if (leading < 2 && c != k) continue;
            for (Index i = 0; i < kh; ++i) {
              for (Index j = 0; j < kw; ++j) {
                sum += tap(k, c, i, j) * pixel(n, c, ys.origin + oy * ys.stride + i * ys.dilation,
                                               xs.origin + ox * xs.stride + j * xs.dilation);
              }
            }
          }
          out.view().at(n, k, oy, ox) = sum;
        }
      }
    }
  }
  return out;
}

}  // namespace blurfield::test
