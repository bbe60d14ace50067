// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/wiener.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "blurfield/base/check.h"
#include "blurfield/fft/plane_fft.h"

namespace blurfield {
namespace {

// One axis of the periodic plane that a frame is laid into: the frame's pixels, then what leads
// from its end back to its beginning.
struct PeriodicAxis {
  Index frame;
  Index size;
  Mode mode;

  PeriodicAxis(Index pixels, Index radius, Mode beyond)
      : frame(pixels),
        size(beyond == Mode::wrap ? pixels : fft::smooth_size(pixels + 4 * radius)),
        mode(beyond) {}

  // Position i is the mean of pixels `after` (of this weight) and `before`; -1 is 0.
  struct Blend {
    Index after, before;
    double weight;
  };
  Blend at(Index i) const {
    if (i < frame) return {i, i, 1.0};
    const double way = static_cast<double>(i - frame + 1) / static_cast<double>(size - frame + 1);
    return {extend(i, frame, mode), extend(i - size, frame, mode),
            0.5 + 0.5 * std::cos(std::numbers::pi * way)};
  }
};

// The power that the prior expects of frequency (y, x) is one by the strength times this.
struct Roughness {
  std::vector<double> y;
  std::vector<double> x;
  double at(Index ky, Index kx) const {
    return y[static_cast<std::size_t>(ky)] + x[static_cast<std::size_t>(kx)];
  }
};

template <class F>
std::vector<double> tabulate(Index size, const F& f) {
  std::vector<double> table(static_cast<std::size_t>(size));
  for (Index k = 0; k < size; ++k) {
    table[static_cast<std::size_t>(k)] =
        f(static_cast<double>(std::min(k, size - k)) / static_cast<double>(size));
  }
  return table;
}

template <class T>
class ClosedForm {
 public:
  using Complex = std::complex<T>;

  ClosedForm(const char* name, const BlurOperator<T>& blur, const View<const T>& y, double noise,
             const WienerOptions& options)
      : y_(y),
        execution_{options.threads, {}},
        rows_(axis(name, blur, 0)),
        columns_(axis(name, blur, 1)),
        fft_(rows_.size, columns_.size),
        psf_(fft_.spectrum()),
        pixels_(fft_.spectrum()) {
    detail::check_same_shape(name, "image", y.shape, blur.frame());
    detail::check_finite<T>(name, "image", y, execution_);
    require(noise > 0 && std::isfinite(noise), name, "expected a finite noise > 0, got ", noise);
    transform_psf(*blur.psf());
    unit_ = largest();
    noise_ = noise / unit_;
    image_ = Image<T>::uninitialised(y.shape);
  }

  // Deblurs all channels of image n.
  void restore(Index n, const Roughness& rough, double strength) {
    for (Index c = 0; c < y_.channels(); c += 2) {
      transform(n, c);
      filter(rough, strength);
      store(n, c);
    }
  }

  // noise^2 / c of image n, where the law c / |f|^2 of the sharp image's power is fitted to what
  // the recorded one's shows above the noise: Fisher's scoring of the spectrum's likelihood
  // (Whittle 1953), which weighs each frequency by the square of the signal's share in it.
  double wiener_strength(Index n, const Roughness& rough) {
    Image<T> power = no_power();
    add_power(n, power);
    const double scale = 1 / (pixels() * static_cast<double>(y_.channels()));
    const double variance = noise_ * noise_;
    double c = 1.0;
    for (int i = 0; i < 12; ++i) {
      const auto weighted = [&](bool numerator) {
        return over_columns([&](Index kx) {
          double sum = 0.0;
          for (Index ky = kx == 0 ? 1 : 0; ky < fft_.rows(); ++ky) {
            const double gain = known(ky, kx) / rough.at(ky, kx);
            const double share = c * gain / (c * gain + variance);
            const double excess = scale * at(power, ky, kx) - variance;
            if (gain > 0) sum += share * share * (numerator ? excess / gain : 1.0);
          }
          return sum;
        });
      };
      const double weight = weighted(false);
      if (!(weight > 0)) return 0.0;
      c = std::max(weighted(true) / weight, c / 10);
    }
    return variance / c;
  }

  // The strength of least generalised cross-validation over all images and channels.
  double gcv_strength(const Roughness& rough) {
    Image<T> power = no_power();
    for (Index n = 0; n < y_.batch(); ++n) add_power(n, power);
    const auto score = [&](double log_strength) {
      const double strength = std::exp(log_strength);
      // The shares of each frequency that the fit leaves over.
      const auto left = [&](Index ky, Index kx) {
        const double q = strength * rough.at(ky, kx);
        return q / (known(ky, kx) + q);
      };
      const double residual = over_columns([&](Index kx) {
        double sum = 0.0;
        for (Index ky = 0; ky < fft_.rows(); ++ky) {
          const double part = left(ky, kx);
          sum += part * part * at(power, ky, kx);
        }
        return sum;
      });
      const double freedom = over_columns([&](Index kx) {
        double sum = 0.0;
        for (Index ky = 0; ky < fft_.rows(); ++ky) sum += left(ky, kx);
        return sum;
      });
      return residual / (freedom * freedom);
    };
    return std::exp(least(score, std::log(1e-12), std::log(1e4)));
  }

