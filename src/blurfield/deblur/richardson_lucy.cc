// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/richardson_lucy.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "blurfield/base/check.h"
#include "blurfield/deblur/detail/lane_sum.h"
#include "blurfield/deblur/detail/penalty.h"
#include "blurfield/deblur/detail/row_sweep.h"

namespace blurfield {
namespace {

using detail::lane_sum;

constexpr const char* kName = "richardson_lucy";

template <class T>
void check_options(const RichardsonLucyOptions<T>& options) {
  const auto at_least_zero = [](const char* name, double value) {
    require(value >= 0, kName, "expected ", name, " >= 0, got ", value);
  };
  at_least_zero("max_iterations", options.max_iterations);
  at_least_zero("change_tolerance", options.change_tolerance);
  at_least_zero("max_seconds", options.max_seconds);
  at_least_zero("discrepancy", options.discrepancy);
  require(options.tv >= 0 && options.tv <= 0.25, kName, "expected a tv of 0..0.25, got ",
          options.tv);
  require(std::isfinite(options.offset), kName, "expected a finite offset, got ", options.offset);
  require(options.background >= 0 && std::isfinite(options.background), kName,
          "expected a finite background >= 0, got ", options.background);
}

template <class T>
class RichardsonLucy {
 public:
  RichardsonLucy(const BlurOperator<T>& blur, const View<const T>& y, const View<T>& x,
                 const RichardsonLucyOptions<T>& options, const View<const T>& weight)
      : blur_(blur),
        y_(y),
        weight_(weight),
        x_(x),
        options_(options),
        execution_{options.threads, {}},
        frame_(Image<T>::uninitialised(blur.frame())),
        next_(Image<T>::uninitialised(blur.scene())) {
    check_frame();
    check_start();
    const Shape& scene = blur.scene();
    if (options.sensitivity) see();
    if (options.tv > 0) smooth_ = Image<T>::uninitialised(scene);
    if (options.accelerate) {
      last_ = Image<T>::uninitialised(scene);
      gain_ = Image<T>::uninitialised(scene);
    }
  }

