// SPDX-License-Identifier: BSD-3-Clause
// View: a strided window on pixels that somebody else owns, shaped (N, C, spatial axes...), e.g.
// (N, C, L), (N, C, H, W) or (N, C, D, H, W). Row-major order; y grows downwards.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <type_traits>

#include "blurfield/base/error.h"

namespace blurfield {

using Index = std::ptrdiff_t;

inline constexpr int kMaxRank = 8;  // N, C, three spatial axes and as many of windows on them

// Extents of an array, slowest axis first. An empty Shape (rank 0) means "no array".
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<Index> extents) {
    require(extents.size() <= kMaxRank, "Shape", "expected at most ", kMaxRank, " axes, got ",
            extents.size());
    for (Index extent : extents) extent_[rank_++] = extent;
  }
  int rank() const { return rank_; }
  Index operator[](int axis) const { return extent_[axis]; }
  Index& operator[](int axis) { return extent_[axis]; }
  Index elements() const {
    Index product = rank_ > 0 ? 1 : 0;
    // The second bound is what g++ 12 needs to see that nothing uninitialized is read.
    for (int i = 0; i < rank_ && i < kMaxRank; ++i) product *= extent_[i];
    return product;
  }
  bool operator==(const Shape&) const = default;
  std::string text() const {  // "(1, 3, 512, 512)"
    std::string s = "(";
    for (int i = 0; i < rank_; ++i) s += (i ? ", " : "") + std::to_string(extent_[i]);
    return s + ")";
  }

 private:
  std::array<Index, kMaxRank> extent_{};
  int rank_ = 0;
};

// Non-owning strided array. Copying a View copies the window, not the pixels. Strides count
// elements, may be negative, and may be 0 for inputs (broadcast).
template <class T>
struct View {
  T* data = nullptr;
  Shape shape;
  std::array<Index, kMaxRank> stride{};

  View() = default;
  View(T* pixels, const Shape& s) : data(pixels), shape(s) {
    Index step = 1;
    for (int axis = s.rank() - 1; axis >= 0; --axis) {
      stride[axis] = step;
      step *= s[axis];
    }
  }
  View(T* pixels, const Shape& s, const std::array<Index, kMaxRank>& strides)
      : data(pixels), shape(s), stride(strides) {}
  // A writable view is also a readable one.
  operator View<const T>() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<T>) {
    return {data, shape, stride};
  }

  bool empty() const { return data == nullptr; }
  int rank() const { return shape.rank(); }
  int spatial_rank() const { return shape.rank() - 2; }
  Index batch() const { return shape[0]; }
  Index channels() const { return shape[1]; }
  // The last two spatial axes; a signal (N, C, L) has height 1.
  Index height() const { return spatial_rank() >= 2 ? shape[rank() - 2] : 1; }
  Index width() const { return shape[rank() - 1]; }
  Index y_stride() const { return spatial_rank() >= 2 ? stride[rank() - 2] : 0; }
  Index x_stride() const { return stride[rank() - 1]; }

  // First pixel of row y of channel c of batch n; for signals and images only.
  T* row(Index n, Index c, Index y) const {
    return data + n * stride[0] + c * stride[1] + y * y_stride();
  }
  T& at(Index n, Index c, Index y, Index x) const { return row(n, c, y)[x * x_stride()]; }
};

}  // namespace blurfield