  Index rows() const { return fft_.rows(); }
  Index columns() const { return fft_.columns(); }
  Image<T> take_image() { return std::move(image_); }

 private:
  static PeriodicAxis axis(const char* name, const BlurOperator<T>& blur, int axis) {
    require(blur.psf() != nullptr, name, "expected a blur that is the same everywhere");
    const Border& border = blur.border();
    return {blur.frame()[2 + axis], blur.psf()->shape()[axis] / 2,
            border.extend ? Mode::nearest : border.mode};
  }

  double pixels() const { return static_cast<double>(fft_.rows() * fft_.columns()); }
  Complex* column(Image<Complex>& spectrum, Index kx) const {
    return spectrum.data() + kx * fft_.pitch();
  }

  // |P|^2
  double known(Index ky, Index kx) const {
    return static_cast<double>(std::norm(psf_.data()[kx * fft_.pitch() + ky]));
  }
  Image<T> no_power() const { return Image<T>({fft_.columns(), fft_.pitch()}); }
  double at(const Image<T>& power, Index ky, Index kx) const {
    return static_cast<double>(power.data()[kx * fft_.pitch() + ky]);
  }
  // Adds the power of image n, all channels together.
  void add_power(Index n, Image<T>& power) {
    for (Index c = 0; c < y_.channels(); c += 2) {
      transform(n, c);
      over_columns([&](Index kx) {
        T* to = power.data() + kx * fft_.pitch();
        const Complex* from = column(pixels_, kx);
        for (Index ky = 0; ky < fft_.rows(); ++ky) to[ky] += std::norm(from[ky]);
        return 0.0;
      });
    }
  }

  // The sum of f(kx) over all columns of frequencies.
  template <class F>
  double over_columns(const F& f) const {
    std::vector<double> sums(static_cast<std::size_t>(fft_.columns()));
    parallel_for(fft_.columns(), execution_,
                 [&](Index kx) { sums[static_cast<std::size_t>(kx)] = f(kx); });
    double sum = 0.0;
    for (double part : sums) sum += part;
    return sum;
  }

  // Its centre goes to pixel (0, 0); what is larger than the plane wraps around.
  void transform_psf(const Image<double>& psf) {
    const Index height = psf.shape()[0];
    const Index width = psf.shape()[1];
    const auto folded = [](Index i, Index size) { return (i % size + size) % size; };
    fft_.forward(
        [&](Index y, Complex* row) {
          std::fill_n(row, fft_.columns(), Complex{});
          for (Index i = 0; i < height; ++i) {
            if (folded(i - height / 2, fft_.rows()) != y) continue;
            for (Index j = 0; j < width; ++j) {
              row[folded(j - width / 2, fft_.columns())] +=
                  static_cast<T>(psf.data()[i * width + j]);
            }
          }
        },
        psf_.data(), execution_);
  }

  double largest() const {
    double most = 0.0;
    for (Index n = 0; n < y_.batch(); ++n) {
      for (Index c = 0; c < y_.channels(); ++c) {
        for (Index y = 0; y < y_.height(); ++y) {
          for (Index x = 0; x < y_.width(); ++x) {
            most = std::max(most, std::abs(static_cast<double>(y_.at(n, c, y, x))));
          }
        }
      }
    }
    return most > 0 ? most : 1.0;
  }

  // Row y of the periodic plane of channel c, in units.
  void load(Index n, Index c, Index y, double* row) const {
    const PeriodicAxis::Blend rows = rows_.at(y);
    const auto pixel = [&](Index at_y, Index x) {
      return at_y < 0 ? 0.0 : static_cast<double>(y_.at(n, c, at_y, x)) / unit_;
    };
    for (Index x = 0; x < columns_.frame; ++x) {
      row[x] = rows.weight * pixel(rows.after, x) + (1 - rows.weight) * pixel(rows.before, x);
    }
    for (Index x = columns_.frame; x < columns_.size; ++x) {
      const PeriodicAxis::Blend blend = columns_.at(x);
      const double after = blend.after < 0 ? 0.0 : row[blend.after];
      const double before = blend.before < 0 ? 0.0 : row[blend.before];
      row[x] = blend.weight * after + (1 - blend.weight) * before;
    }
  }

