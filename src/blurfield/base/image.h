// SPDX-License-Identifier: BSD-3-Clause
// Image: an array that owns its pixels, contiguous, 64-byte aligned, zero-filled at birth.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <utility>

#include "blurfield/base/view.h"

namespace blurfield {

template <class T>
class Image {
 public:
  Image() = default;
  // Throws Error for a negative extent or more than any memory holds, std::bad_alloc when memory is
  // short.
  explicit Image(const Shape& shape) : Image(shape, Uninitialised{}) {
    std::fill_n(data(), elements(), T{0});
  }
  // For results that are wholly written: pixels are anything at birth. Throws as above.
  static Image uninitialised(const Shape& shape) { return Image(shape, Uninitialised{}); }
  // Moves leave an empty image behind; a copy is asked for: Image<T>(other.view()).
  Image(Image&& other) noexcept
      : shape_(std::exchange(other.shape_, {})), pixels_(std::move(other.pixels_)) {}
  Image& operator=(Image&& other) noexcept {
    shape_ = std::exchange(other.shape_, {});
    pixels_ = std::move(other.pixels_);
    return *this;
  }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  // A packed copy of any view.
  explicit Image(const View<const T>& source);

  const Shape& shape() const { return shape_; }
  Index elements() const { return shape_.elements(); }
  bool empty() const { return pixels_ == nullptr; }
  T* data() { return pixels_.get(); }
  const T* data() const { return pixels_.get(); }
  View<T> view() { return {data(), shape_}; }
  View<const T> view() const { return {data(), shape_}; }
  operator View<T>() { return view(); }              // NOLINT(google-explicit-constructor)
  operator View<const T>() const { return view(); }  // NOLINT(google-explicit-constructor)

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Uninitialised {};
  Image(const Shape& shape, Uninitialised) : shape_(shape) {
    Index bytes = sizeof(T);
    for (int axis = 0; axis < shape.rank(); ++axis) {
      require(shape[axis] >= 0, "Image", "expected extents >= 0, got ", shape.text());
      require(shape[axis] == 0 || bytes <= std::numeric_limits<Index>::max() / shape[axis], "Image",
              "expected a shape that fits in memory, got ", shape.text());
      bytes *= std::max<Index>(shape[axis], 1);
    }
    const auto count = static_cast<std::size_t>(shape.elements());
    pixels_.reset(static_cast<T*>(::operator new(count * sizeof(T), kAlignment)));
  }

  struct Free {
    void operator()(T* p) const { ::operator delete(p, kAlignment); }
  };
  Shape shape_;
  std::unique_ptr<T, Free> pixels_;
};

// Copies pixels between views of equal shape, any strides.
template <class T>
void copy(const View<const T>& from, const View<T>& to) {
  require(from.shape == to.shape, "copy", "expected shape ", to.shape.text(), ", got ",
          from.shape.text());
  const int rank = from.rank();
  if (from.shape.elements() == 0) return;
  std::array<Index, kMaxRank> at{};
  const Index inner = from.shape[rank - 1];
  while (true) {
    Index a = 0;
    Index b = 0;
    for (int axis = 0; axis < rank - 1; ++axis) {
      a += at[axis] * from.stride[axis];
      b += at[axis] * to.stride[axis];
    }
    for (Index i = 0; i < inner; ++i) {
      to.data[b + i * to.stride[rank - 1]] = from.data[a + i * from.stride[rank - 1]];
    }
    int axis = rank - 2;
    while (axis >= 0 && ++at[axis] == from.shape[axis]) at[axis--] = 0;
    if (axis < 0) return;
  }
}

template <class T>
Image<T>::Image(const View<const T>& source) : Image(source.shape) {
  copy(source, view());
}

}  // namespace blurfield
