// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/adaptive_blur.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "blurfield/ops/detail/adaptive_check.h"
#include "blurfield/ops/detail/adaptive_engine.h"
#include "blurfield/ops/detail/check.h"

namespace blurfield {
namespace {

using detail::AdaptiveEngine;
using detail::AdaptiveField;
using detail::GatherPass;
using detail::SpreadPass;

// A view whose rows are contiguous: the view itself or a copy.
template <class T>
class Packed {
 public:
  explicit Packed(const View<const T>& source) : view_(source) {
    if (source.empty() || source.x_stride() == 1) return;
    copy_ = Image<T>(source);
    view_ = std::as_const(copy_).view();
  }
  const View<const T>& view() const { return view_; }

 private:
  Image<T> copy_;
  View<const T> view_;
};

// A zeroed output whose rows are contiguous; finish() brings it to where it belongs.
template <class T>
class PackedOut {
 public:
  explicit PackedOut(const View<T>& target) : target_(target), view_(target) {
    if (target.empty()) return;
    if (target.x_stride() != 1) {
      copy_ = Image<T>(target.shape);
      view_ = copy_.view();
      return;
    }
    for (Index n = 0; n < target.batch(); ++n) {
      for (Index c = 0; c < target.channels(); ++c) {
        for (Index y = 0; y < target.height(); ++y) {
          std::fill_n(target.row(n, c, y), target.width(), T{0});
        }
      }
    }
  }
  const View<T>& view() const { return view_; }
  void finish() const {
    if (!copy_.empty()) copy<T>(copy_, target_);
  }

