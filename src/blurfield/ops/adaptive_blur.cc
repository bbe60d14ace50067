// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/adaptive_blur.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <utility>

#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/check.h"
#include "blurfield/ops/detail/progress_step.h"

namespace blurfield {
namespace {

using detail::AdaptiveField;
using detail::Belongs;
using detail::GatherPass;
using detail::SpreadPass;

template <class T>
void check_field(const char* operation, const View<const T>& field, const Shape& image) {
  detail::check_image(operation, field, "field");
  const int rank = image.rank();
  Shape expected = image;
  expected[0] = field.shape[0] == 1 ? 1 : image[0];
  expected[1] = field.shape.rank() == rank ? field.shape[1] : 1;
  detail::check_same_shape(operation, "field", field.shape, expected);
  const Index kinds = rank == 3 ? 1 : 3;
  require(field.channels() <= kinds, operation, "expected a field of 1..", kinds,
          " channels for an image shaped ", image.text(), ", got ", field.channels());
  if (field.channels() == 3) return;
  for (Index n = 0; n < field.batch(); ++n) {
    for (Index c = 0; c < field.channels(); ++c) {
      for (Index y = 0; y < field.height(); ++y) {
        for (Index x = 0; x < field.width(); ++x) {
          if (field.at(n, c, y, x) > T{0}) continue;
          throw Error(message(operation, ": expected sigma > 0, got ", field.at(n, c, y, x), " at ",
                              detail::pixel_text(field.shape, n, c, y, x)));
        }
      }
    }
  }
}

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
    const T zero{0};
    copy<T>(View<const T>(&zero, target.shape, {}), target);
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

// The operation's field, options and passes by kind of field.
template <class T>
class Engine {
 public:
  Engine(const View<const T>& params, const AdaptiveBlurOptions& options)
      : options_(options), full_(params.channels() == 3) {
    // Reflections and translations map a copy of the source and its kernel onto the source itself,
    // so that under these two modes scatter is the exact transpose of gather (B2 = B1*).
    const bool transpose = mode() == Mode::reflect || mode() == Mode::wrap;
    field_ = {params, &options_,
              options.scatter && !transpose ? Belongs::to_source : Belongs::to_output,
              options.extension.mode, detail::RadiusRule::of<T>(options, params.spatial_rank())};
    field_.costs = detail::row_costs(field_);
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  double cval() const {
    return options_.extension.mode == Mode::constant ? options_.extension.cval : 0.0;
  }
  // A scatter with cval: what a frame of zeros gives (image less cval) plus what an image of cval
  // gives, whose field extends by nearest.
  bool split() const { return options_.scatter && cval() != 0.0; }

  // Announces the passes to come, so that progress runs once from 0 to 1.
  void plan(std::size_t passes) { passes_ = passes; }

  void gather(const GatherPass<T>& pass, Mode mode) {
    start(mode);
    full_ ? detail::full_gather(field_, pass) : detail::separable_gather(field_, pass);
  }
  void spread(const SpreadPass<T>& pass, Mode mode) {
    start(mode);
    full_ ? detail::full_spread(field_, pass) : detail::separable_spread(field_, pass);
  }
  Mode mode() const { return options_.extension.mode; }

 private:
  void start(Mode mode) {
    field_.mode = mode;
    options_.execution = detail::progress_step(whole_, pass_++, passes_);
  }

  AdaptiveBlurOptions options_;
  Execution whole_ = options_.execution;
  std::size_t passes_ = 1;
  std::size_t pass_ = 0;
  bool full_;
  AdaptiveField<T> field_;
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

// Sums over a kernel, not yet divided by its norm, must stay within T.
template <class T>
void check_magnitude(const char* operation, const View<const T>& x) {
  constexpr T kLargest = sizeof(T) == 4 ? static_cast<T>(1e30) : static_cast<T>(1e290);
  for (Index n = 0; n < x.batch(); ++n) {
    for (Index c = 0; c < x.channels(); ++c) {
      for (Index y = 0; y < x.height(); ++y) {
        const T* row = x.row(n, c, y);
        bool large = false;
        for (Index i = 0; i < x.width(); ++i) large |= std::abs(row[i * x.x_stride()]) > kLargest;
        if (!large) continue;
        Index at = 0;
        while (!(std::abs(x.at(n, c, y, at)) > kLargest)) ++at;
        throw Error(message(operation, ": expected pixels up to ", kLargest, " in image, got ",
                            x.at(n, c, y, at), " at ", detail::pixel_text(x.shape, n, c, y, at),
                            "; mask such pixels"));
      }
    }
  }
}

template <class T>
void check(const char* operation, const View<const T>& x, const View<const T>& field,
           const AdaptiveBlurOptions& options) {
  detail::check_image(operation, x);
  check_magnitude(operation, x);
  detail::check_options(operation, options, x.spatial_rank());
  check_field(operation, field, x.shape);
}

template <class T>
void check_optional(const char* operation, const char* name, const View<T>& view,
                    const Shape& expected) {
  if (!view.empty()) detail::check_same_shape(operation, name, view.shape, expected);
}

}  // namespace

template <class T>
void adaptive_blur(const View<const T>& x, const View<const T>& field, const View<T>& out,
                   const AdaptiveBlurOptions& options) {
  constexpr const char* kName = "adaptive_blur";
  check(kName, x, field, options);
  detail::check_same_shape(kName, "out", out.shape, x.shape);
  require(out.data != x.data, kName,
          "expected an output apart from the image, got the image itself");
  Engine<T> engine(field, options);
  if (!options.scatter) {
    const Packed<T> src(x);
    engine.gather({.src = src.view(), .cval = engine.cval(), .out = out}, engine.mode());
    return;
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
}

template <class T>
void adaptive_blur_vjp(const View<const T>& x, const View<const T>& field,
                       const View<const T>& cotangent, const View<T>& grad_x,
                       const View<T>& grad_field, const AdaptiveBlurOptions& options) {
  constexpr const char* kName = "adaptive_blur_vjp";
  check(kName, x, field, options);
  detail::check_same_shape(kName, "cotangent", cotangent.shape, x.shape);
  detail::check_finite(kName, "cotangent", cotangent);
  check_optional(kName, "grad_x", grad_x, x.shape);
  check_optional(kName, "grad_field", grad_field, field.shape);
  Engine<T> engine(field, options);
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
  Engine<T> engine(field, options);
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
double adaptive_blur_taps(const Shape& shape, const View<const T>& field,
                          const AdaptiveBlurOptions& options) {
  constexpr const char* kName = "adaptive_blur_taps";
  check_field(kName, field, shape);
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

#define BLURFIELD_INSTANTIATE(T)                                                              \
  template void adaptive_blur(const View<const T>&, const View<const T>&, const View<T>&,     \
                              const AdaptiveBlurOptions&);                                    \
  template void adaptive_blur_vjp(const View<const T>&, const View<const T>&,                 \
                                  const View<const T>&, const View<T>&, const View<T>&,       \
                                  const AdaptiveBlurOptions&);                                \
  template void adaptive_blur_jvp(const View<const T>&, const View<const T>&,                 \
                                  const View<const T>&, const View<const T>&, const View<T>&, \
                                  const AdaptiveBlurOptions&);                                \
  template double adaptive_blur_taps(const Shape&, const View<const T>&,                      \
                                     const AdaptiveBlurOptions&);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