  // pixels = the spectrum of channels c and c + 1, if there is one.
  void transform(Index n, Index c) {
    fft_.forward(
        [&](Index y, Complex* row) {
          std::vector<double> parts(static_cast<std::size_t>(2 * columns_.size));
          load(n, c, y, parts.data());
          if (c + 1 < y_.channels()) load(n, c + 1, y, parts.data() + columns_.size);
          for (Index x = 0; x < columns_.size; ++x) {
            row[x] = {static_cast<T>(parts[static_cast<std::size_t>(x)]),
                      static_cast<T>(parts[static_cast<std::size_t>(columns_.size + x)])};
          }
        },
        pixels_.data(), execution_);
  }

  void filter(const Roughness& rough, double strength) {
    const double scale = 1 / pixels();
    over_columns([&](Index kx) {
      const Complex* p = column(psf_, kx);
      Complex* z = column(pixels_, kx);
      for (Index ky = 0; ky < fft_.rows(); ++ky) {
        const double power = static_cast<double>(std::norm(p[ky])) + strength * rough.at(ky, kx);
        // Where nothing is known, 0.
        const auto factor = static_cast<T>(power > 0 ? scale / power : 0.0);
        z[ky] *= factor * std::conj(p[ky]);
      }
      return 0.0;
    });
  }

  void store(Index n, Index c) {
    const View<T> to = image_;
    fft_.backward(
        pixels_.data(),
        [&](Index y, const Complex* row) {
          if (y >= to.height()) return;
          const auto unit = static_cast<T>(unit_);
          for (Index x = 0; x < to.width(); ++x) {
            to.at(n, c, y, x) = unit * row[x].real();
            if (c + 1 < to.channels()) to.at(n, c + 1, y, x) = unit * row[x].imag();
          }
        },
        execution_);
  }

  // The least of a scan over low..high, then by golden sections.
  template <class F>
  static double least(const F& f, double low, double high) {
    constexpr int kPoints = 25;
    constexpr int kSections = 12;
    const double step = (high - low) / (kPoints - 1);
    int best = 0;
    double value = f(low);
    for (int i = 1; i < kPoints; ++i) {
      const double here = f(low + i * step);
      if (here < value) {
        value = here;
        best = i;
      }
    }
    double a = low + std::max(best - 1, 0) * step;
    double b = low + std::min(best + 1, kPoints - 1) * step;
    constexpr double kGolden = std::numbers::phi - 1;
    double left = b - kGolden * (b - a);
    double right = a + kGolden * (b - a);
    double at_left = f(left);
    double at_right = f(right);
    for (int i = 0; i < kSections; ++i) {
      if (at_left < at_right) {
        b = std::exchange(right, left);
        at_right = at_left;
        left = b - kGolden * (b - a);
        at_left = f(left);
      } else {
        a = std::exchange(left, right);
        at_left = at_right;
        right = a + kGolden * (b - a);
        at_right = f(right);
      }
    }
    return (a + b) / 2;
  }

  View<const T> y_;
  Execution execution_;
  PeriodicAxis rows_;
  PeriodicAxis columns_;
  fft::PlaneFft<T> fft_;
  Image<Complex> psf_;
  Image<Complex> pixels_;
  Image<T> image_;
  double unit_ = 1.0;  // the largest pixel
  double noise_ = 0.0;
};

}  // namespace

template <class T>
WienerResult<T> wiener(const BlurOperator<T>& blur, const View<const T>& y, double noise,
                       const WienerOptions& options) {
  ClosedForm<T> form("wiener", blur, y, noise, options);
  const auto square = [](double f) { return f * f; };
  const Roughness rough{tabulate(form.rows(), square), tabulate(form.columns(), square)};
  for (Index n = 0; n < y.batch(); ++n) form.restore(n, rough, form.wiener_strength(n, rough));
  return {form.take_image(), 0.0};
}

template <class T>
WienerResult<T> tikhonov(const BlurOperator<T>& blur, const View<const T>& y, double noise,
                         const WienerOptions& options) {
  const double given = options.lambda.value_or(0.0);
  require(given >= 0 && std::isfinite(given), "tikhonov", "expected a finite lambda >= 0, got ",
          given);
  ClosedForm<T> form("tikhonov", blur, y, noise, options);
  const auto slope = [&](double f) {
    return options.gradient ? 4 * std::pow(std::sin(std::numbers::pi * f), 2) : 0.5;
  };
  const Roughness rough{tabulate(form.rows(), slope), tabulate(form.columns(), slope)};
  // In units of the largest pixel, lambda noise^2 is what it is in any.
  const double strength = options.lambda ? given * noise * noise : form.gcv_strength(rough);
  for (Index n = 0; n < y.batch(); ++n) form.restore(n, rough, strength);
  return {form.take_image(), strength / (noise * noise)};
}

#define BLURFIELD_INSTANTIATE(T)                                                          \
  template WienerResult<T> wiener(const BlurOperator<T>&, const View<const T>&, double,   \
                                  const WienerOptions&);                                  \
  template WienerResult<T> tikhonov(const BlurOperator<T>&, const View<const T>&, double, \
                                    const WienerOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