 private:
  View<T> target_;
  Image<T> copy_;
  View<T> view_;
};

// x - cval, and the image of cval, of a scatter that is split.
template <class T>
struct Split {
  Split(const View<const T>& x, double cval) : less(x), constant(static_cast<T>(cval)) {
    std::for_each_n(less.data(), less.elements(), [&](T& v) { v -= constant; });
  }
  View<const T> flat() const { return {&constant, less.shape(), {}}; }
  Image<T> less;
  T constant;
};

template <class T>
void check(const char* operation, const View<const T>& x, const View<const T>& field,
           const AdaptiveBlurOptions& options) {
  detail::check_shape(operation, "image", x.shape, x.data);
  detail::check_pixels(operation, x, options.execution.threads);
  detail::check_options(operation, options, x.spatial_rank());
  detail::check_field(operation, field, x.shape, options.execution.threads);
}

template <class T>
void check_optional(const char* operation, const char* name, const View<T>& view,
                    const Shape& expected) {
  if (!view.empty()) detail::check_same_shape(operation, name, view.shape, expected);
}

}  // namespace

template <class T>
BlurReport adaptive_blur(const View<const T>& x, const View<const T>& field, const View<T>& out,
                         const AdaptiveBlurOptions& options) {
  constexpr const char* kName = "adaptive_blur";
  check(kName, x, field, options);
  detail::check_same_shape(kName, "out", out.shape, x.shape);
  require(out.data != x.data, kName,
          "expected an output apart from the image, got the image itself");
  AdaptiveEngine<T> engine(kName, field, x.shape, options);
  if (!options.scatter) {
    const Packed<T> src(x);
    engine.gather({.src = src.view(), .cval = engine.cval(), .out = out}, engine.mode());
    return engine.report();
  }
  engine.plan(engine.split() ? 2 : 1);
  const PackedOut<T> packed(out);
  if (engine.split()) {
    const Split<T> split(x, engine.cval());
    engine.spread({.value = split.less.view(), .out = packed.view()}, Mode::constant);
    engine.spread({.value = split.flat(), .out = packed.view()}, Mode::nearest);
  } else {
    engine.spread({.value = x, .out = packed.view()}, engine.mode());
  }
  packed.finish();
  return engine.report();
}

template <class T>
void adaptive_blur_vjp(const View<const T>& x, const View<const T>& field,
                       const View<const T>& cotangent, const View<T>& grad_x,
                       const View<T>& grad_field, const AdaptiveBlurOptions& options) {
  constexpr const char* kName = "adaptive_blur_vjp";
  check(kName, x, field, options);
  detail::check_same_shape(kName, "cotangent", cotangent.shape, x.shape);
  detail::check_finite(kName, "cotangent", cotangent, options.execution);
  check_optional(kName, "grad_x", grad_x, x.shape);
  check_optional(kName, "grad_field", grad_field, field.shape);
  AdaptiveEngine<T> engine(kName, field, x.shape, options);
  const PackedOut<T> to_x(grad_x);
  const PackedOut<T> to_field(grad_field);
  if (!options.scatter) {
    const Packed<T> src(x);
    const GatherPass<T> slopes{
        .src = src.view(), .cval = engine.cval(), .coef = cotangent, .grad_field = to_field.view()};
    if (!grad_x.empty()) {
      engine.spread(
          {.value = cotangent, .out = to_x.view(), .fused = grad_field.empty() ? nullptr : &slopes},
          engine.mode());
    } else if (!grad_field.empty()) {
      engine.gather(slopes, engine.mode());
    }
  } else {
    const Packed<T> src(cotangent);
    const GatherPass<T> image{.src = src.view(), .out = to_x.view()};
    const GatherPass<T> slopes{.src = src.view(), .coef = x, .grad_field = to_field.view()};
    if (engine.split() && !grad_field.empty()) {
      engine.plan(grad_x.empty() ? 2 : 3);
      const Split<T> split(x, engine.cval());
      if (!grad_x.empty()) engine.gather(image, Mode::constant);
      GatherPass<T> part = slopes;
      part.coef = split.less.view();
      engine.gather(part, Mode::constant);
      part.coef = split.flat();
      engine.gather(part, Mode::nearest);
    } else if (!grad_x.empty() || !grad_field.empty()) {
      GatherPass<T> both = slopes;
      both.out = to_x.view();
      engine.gather(both, engine.mode());
    }
  }
  to_x.finish();
  to_field.finish();
}

template <class T>
void adaptive_blur_jvp(const View<const T>& x, const View<const T>& field,
                       const View<const T>& x_dot, const View<const T>& field_dot,
                       const View<T>& out_dot, const AdaptiveBlurOptions& options) {
  constexpr const char* kName = "adaptive_blur_jvp";
  check(kName, x, field, options);
  check_optional(kName, "x_dot", x_dot, x.shape);
  check_optional(kName, "field_dot", field_dot, field.shape);
  detail::check_same_shape(kName, "out_dot", out_dot.shape, x.shape);
  if (!x_dot.empty()) detail::check_finite(kName, "x_dot", x_dot);
  if (!field_dot.empty()) detail::check_finite(kName, "field_dot", field_dot);
  AdaptiveEngine<T> engine(kName, field, x.shape, options);
  const PackedOut<T> packed(out_dot);
  if (!options.scatter) {
    engine.plan((x_dot.empty() ? 0U : 1U) + (field_dot.empty() ? 0U : 1U));
    const Packed<T> src(x);
    const Packed<T> dot(x_dot);
    if (!x_dot.empty()) engine.gather({.src = dot.view(), .out = packed.view()}, engine.mode());
    if (!field_dot.empty()) {
      engine.gather({.src = src.view(),
                     .cval = engine.cval(),
                     .out = packed.view(),
                     .add = true,
                     .field_dot = field_dot},
                    engine.mode());
    }
  } else if (engine.split() && !field_dot.empty()) {
    engine.plan(2);
    const Split<T> split(x, engine.cval());
    engine.spread(
        {.value = x_dot, .along = split.less.view(), .field_dot = field_dot, .out = packed.view()},
        Mode::constant);
    engine.spread(
        {.value = {}, .along = split.flat(), .field_dot = field_dot, .out = packed.view()},
        Mode::nearest);
  } else {
    SpreadPass<T> pass{.value = x_dot, .field_dot = field_dot, .out = packed.view()};
    if (!field_dot.empty()) pass.along = x;
    engine.spread(pass, engine.mode());
  }
  packed.finish();
}

template <class T>
BlurReport adaptive_blur_plan(const Shape& shape, const View<const T>& field,
                              const AdaptiveBlurOptions& options) {
  constexpr const char* kName = "adaptive_blur_plan";
  detail::check_field(kName, field, shape, options.execution.threads);
  detail::check_options(kName, options, shape.rank() - 2);
  return AdaptiveEngine<T>(kName, field, shape, options).report();
}

template <class T>
double adaptive_blur_taps(const Shape& shape, const View<const T>& field,
                          const AdaptiveBlurOptions& options) {
  constexpr const char* kName = "adaptive_blur_taps";
  detail::check_field(kName, field, shape, options.execution.threads);
  detail::check_options(kName, options, shape.rank() - 2);
  AdaptiveField<T> checked{.params = field,
                           .options = &options,
                           .radius = detail::RadiusRule::of<T>(options, field.spatial_rank())};
  checked.costs = detail::row_costs(checked);
  double taps = 0.0;
  for (const detail::RowCosts& costs : checked.costs) {
    taps = std::accumulate(costs.taps.begin(), costs.taps.end(), taps);
  }
  // Scattered covariances that no symmetry folds are walked on the extended plane.
  const Mode mode = options.extension.mode;
  if (options.scatter && field.channels() == 3 && (mode == Mode::mirror || mode == Mode::nearest)) {
    const detail::RowCosts& widest = checked.costs.front();
    taps *= (1.0 + 2.0 * widest.max_ry / static_cast<double>(field.height())) *
            (1.0 + 2.0 * widest.max_rx / static_cast<double>(field.width()));
  }
  const Index images = field.batch() == 1 ? shape[0] : 1;
  return taps * static_cast<double>(images * shape[1]);
}

#define BLURFIELD_INSTANTIATE(T)                                                                \
  template BlurReport adaptive_blur(const View<const T>&, const View<const T>&, const View<T>&, \
                                    const AdaptiveBlurOptions&);                                \
  template BlurReport adaptive_blur_plan(const Shape&, const View<const T>&,                    \
                                         const AdaptiveBlurOptions&);                           \
  template void adaptive_blur_vjp(const View<const T>&, const View<const T>&,                   \
                                  const View<const T>&, const View<T>&, const View<T>&,         \
                                  const AdaptiveBlurOptions&);                                  \
  template void adaptive_blur_jvp(const View<const T>&, const View<const T>&,                   \
                                  const View<const T>&, const View<const T>&, const View<T>&,   \
                                  const AdaptiveBlurOptions&);                                  \
  template double adaptive_blur_taps(const Shape&, const View<const T>&,                        \
                                     const AdaptiveBlurOptions&);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
