// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/fidelity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "blurfield/base/check.h"
#include "blurfield/deblur/detail/penalty.h"
#include "blurfield/deblur/detail/row_sweep.h"

namespace blurfield {
namespace {

constexpr const char* kName = "fidelity";
constexpr std::array<std::string_view, 4> kNames{"gaussian", "huber", "poisson", "norm"};

// A function f of one pixel's prediction u, with its derivatives, the share of chi^2, and the
// minimiser e of (e - d)^2 / 2 + step f*(e). y is the pixel recorded, w > 0 its weight.
struct GaussianPixel {
  double inverse;  // 1 / s^2
  double value(double u, double y, double w) const { return w * inverse * (u - y) * (u - y) / 2; }
  double slope(double u, double y, double w) const { return w * inverse * (u - y); }
  double bend(double /*u*/, double /*y*/, double w) const { return w * inverse; }
  double conjugate(double d, double y, double w, double step) const {
    return w * inverse * (d - step * y) / (w * inverse + step);
  }
};

struct HuberPixel {
  double noise;
  double threshold;
  double value(double u, double y, double w) const {
    const double t = std::abs(u - y) / noise;
    const double cut = std::min(t, threshold);
    return w * (cut * cut / 2 + threshold * (t - cut));
  }
  double slope(double u, double y, double w) const {
    return w * std::clamp((u - y) / noise, -threshold, threshold) / noise;
  }
  double bend(double u, double y, double w) const {
    return std::abs(u - y) <= threshold * noise ? w / (noise * noise) : 0.0;
  }
  double conjugate(double d, double y, double w, double step) const {
    const double most = w * threshold / noise;
    const GaussianPixel quadratic{1 / (noise * noise)};
    return std::clamp(quadratic.conjugate(d, y, w, step), -most, most);
  }
};

struct PoissonPixel {
  double gain;
  double offset;
  double background;
  double least;  // of m, below which a parabola of the same slope goes on

  double counts(double y) const { return std::max((y - offset) / gain, 0.0); }
  double mean(double u) const { return (u + background) / gain; }
  // The parabola's second derivative by m: the function's own there, or, for counts k below
  // `least`, what puts its minimum at m = k.
  double steepest(double k) const { return std::max(k, least) / (least * least); }
  double value(double u, double y, double w) const {
    const double k = counts(y);
    const double m = mean(u);
    const double at = std::max(m, least);
    const double below = m - at;
    const double from = std::max(k, least);
    return w *
           (at - from - k * std::log1p((at - from) / from) + (from - k) * (from - k) / (2 * least) +
            below * (1 - k / at) + below * below * steepest(k) / 2);
  }
  double slope(double u, double y, double w) const {
    const double k = counts(y);
    const double m = mean(u);
    const double at = std::max(m, least);
    return w / gain * (1 - k / at + steepest(k) * (m - at));
  }
  double bend(double u, double y, double w) const {
    const double k = counts(y);
    const double m = mean(u);
    return w / (gain * gain) * (m >= least ? k / (m * m) : steepest(k));
  }
  // By Moreau: d less step times the u that minimises step (u - d / step)^2 / 2 + f(u).
  double conjugate(double d, double y, double w, double step) const {
    const double k = counts(y);
    const double a = gain * step;
    const double b = step * (background + d / step) - w / gain;
    const double root = std::sqrt(b * b + 4 * a * w / gain * k);
    // The positive root, written without cancellation.
    double m = b >= 0 ? (b + root) / (2 * a) : 2 * w / gain * k / (root - b);
    if (!(m >= least)) {
      m = (b + w / gain * (k / least + steepest(k) * least)) / (a + w / gain * steepest(k));
    }
    return d - step * (gain * m - background);
  }
};

// A row of the frame and of its weights.
template <class T>
struct Row {
  const T* y;
  const T* w;  // null: 1
  Index y_step, w_step;
  double recorded(Index x) const { return static_cast<double>(y[x * y_step]); }
  double weight(Index x) const { return w == nullptr ? 1.0 : static_cast<double>(w[x * w_step]); }
};

// The sum over all rows of f(n, c, y, row).
template <class T, class F>
double over_rows(const View<const T>& frame, const View<const T>& weight, int threads, const F& f) {
  return detail::sum_rows(frame.shape, threads, [&](Index n, Index c, Index y) {
    const T* w = weight.empty()
                     ? nullptr
                     : weight.row(weight.batch() == 1 ? 0 : n, weight.channels() == 1 ? 0 : c, y);
    return f(
        n, c, y,
        Row<T>{frame.row(n, c, y), w, frame.x_stride(), weight.empty() ? 0 : weight.x_stride()});
  });
}

// The sum of f(x, recorded, weight) over a row.
template <class T, class F>
double along(const Row<T>& row, Index width, const F& f) {
  using detail::pixel_sum;
  if (row.w == nullptr && row.y_step == 1) {  // known to the compiler, it is much faster
    return pixel_sum<double>(width,
                             [&](Index x) { return f(x, static_cast<double>(row.y[x]), 1.0); });
  }
  return pixel_sum<double>(width, [&](Index x) { return f(x, row.recorded(x), row.weight(x)); });
}

template <class T>
void check_frame(const View<T>& u, const View<const std::remove_const_t<T>>& y, const char* name) {
  detail::check_same_shape(kName, name, u.shape, y.shape);
  require(u.width() == 1 || u.x_stride() == 1, kName, "expected a ", name,
          " whose pixels lie side by side, got a stride of ", u.x_stride());
}

}  // namespace

std::string_view fidelity_name(Fidelity fidelity) {
  return kNames[static_cast<std::size_t>(fidelity)];
}

std::optional<Fidelity> parse_fidelity(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Fidelity>(i);
  }
  return std::nullopt;
}

