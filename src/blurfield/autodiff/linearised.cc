// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/autodiff/linearised.h"

namespace blurfield::detail {

void check_direction(const Shape& got, const Shape& expected) {
  if (got == expected) return;
  throw Error(message("autodiff: expected a direction or cotangent shaped ", expected.text(),
                      ", got ", got.text()));
}

template <class T>
Image<T> to_image(Var<T> cotangent, const Shape& shape) {
  if (cotangent.empty()) return Image<T>(shape);
  VarValue<T>& value = *cotangent.held();
  const bool own = cotangent.held().use_count() == 1 && !value.base;
  if (own && value.pixels.shape() == shape) return std::move(value.pixels);
  return Image<T>(cotangent.value());
}

template Image<float> to_image(Var<float>, const Shape&);
template Image<double> to_image(Var<double>, const Shape&);

}  // namespace blurfield::detail
