// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/psf.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <string>
#include <system_error>
#include <vector>

#include "blurfield/ops/gaussian_kernel.h"

namespace blurfield {
namespace {

constexpr double kLargestRadius = 2047;  // 134 MB

// Pixels on each side of the centre that a length reaches: pixel k covers k - 1/2 .. k + 1/2.
Index pixels_within(double length) {
  return std::max<Index>(0, static_cast<Index>(std::ceil(length + 0.5)) - 1);
}

void check_radius(const char* operation, double radius) {
  require(radius <= kLargestRadius, operation, "expected a radius of at most ", kLargestRadius,
          " pixels, got ", radius);
}

// A point-spread function of these radii by its pixels' values, not normalised.
template <class F>
Image<double> from_pixels(Index ry, Index rx, const F& value) {
  Image<double> psf({2 * ry + 1, 2 * rx + 1});
  double* to = psf.data();
  for (Index y = -ry; y <= ry; ++y) {
    for (Index x = -rx; x <= rx; ++x) {
      *to++ = value(static_cast<double>(y), static_cast<double>(x));
    }
  }
  return normalised_psf(psf);
}

// The area that the disk of radius r around 0 shares with the rectangle between 0 and (y, x),
// negative where one of y and x is.
double corner_area(double r, double y, double x) {
  const double height = std::min(std::abs(y), r);
  const double width = std::min(std::abs(x), r);
  const double flat = std::min(width, std::sqrt((r - height) * (r + height)));
  const auto below_arc = [r](double t) {
    return 0.5 * (t * std::sqrt((r - t) * (r + t)) + r * r * std::asin(t / r));
  };
  const double area = height * flat + below_arc(width) - below_arc(flat);
  return std::copysign(area, y) * std::copysign(1.0, x);
}

// The integral of Moffat's profile, exponent -beta, over a square; by Gauss and Legendre where the
// square is small beside its distance to the profile's poles, else over its four quarters.
class MoffatIntegral {
 public:
  MoffatIntegral(double alpha, double beta) : alpha_(alpha), beta_(beta) {}

  double operator()(double y, double x, double size) const {
    const double gap_y = std::max(0.0, std::abs(y) - 0.5 * size);
    const double gap_x = std::max(0.0, std::abs(x) - 0.5 * size);
    if (size <= 0.5 * std::hypot(alpha_, gap_y, gap_x)) return smooth(y, x, size);
    const double quarter = 0.25 * size;
    double sum = 0.0;
    for (const double dy : {-quarter, quarter}) {
      for (const double dx : {-quarter, quarter}) sum += (*this)(y + dy, x + dx, 0.5 * size);
    }
    return sum;
  }

 private:
  // Of eight nodes: an error of 1e-14 at most.
  double smooth(double y, double x, double size) const {
    constexpr std::array<double, 4> kNode{0.18343464249564980, 0.52553240991632899,
                                          0.79666647741362674, 0.96028985649753623};
    constexpr std::array<double, 4> kWeight{0.36268378337836198, 0.31370664587788729,
                                            0.22238103445337447, 0.10122853629037626};
    const double half = 0.5 * size;
    double sum = 0.0;
    for (std::size_t i = 0; i < 8; ++i) {
      const double u = (y + (i % 2 ? half : -half) * kNode[i / 2]) / alpha_;
      for (std::size_t j = 0; j < 8; ++j) {
        const double v = (x + (j % 2 ? half : -half) * kNode[j / 2]) / alpha_;
        sum += kWeight[i / 2] * kWeight[j / 2] * std::exp(-beta_ * std::log1p(u * u + v * v));
      }
    }
    return half * half * sum;
  }