template <class T>
FidelityTerm<T>::FidelityTerm(const View<const T>& y, const FidelityOptions& options,
                              const View<const T>& weight, int threads)
    : y_(y), weight_(weight), options_(options), threads_(threads) {
  require(y.rank() == 4 && !y.empty() && y.shape.elements() > 0, kName,
          "expected a frame (N, C, H, W) with pixels, got ", y.shape.text());
  require(weight.empty() ||
              (weight.rank() == 4 && weight.height() == y.height() && weight.width() == y.width() &&
               (weight.batch() == 1 || weight.batch() == y.batch()) &&
               (weight.channels() == 1 || weight.channels() == y.channels())),
          kName, "expected a weight (N or 1, C or 1, H, W) of the frame ", y.shape.text(), ", got ",
          weight.shape.text());
  const auto positive = [](const char* name, double value) {
    require(value > 0 && std::isfinite(value), kName, "expected ", name, " > 0, got ", value);
  };
  positive("noise", options.noise);
  positive("threshold", options.threshold);
  positive("gain", options.gain);
  require(std::isfinite(options.offset), kName, "expected a finite offset, got ", options.offset);
  require(options.background >= 0 && std::isfinite(options.background), kName,
          "expected a background >= 0, got ", options.background);
  const auto total = [&](const auto& f) {
    return over_rows(y_, weight_, threads_, [&](Index, Index, Index, const Row<T>& row) {
      return along(row, y_.width(), [&](Index, double v, double w) { return w > 0 ? f(v, w) : 0; });
    });
  };
  counted_ = total([](double, double) { return 1.0; });
  require(std::isfinite(total([](double v, double w) { return v * w; })), kName,
          "expected finite pixels and weights");
  if (options.kind != Fidelity::poisson) return;
  const PoissonPixel pixel{options.gain, options.offset, options.background, 1.0};
  const double counts = total([&](double v, double) { return pixel.counts(v); });
  smallest_ = std::max(options.background / options.gain, 0.01 * counts / std::max(counted_, 1.0));
  if (!(smallest_ > 0)) smallest_ = 1.0;
}

// Calls f with the function of one pixel; that of gaussian of noise 1 for norm, which is the root
// of its sum.
template <class T>
template <class F>
auto FidelityTerm<T>::with_pixel(const F& f) const {
  switch (options_.kind) {
    case Fidelity::huber:
      return f(HuberPixel{options_.noise, options_.threshold});
    case Fidelity::poisson:
      return f(PoissonPixel{options_.gain, options_.offset, options_.background, smallest_});
    case Fidelity::norm:
      return f(GaussianPixel{1.0});
    default:
      return f(GaussianPixel{1 / (options_.noise * options_.noise)});
  }
}

// The sum over all pixels of f(pixel function, u, recorded, weight), which may write to u.
template <class T>
template <class U, class F>
double FidelityTerm<T>::sum(const View<U>& u, const F& f) const {
  check_frame(u, y_, "prediction");
  return with_pixel([&](const auto& pixel) {
    return over_rows(y_, weight_, threads_, [&](Index n, Index c, Index y, const Row<T>& row) {
      U* to = u.row(n, c, y);
      return along(row, y_.width(),
                   [&](Index x, double v, double w) { return f(pixel, to[x], v, w); });
    });
  });
}