  MinimiseResult run() {
    if (options_.background == 0) scale_start();
    while (true) {
      result_.value = predict();
      ++result_.evaluations;
      if (const std::optional<Stop> stop = tell()) {
        result_.stop = *stop;
        result_.seconds = seconds();
        return result_;
      }
      correct();
      step_ = std::sqrt(options_.accelerate ? leap() : walk());
      ++result_.iterations;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  double counts_of(T y, T w) const {
    return w > 0 ? std::max(static_cast<double>(y) - options_.offset, 0.0) : 0.0;
  }

  // The sum of f(y, w, frame) over all pixels; f may write to the frame.
  template <class F>
  double over_frame(const F& f) {
    const Index height = y_.height();
    const Index channels = y_.channels();
    std::vector<double> sums(static_cast<std::size_t>(y_.batch() * channels * height));
    parallel_for(static_cast<Index>(sums.size()), execution_, [&](Index row) {
      const Index n = row / (channels * height);
      const Index c = row / height % channels;
      const T* y = y_.row(n, c, row % height);
      const T* w = weight_.empty() ? nullptr
                                   : weight_.row(weight_.batch() == 1 ? 0 : n,
                                                 weight_.channels() == 1 ? 0 : c, row % height);
      T* u = frame_.data() + row * y_.width();
      double& sum = sums[static_cast<std::size_t>(row)];
      if (w == nullptr && y_.x_stride() == 1) {  // the usual case, for vector units
        sum = lane_sum(0, y_.width(), [=, &f](Index i) { return f(y[i], T{1}, u[i]); });
        return;
      }
      sum = lane_sum(0, y_.width(), [=, &f, this](Index i) {
        return f(y[i * y_.x_stride()], w == nullptr ? T{1} : w[i * weight_.x_stride()], u[i]);
      });
    });
    return std::accumulate(sums.begin(), sums.end(), 0.0);
  }
  // The sum of f(i) over the scene's pixels.
  template <class F>
  double over_scene(const F& f) const {
    return parallel_sum(x_.shape.elements(), options_.threads,
                        [&](Index begin, Index end) { return lane_sum(begin, end, f); });
  }

  void check_frame() {
    detail::check_same_shape(kName, "image", y_.shape, blur_.frame());
    require(weight_.empty() || (weight_.rank() == 4 && weight_.height() == y_.height() &&
                                weight_.width() == y_.width() &&
                                (weight_.batch() == 1 || weight_.batch() == y_.batch()) &&
                                (weight_.channels() == 1 || weight_.channels() == y_.channels())),
            kName, "expected a weight (N or 1, C or 1, H, W) of the image ", y_.shape.text(),
            ", got ", weight_.shape.text());
    const double bad = over_frame([](T y, T w, T& /*u*/) {
      return w >= 0 && std::isfinite(w) && (w == 0 || std::isfinite(y)) ? 0.0 : 1.0;
    });
    require(bad == 0, kName, "expected finite pixels and weights >= 0, got ", bad, " others");
    counted_ = over_frame([](T /*y*/, T w, T& /*u*/) { return w > 0 ? 1.0 : 0.0; });
    require(counted_ > 0, kName, "expected a pixel of weight > 0, got none");
    const double square = over_frame([this](T y, T w, T& /*u*/) {
      const double counts = counts_of(y, w);
      return counts * counts;
    });
    typical_ = std::sqrt(square / counted_) + options_.background;
  }

  void check_start() {
    detail::check_same_shape(kName, "scene", x_.shape, blur_.scene());
    require(x_.stride == View<T>(x_.data, x_.shape).stride, kName, "expected a packed scene");
    detail::check_finite<T>(kName, "scene", x_, execution_);
    const auto [least, most] = std::minmax_element(x_.data, x_.data + x_.shape.elements());
    require(*least >= 0 && *most > 0, kName,
            "expected a scene of pixels >= 0, one of them > 0, got ", *least, " to ", *most);
  }

  void see() {
    over_frame([](T /*y*/, T w, T& u) {
      u = w;
      return 0.0;
    });
    seen_ = Image<T>::uninitialised(blur_.scene());
    blur_.adjoint(frame_, seen_, execution_);
    T* s = seen_.data();
    const T largest = *std::max_element(s, s + seen_.elements());
    // Rounding is all that remains where little is seen.
    const T least = 1000 * std::numeric_limits<T>::epsilon() * largest;
    std::replace_if(
        s, s + seen_.elements(), [=](T v) { return !(v > least); }, T{0});
  }

  // A start of y's brightness: the first step makes it so, but for what keeps its start.
  void scale_start() {
    blur_.forward(x_, frame_, execution_);
    const double recorded =
        over_frame([this](T y, T w, T& /*u*/) { return static_cast<double>(w) * counts_of(y, w); });
    const double predicted = over_frame(
        [](T /*y*/, T w, T& u) { return static_cast<double>(w) * static_cast<double>(u); });
    const double factor = recorded / predicted;  // T may not hold it
    if (!(factor > 0 && std::isfinite(factor))) return;
    over_scene([=, x = x_.data](Index i) {
      x[i] = static_cast<T>(factor * static_cast<double>(x[i]));
      return 0.0;
    });
  }

  // frame = A x + background; returns the mean squared residual.
  double predict() {
    blur_.forward(x_, frame_, execution_);
    const auto background = static_cast<T>(options_.background);
    const double residual = over_frame([=, this](T y, T w, T& u) {
      u += background;
      const double r = static_cast<double>(u) + options_.offset - static_cast<double>(y);
      return w > 0 ? r * r : 0.0;
    });
    return residual / counted_;
  }

  std::optional<Stop> tell() {
    const double now = seconds();
    const std::span<const T> flat(x_.data, static_cast<std::size_t>(x_.shape.elements()));
    if (options_.callback &&
        !options_.callback({result_.iterations, result_.value, 0.0, step_, now, flat})) {
      return Stop::cancelled;
    }
    if (options_.discrepancy > 0 && result_.value <= options_.discrepancy) return Stop::gradient;
    if (result_.iterations > 0 && options_.change_tolerance > 0) {
      const double square = over_scene(
          [x = x_.data](Index i) { return static_cast<double>(x[i]) * static_cast<double>(x[i]); });
      if (step_ <= options_.change_tolerance * std::sqrt(square)) return Stop::change;
    }
    if (result_.iterations >= options_.max_iterations) return Stop::iterations;
    if (now >= options_.max_seconds) return Stop::time;
    return std::nullopt;
  }

  // next = A^T of the ratio of what was recorded to what is predicted.
  void correct() {
    // A prediction below its own rounding says nothing; without a floor it would be all that
    // counts. The upper limit is for starts too small by many orders.
    const double least =
        std::max(8 * static_cast<double>(std::numeric_limits<T>::epsilon()) * typical_,
                 std::numeric_limits<double>::min());
    constexpr double kLargest = 1e15;
    over_frame([=, this](T y, T w, T& u) {
      const double ratio = counts_of(y, w) / std::max(static_cast<double>(u), least);
      u = static_cast<T>(static_cast<double>(w) * std::min(ratio, kLargest));
      return 0.0;
    });
    blur_.adjoint(frame_, next_, execution_);
    if (options_.tv > 0) smoothen();
  }

  // Where the plain step takes x, from next.
  auto stepped() const {
    return [x = x_.data, ratio = next_.data(), seen = seen_.empty() ? nullptr : seen_.data(),
            smooth = smooth_.empty() ? nullptr : smooth_.data()](Index i) {
      const T s = (seen ? seen[i] : T{1}) * (smooth ? smooth[i] : T{1});
      return s > 0 ? x[i] * (std::max(ratio[i], T{0}) / s) : x[i];
    };
  }

  // smooth = 1 - tv div(...), which is > 0: |div| <= 2 + sqrt(2)
  void smoothen() {
    using Differences = detail::FirstDifferences;
    const Shape& scene = blur_.scene();
    const Index width = scene[3];
    const Index planes = Differences::kComponents * scene[1];
    const detail::Groups groups{scene[0], scene[1], true};
    const auto rise = static_cast<T>(4 * options_.tv);
    const auto dark = std::max(static_cast<T>(1e-12 * typical_), std::numeric_limits<T>::min());
    std::fill_n(smooth_.data(), smooth_.elements(), T{1});
    detail::sweep_rows<Differences, T>(
        scene, true, 0, options_.threads,
        [&, x = View<const T>(x_)](Index group, Index y, T* rows, T* work) {
          T* slope = work + width;  // below which TV is smooth; squares of slopes could overflow
          std::fill_n(slope, width, dark);
          for (Index c = 0; c < scene[1]; ++c) {
            const T* level = x.row(group, c, y);
            for (Index i = 0; i < width; ++i) slope[i] = std::max(slope[i], rise * level[i]);
          }
          for (Index i = 0; i < width; ++i) slope[i] = 1 / slope[i];
          detail::difference_rows<Differences>(x, groups, group, y, rows);
          detail::scale_planes(rows, planes, width, slope);
          detail::squared_norms(rows, planes, width, work);
          for (Index i = 0; i < width; ++i) work[i] = 1 / std::max(std::sqrt(work[i]), T{1});
          detail::scale_planes(rows, planes, width, work);
          return 0.0;
        },
        static_cast<T>(options_.tv), smooth_.view());
  }

  // x = the plain step; returns its square.
  double walk() {
    return over_scene([x = x_.data, step = stepped()](Index i) {
      const T to = step(i);
      const double d = static_cast<double>(to) - static_cast<double>(x[i]);
      x[i] = to;
      return d * d;
    });
  }

  // x = the plain step, and further along the way from the last one's end; returns the square of
  // the whole.
  double leap() {
    const bool first = result_.iterations == 0;
    const double product = over_scene(
        [first, x = x_.data, next = next_.data(), gain = gain_.data(), step = stepped()](Index i) {
          next[i] = step(i);
          const T g = next[i] - x[i];
          const double before = first ? 0.0 : static_cast<double>(gain[i]);
          gain[i] = g;
          return static_cast<double>(g) * before;
        });
    const double alpha = first ? 0.0 : std::clamp(product / gain_square_, 0.0, 1.0);
    gain_square_ = over_scene([gain = gain_.data()](Index i) {
      return static_cast<double>(gain[i]) * static_cast<double>(gain[i]);
    });
    return over_scene([first, factor = static_cast<T>(std::isfinite(alpha) ? alpha : 0.0),
                       x = x_.data, next = next_.data(), last = last_.data()](Index i) {
      const T move = first ? T{0} : next[i] - last[i];
      // Never to 0, which no later step could leave.
      const T to = std::max(next[i] + factor * move, next[i] / 16);
      const double d = static_cast<double>(to) - static_cast<double>(x[i]);
      last[i] = next[i];
      x[i] = to;
      return d * d;
    });
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  const BlurOperator<T>& blur_;
  View<const T> y_;
  View<const T> weight_;
  View<T> x_;
  const RichardsonLucyOptions<T>& options_;
  const Execution execution_;
  const Clock::time_point start_ = Clock::now();
  Image<T> frame_;   // A x + background, then the ratio of y to it
  Image<T> next_;    // A^T of that, then the plain step's end
  Image<T> seen_;    // s
  Image<T> smooth_;  // what s is multiplied by for tv
  Image<T> last_;    // next, and next - x, of the iteration before
  Image<T> gain_;
  double gain_square_ = 0.0;
  double counted_ = 0.0;
  double typical_ = 0.0;  // of y - offset + background
  double step_ = 0.0;
  MinimiseResult result_;
};

}  // namespace

template <class T>
MinimiseResult richardson_lucy(const BlurOperator<T>& blur, const View<const T>& y,
                               const View<T>& x, const RichardsonLucyOptions<T>& options,
                               const View<const T>& weight) {
  check_options(options);
  return RichardsonLucy<T>(blur, y, x, options, weight).run();
}

#define BLURFIELD_INSTANTIATE(T)                                                           \
  template MinimiseResult richardson_lucy(const BlurOperator<T>&, const View<const T>&,    \
                                          const View<T>&, const RichardsonLucyOptions<T>&, \
                                          const View<const T>&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
