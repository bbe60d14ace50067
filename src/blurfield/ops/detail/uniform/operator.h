// SPDX-License-Identifier: BSD-3-Clause
// A uniform Gaussian blur of arrays of one shape, its adjoint and its derivatives, exact or to a
// tolerance, as its options want it.
#pragma once

#include <span>

#include "blurfield/ops/detail/gaussian_terms.h"
#include "blurfield/ops/detail/uniform/plan.h"

namespace blurfield::detail {

// What is applied to an image.
struct UniformPart {
  enum Kind {
    blur,
    linear,     // without what cval adds
    transpose,  // of that
    slope,      // the blur's derivative by `parameter`
  };
  Kind kind = blur;
  std::size_t parameter = 0;
  double factor = 1.0;
};

template <class T>
class UniformOperator {
 public:
  // Throws Error in the operation's name for parameters or options that are wrong.
  UniformOperator(const char* operation, const Shape& shape, std::span<const double> gaussian,
                  const BlurOptions& options);

  const BlurReport& report() const { return plan_.report; }

  // out = part (x), or +=. Returns whether `out` is known to show that all of x is finite.
  bool apply(const UniformPart& part, const View<const T>& x, bool add, const View<T>& out,
             const Execution& execution) const;
  // <cotangent, part (x)>, accumulated in double.
  double dot(const UniformPart& part, const View<const T>& cotangent, const View<const T>& x,
             const Execution& execution) const;

 private:
  TermSum terms(const UniformPart& part) const;
  std::vector<UniformProduct<T>> products(const UniformPart& part) const;
  UniformCovariance<T> covariance(const UniformPart& part) const;
  bool apply_level(const UniformPart& part, const View<const T>& x, bool add, const View<T>& out,
                   const Execution& execution) const;

  Shape shape_;
  UniformGaussian gaussian_;
  UniformPlan plan_;
  double tolerance_;
};

}  // namespace blurfield::detail