template <class T>
double FidelityTerm<T>::value(const View<const T>& u) const {
  const double total = sum(u, [](const auto& pixel, T p, double y, double w) {
    return w > 0 ? pixel.value(static_cast<double>(p), y, w) : 0.0;
  });
  return options_.kind == Fidelity::norm ? std::sqrt(total) : total;
}

template <class T>
double FidelityTerm<T>::gradient(const View<T>& u) const {
  const bool norm = options_.kind == Fidelity::norm;
  const double root = norm ? value(u) : 1.0;
  // Where the norm is 0 the subgradient 0 stands.
  const double factor = !norm ? 1.0 : root > 0 ? 1 / (2 * root) : 0.0;
  const double total = sum(u, [factor](const auto& pixel, T& p, double y, double w) {
    const auto at = static_cast<double>(p);
    p = w > 0 ? static_cast<T>(factor * pixel.slope(at, y, w)) : T{0};
    return w > 0 ? pixel.value(at, y, w) : 0.0;
  });
  return norm ? root : total;
}

template <class T>
void FidelityTerm<T>::curvature(const View<const T>& u, const View<T>& v,
                                std::optional<double> known) const {
  check_frame(u, y_, "prediction");
  check_frame(v, y_, "direction");
  // The norm's second derivative, with f its value: w v / (2 f) - w r <w r, v> / (4 f^3).
  const bool norm = options_.kind == Fidelity::norm;
  const double root = !norm ? 1.0 : known ? *known : value(u);
  const double factor = !norm ? 1.0 : root > 0 ? 1 / (2 * root) : 0.0;
  const auto pairs = [&](const auto& f) {
    return with_pixel([&](const auto& pixel) {
      return over_rows(y_, weight_, threads_, [&](Index n, Index c, Index y, const Row<T>& row) {
        const T* at = u.row(n, c, y);
        T* to = v.row(n, c, y);
        return along(row, y_.width(), [&](Index x, double recorded, double w) {
          return f(pixel, static_cast<double>(at[x]), to[x], recorded, w);
        });
      });
    });
  };
  const double dot = !norm ? 0.0 : pairs([](const auto& pixel, double p, T& d, double y, double w) {
    return w > 0 ? pixel.slope(p, y, w) * static_cast<double>(d) : 0.0;
  });
  const double across = root > 0 ? dot / (4 * root * root * root) : 0.0;
  pairs([=](const auto& pixel, double p, T& d, double y, double w) {
    const double along_v = factor * (w > 0 ? pixel.bend(p, y, w) : 0.0) * static_cast<double>(d);
    d = static_cast<T>(along_v - (norm && w > 0 ? across * pixel.slope(p, y, w) : 0.0));
    return 0.0;
  });
}

template <class T>
double FidelityTerm<T>::curvature_bound() const {
  if (options_.kind == Fidelity::norm) return std::numeric_limits<double>::infinity();
  const Index height = y_.height();
  std::vector<double> largest(static_cast<std::size_t>(y_.batch() * y_.channels() * height));
  with_pixel([&](const auto& pixel) {
    return over_rows(y_, weight_, threads_, [&](Index n, Index c, Index y, const Row<T>& row) {
      double& most = largest[static_cast<std::size_t>((n * y_.channels() + c) * height + y)];
      return along(row, y_.width(), [&](Index, double v, double w) {
        // Steepest where the prediction is far below what is possible; huber's at its middle.
        const double at = options_.kind == Fidelity::huber ? v : -options_.background;
        if (w > 0) most = std::max(most, pixel.bend(at, v, w));
        return 0.0;
      });
    });
  });
  return *std::max_element(largest.begin(), largest.end());
}

template <class T>
double FidelityTerm<T>::residual(double value) const {
  const double chi =
      options_.kind == Fidelity::norm ? value / options_.noise : std::sqrt(std::max(value, 0.0));
  return chi * std::sqrt(2 / std::max(counted_, 1.0));
}

template <class T>
void FidelityTerm<T>::conjugate_step(const View<T>& d, double step) const {
  require(options_.kind != Fidelity::norm, kName, "expected another than norm for a dual step");
  sum(d, [step](const auto& pixel, T& e, double y, double w) {
    e = w > 0 ? static_cast<T>(pixel.conjugate(static_cast<double>(e), y, w, step)) : T{0};
    return 0.0;
  });
}

template class FidelityTerm<float>;
template class FidelityTerm<double>;

}  // namespace blurfield