  double alpha_;
  double beta_;
};

// The numbers of "name:a", "name:a,b": as many as there are, separated by `separator`.
std::vector<double> numbers(std::string_view text, char separator) {
  std::vector<double> all;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    double value = 0.0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + end, value);
    if (error != std::errc{} || rest != text.data() + end || end == 0) return {};
    all.push_back(value);
    if (end == text.size()) return all;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Image<double> gaussian_psf(double sigma, double truncate) {
  constexpr const char* kName = "gaussian_psf";
  require(std::isfinite(sigma) && sigma > 0, kName, "expected sigma > 0, got ", sigma);
  require(std::isfinite(truncate) && truncate > 0, kName, "expected truncate > 0, got ", truncate);
  const int radius = gaussian_radius(sigma, truncate);
  check_radius(kName, radius);
  const Kernel2d kernel = gaussian_kernel2d({sigma, sigma}, {radius, radius});
  const Index side = 2 * Index{radius} + 1;
  return Image<double>(View<const double>(kernel.taps.data(), {side, side}));
}

Image<double> disk_psf(double radius) {
  constexpr const char* kName = "disk_psf";
  require(std::isfinite(radius) && radius > 0, kName, "expected a radius > 0, got ", radius);
  check_radius(kName, radius);
  const Index r = pixels_within(radius);
  return from_pixels(r, r, [radius](double y, double x) {
    const double area =
        corner_area(radius, y + 0.5, x + 0.5) - corner_area(radius, y - 0.5, x + 0.5) -
        corner_area(radius, y + 0.5, x - 0.5) + corner_area(radius, y - 0.5, x - 0.5);
    return std::max(0.0, area);
  });
}

Image<double> motion_psf(double length, double angle) {
  constexpr const char* kName = "motion_psf";
  require(std::isfinite(length) && length >= 0, kName, "expected a length >= 0, got ", length);
  require(std::isfinite(angle), kName, "expected a finite angle, got ", angle);
  check_radius(kName, 0.5 * length);
  const double radians = angle * std::numbers::pi / 180.0;
  const double step_y = -std::sin(radians);  // y grows downwards
  const double step_x = std::cos(radians);
  const double half = 0.5 * length;
  const Index ry = pixels_within(half * std::abs(step_y));
  const Index rx = pixels_within(half * std::abs(step_x));
  // Where on the path -half..half it enters another pixel.
  std::vector<double> stops{-half, half};
  const auto add_crossings = [&](Index r, double step) {
    for (Index k = -r; k < r; ++k) {
      const double at = (static_cast<double>(k) + 0.5) / step;
      if (std::abs(at) < half) stops.push_back(at);
    }
  };
  add_crossings(ry, step_y);
  add_crossings(rx, step_x);
  std::sort(stops.begin(), stops.end());
  Image<double> psf({2 * ry + 1, 2 * rx + 1});
  if (length == 0) psf.data()[0] = 1.0;
  for (std::size_t i = 1; i < stops.size(); ++i) {
    const double middle = 0.5 * (stops[i - 1] + stops[i]);
    const Index y = std::clamp<Index>(std::lround(middle * step_y), -ry, ry) + ry;
    const Index x = std::clamp<Index>(std::lround(middle * step_x), -rx, rx) + rx;
    psf.data()[y * (2 * rx + 1) + x] += stops[i] - stops[i - 1];
  }
  return normalised_psf(psf);
}

Image<double> moffat_psf(double fwhm, double beta) {
  constexpr const char* kName = "moffat_psf";
  require(std::isfinite(fwhm) && fwhm > 0, kName, "expected fwhm > 0, got ", fwhm);
  require(std::isfinite(beta) && beta > 1, kName, "expected beta > 1, got ", beta);
  const double alpha = 0.5 * fwhm / std::sqrt(std::expm1(std::numbers::ln2 / beta));
  // Beyond r lies (1 + (r / alpha)^2)^(1 - beta) of the light.
  const double tail = alpha * std::sqrt(std::expm1(3.0 * std::numbers::ln10 / (beta - 1.0)));
  const double radius = std::min(tail, 64.0 * fwhm);
  check_radius(kName, radius);
  const Index r = pixels_within(radius);
  const MoffatIntegral integral(alpha, beta);
  return from_pixels(r, r, [&](double y, double x) { return integral(y, x, 1.0); });
}

std::optional<Image<double>> parse_psf(std::string_view text) {
  struct Kind {
    std::string_view name;
    std::string_view form;
    char separator;
    std::size_t count;
  };
  constexpr std::array<Kind, 4> kKinds{{{"gauss", "gauss:SIGMA", ',', 1},
                                        {"disk", "disk:RADIUS", ',', 1},
                                        {"motion", "motion:LENGTH@DEGREES", '@', 2},
                                        {"moffat", "moffat:FWHM,BETA", ',', 2}}};
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto kind = std::find_if(kKinds.begin(), kKinds.end(),
                                 [&](const Kind& k) { return k.name == text.substr(0, colon); });
  if (kind == kKinds.end()) return std::nullopt;
  const std::string name = message("psf '", text, "'");
  const auto n = numbers(text.substr(colon + 1), kind->separator);
  require(n.size() == kind->count, name.c_str(), "expected ", kind->form);
  try {
    if (kind->name == "gauss") return gaussian_psf(n[0]);
    if (kind->name == "disk") return disk_psf(n[0]);
    if (kind->name == "motion") return motion_psf(n[0], n[1]);
    return moffat_psf(n[0], n[1]);
  } catch (const Error& error) {
    throw Error(message(name, ": ", error.what()));
  }
}

Image<double> normalised_psf(const View<const double>& psf) {
  constexpr const char* kName = "psf";
  require(psf.rank() == 2 && psf.shape.elements() > 0, kName,
          "expected an image (H, W), got shape ", psf.shape.text());
  const Index height = psf.shape[0];
  const Index width = psf.shape[1];
  Image<double> odd({height | 1, width | 1});
  double largest = 0.0;
  for (Index y = 0; y < height; ++y) {
    for (Index x = 0; x < width; ++x) {
      const double value = psf.data[y * psf.stride[0] + x * psf.stride[1]];
      require(std::isfinite(value), kName, "expected finite values, got ", value, " at (", y, ", ",
              x, ")");
      largest = std::max(largest, std::abs(value));
      odd.data()[y * (width | 1) + x] = value;
    }
  }
  // Divided by the largest first, so that the sum stays within the range of numbers.
  double sum = 0.0;
  for (Index i = 0; i < odd.elements() && largest > 0; ++i) sum += odd.data()[i] /= largest;
  require(sum > 0, kName, "expected values with a sum > 0, got ", sum * largest);
  for (Index i = 0; i < odd.elements(); ++i) odd.data()[i] /= sum;
  return odd;
}

}  // namespace blurfield
