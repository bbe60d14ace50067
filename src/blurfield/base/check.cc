// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/base/check.h"

#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace blurfield::detail {

// By the exponent's bits, so that compilers vectorise the loop without fast-math.
template <class T>
bool all_finite(const T* row, Index count, Index stride) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits kExponent = sizeof(T) == 4 ? Bits{0x7f800000u} : static_cast<Bits>(0x7ffull << 52);
  Bits bad = 0;
  if (stride == 1) {
    for (Index i = 0; i < count; ++i) {
      bad |= (std::bit_cast<Bits>(row[i]) & kExponent) == kExponent ? Bits{1} : Bits{0};
    }
  } else {
    for (Index i = 0; i < count; ++i) bad |= std::isfinite(row[i * stride]) ? Bits{0} : Bits{1};
  }
  return bad == 0;
}

std::string pixel_text(const Shape& shape, Index n, Index c, Index y, Index x) {
  if (shape.rank() == 3) return message("(", n, ", ", c, ", ", x, ")");
  return message("(", n, ", ", c, ", ", y, ", ", x, ")");
}

void check_shape(const char* operation, const char* name, const Shape& shape, const void* pixels) {
  require(shape.rank() == 3 || shape.rank() == 4, operation, "expected ", name,
          " shaped (N, C, L) or (N, C, H, W), got ", shape.text());
  bool positive = pixels != nullptr;
  for (int axis = 0; axis < shape.rank(); ++axis) positive = positive && shape[axis] >= 1;
  require(positive, operation, "expected a non-empty ", name, ", got ", shape.text());
}

template <class T>
void check_finite(const char* operation, const char* name, const View<const T>& view) {
  for (Index n = 0; n < view.batch(); ++n) {
    for (Index c = 0; c < view.channels(); ++c) {
      for (Index y = 0; y < view.height(); ++y) {
        if (all_finite(view.row(n, c, y), view.width(), view.x_stride())) continue;
        Index x = 0;
        while (std::isfinite(view.at(n, c, y, x))) ++x;
        require(false, operation, "expected finite pixels in ", name, ", got ", view.at(n, c, y, x),
                " at ", pixel_text(view.shape, n, c, y, x));
      }
    }
  }
}

template <class T>
void check_finite(const char* operation, const char* name, const View<const T>& view,
                  const Execution& execution) {
  Execution quick;  // beside the operation: without progress
  quick.threads = execution.threads;
  std::atomic<bool> finite{true};
  parallel_for(view.batch() * view.channels(), quick, [&](Index i) {
    for (Index y = 0; y < view.height(); ++y) {
      const T* row = view.row(i / view.channels(), i % view.channels(), y);
      if (!all_finite(row, view.width(), view.x_stride())) finite = false;
    }
  });
  if (!finite) check_finite(operation, name, view);
}

template <class T>
void check_image(const char* operation, const View<const T>& view, const char* name) {
  check_shape(operation, name, view.shape, view.data);
  check_finite(operation, name, view);
}

void check_same_shape(const char* operation, const char* name, const Shape& got,
                      const Shape& expected) {
  require(got == expected, operation, "expected ", name, " shaped ", expected.text(), ", got ",
          got.text());
}

template bool all_finite(const float*, Index, Index);
template bool all_finite(const double*, Index, Index);
template void check_finite(const char*, const char*, const View<const float>&);
template void check_finite(const char*, const char*, const View<const double>&);
template void check_finite(const char*, const char*, const View<const float>&, const Execution&);
template void check_finite(const char*, const char*, const View<const double>&, const Execution&);
template void check_image(const char*, const View<const float>&, const char*);
template void check_image(const char*, const View<const double>&, const char*);

}  // namespace blurfield::detail
