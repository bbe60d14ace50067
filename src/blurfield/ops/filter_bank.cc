// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/filter_bank.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace blurfield {
namespace {

// A filter of any size from a function of the offset from its centre.
template <class F>
Image<double> from_offsets(Index size, const F& weight) {
  Image<double> kernel({size, size});
  const Index centre = size / 2;
  for (Index y = 0; y < size; ++y) {
    for (Index x = 0; x < size; ++x) {
      kernel.data()[y * size + x] =
          weight(static_cast<double>(y - centre), static_cast<double>(x - centre));
    }
  }
  return kernel;
}

double sum(const Image<double>& kernel) {
  double total = 0;
  for (Index i = 0; i < kernel.elements(); ++i) total += kernel.data()[i];
  return total;
}

template <class F>
Image<double> each(Image<double> kernel, const F& f) {
  std::transform(kernel.data(), kernel.data() + kernel.elements(), kernel.data(), f);
  return kernel;
}

Image<double> identity(Index size, double) {
  return from_offsets(size, [](double y, double x) { return y == 0 && x == 0 ? 1.0 : 0.0; });
}

Image<double> zero(Index size, double) { return Image<double>({size, size}); }

Image<double> box(Index size, double) {
  const double weight = 1 / static_cast<double>(size * size);
  return from_offsets(size, [=](double, double) { return weight; });
}

// The squared distance from the centre, in units of sigma.
double squared(double y, double x, double sigma) {
  return (y / sigma) * (y / sigma) + (x / sigma) * (x / sigma);
}

Image<double> gaussian_peak(Index size, double sigma) {
  return from_offsets(size,
                      [=](double y, double x) { return std::exp(-squared(y, x, sigma) / 2); });
}

Image<double> gaussian(Index size, double sigma) {
  Image<double> peak = gaussian_peak(size, sigma);
  const double total = sum(peak);
  return each(std::move(peak), [=](double w) { return w / total; });
}

Image<double> log(Index size, double sigma) {
  const double total = sum(gaussian_peak(size, sigma)) * sigma * sigma;
  Image<double> kernel = from_offsets(size, [=](double y, double x) {
    const double squares = squared(y, x, sigma);
    return std::isfinite(squares) ? (squares - 2) * std::exp(-squares / 2) / total : 0.0;
  });
  // Sampled and cut off, it still answers to a constant.
  const double mean = sum(kernel) / static_cast<double>(kernel.elements());
  return each(std::move(kernel), [=](double w) { return w - mean; });
}

Image<double> dog(Index size, double sigma) {
  constexpr double kRatio = 1.6;  // where it is closest to the LoG: Marr and Hildreth (1980)
  Image<double> kernel = gaussian(size, sigma);
  const Image<double> wide = gaussian(size, kRatio * sigma);
  for (Index i = 0; i < kernel.elements(); ++i) kernel.data()[i] -= wide.data()[i];
  return kernel;
}

// x or y over the squared distance, 0 at the centre.
Image<double> vertical(Index size, double) {
  return from_offsets(size, [](double y, double x) { return x == 0 ? 0.0 : x / (x * x + y * y); });
}

// The symmetric flat-top window of SciPy and MATLAB.
double flattop_window(double position) {  // -1..1
  constexpr std::array<double, 5> kTerms = {0.21557895, 0.41663158, 0.277263158, 0.083578947,
                                            0.006947368};
  double w = 0;
  for (std::size_t k = 0; k < kTerms.size(); ++k) {
    w += kTerms[k] * std::cos(static_cast<double>(k) * std::numbers::pi * position);
  }
  return w;
}

Image<double> flattop(Index size, double) {
  const double edge = std::max(1.0, static_cast<double>(size - 1) / 2);
  return from_offsets(size, [=](double y, double x) {
    return flattop_window(y / edge) * flattop_window(x / edge);
  });
}

// The slope of the least-squares plane, times 6.
Image<double> prewitt_x(Index size, double) {
  double squares = 0;
  for (Index x = -(size / 2); x <= size / 2; ++x) squares += static_cast<double>(x * x);
  const double scale = 6 / (squares * static_cast<double>(size));
  return from_offsets(size, [=](double, double x) { return scale * x; });
}

// Binomial coefficients over their sum.
std::vector<double> binomial(Index taps) {
  std::vector<double> weights(static_cast<std::size_t>(taps), 0.0);
  weights[0] = 1;
  for (Index n = 1; n < taps; ++n) {
    for (auto i = static_cast<std::size_t>(n); i > 0; --i) {
      weights[i] = (weights[i] + weights[i - 1]) / 2;
    }
    weights[0] /= 2;
  }
  return weights;
}

using Classic = std::array<double, 9>;

// A 3 x 3 filter smoothed by a binomial until it is size x size.
Image<double> smoothed(const Classic& classic, Index size) {
  const std::vector<double> smooth = binomial(size - 2);
  Image<double> kernel({size, size});
  for (Index i = 0; i < 9; ++i) {
    for (Index y = 0; y < size - 2; ++y) {
      for (Index x = 0; x < size - 2; ++x) {
        kernel.data()[(y + i / 3) * size + x + i % 3] += classic[static_cast<std::size_t>(i)] *
                                                         smooth[static_cast<std::size_t>(y)] *
                                                         smooth[static_cast<std::size_t>(x)];
      }
    }
  }
  return kernel;
}

Image<double> with_identity(Image<double> kernel) {
  kernel.data()[kernel.elements() / 2] += 1;
  return kernel;
}

Image<double> sobel_x(Index size, double) { return smoothed({-1, 0, 1, -2, 0, 2, -1, 0, 1}, size); }

Image<double> scharr_x(Index size, double) {
  return smoothed({-3, 0, 3, -10, 0, 10, -3, 0, 3}, size);
}

Image<double> laplacian(Index size, double) { return smoothed({0, 1, 0, 1, -4, 1, 0, 1, 0}, size); }

Image<double> sharpen(Index size, double) {
  return with_identity(smoothed({0, -1, 0, -1, 4, -1, 0, -1, 0}, size));
}

Image<double> emboss(Index size, double) {
  return with_identity(smoothed({-2, -1, 0, -1, 0, 1, 0, 1, 2}, size));
}

using Maker = Image<double> (*)(Index, double);

template <Maker make>
Image<double> transposed(Index size, double sigma) {
  const Image<double> kernel = make(size, sigma);
  Image<double> result(kernel.shape());
  for (Index y = 0; y < size; ++y) {
    for (Index x = 0; x < size; ++x) result.data()[y * size + x] = kernel.data()[x * size + y];
  }
  return result;
}

struct Entry {
  Filter filter;
  Maker make;
};

constexpr std::array kBank = {
    Entry{{"identity", "the image itself"}, identity},
    Entry{{"zero", "0 everywhere"}, zero},
    Entry{{"box", "mean of the window"}, box},
    Entry{{"gaussian", "weighted mean by a Gaussian of sum 1", true, 1, 7}, gaussian},
    Entry{{"gaussian-peak", "Gaussian of peak 1, sum about 2 pi sigma^2", true, 1, 7},
          gaussian_peak},
    Entry{{"flattop", "outer product of the flat-top window, peak 1", false, 1, 7}, flattop},
    Entry{{"sharpen", "the image minus its laplacian", false, 3}, sharpen},
    Entry{{"laplacian", "second differences along y and x, added", false, 3}, laplacian},
    Entry{{"log", "Laplacian of a Gaussian, of sum 0 (Marr and Hildreth 1980)", true, 3, 7}, log},
    Entry{{"dog", "Gaussian of sigma minus one of 1.6 sigma (Marr and Hildreth 1980)", true, 3, 7},
          dog},
    Entry{{"sobel-x", "slope along x, gain 8: binomial derivative and smoothing (Sobel 1968)",
           false, 3},
          sobel_x},
    Entry{{"sobel-y", "the same along y, downwards", false, 3}, transposed<sobel_x>},
    Entry{
        {"prewitt-x", "slope along x of the least-squares plane, gain 6 (Prewitt 1970)", false, 3},
        prewitt_x},
    Entry{{"prewitt-y", "the same along y, downwards", false, 3}, transposed<prewitt_x>},
    Entry{{"scharr-x", "slope along x, gain 32, nearly alike in all directions (Scharr 2000)",
           false, 3},
          scharr_x},
    Entry{{"scharr-y", "the same along y, downwards", false, 3}, transposed<scharr_x>},
    Entry{{"vertical", "vertical edges, x / (x^2 + y^2)", false, 3, 7}, vertical},
    Entry{{"horizontal", "horizontal edges, y / (x^2 + y^2)", false, 3, 7}, transposed<vertical>},
    Entry{{"emboss", "relief: the image plus its slope to the lower right", false, 3}, emboss},
};

constexpr auto kFilters = [] {
  std::array<Filter, kBank.size()> filters;
  std::transform(kBank.begin(), kBank.end(), filters.begin(),
                 [](const Entry& e) { return e.filter; });
  return filters;
}();

std::string names() {
  std::string text;
  for (const Filter& filter : kFilters) {
    text += (text.empty() ? "" : ", ") + std::string(filter.name);
  }
  return text;
}

}  // namespace

std::span<const Filter> filter_bank() { return kFilters; }

Image<double> make_filter(std::string_view name, Index size, double sigma) {
  constexpr const char* kName = "make_filter";
  const auto* entry = std::find_if(kBank.begin(), kBank.end(),
                                   [&](const Entry& e) { return e.filter.name == name; });
  require(entry != kBank.end(), kName, "expected one of ", names(), "; got '", name, "'");
  require(size % 2 == 1 && size >= entry->filter.least_size, kName, name,
          " expects an odd size >= ", entry->filter.least_size, ", got ", size);
  require(std::isfinite(sigma) && sigma >= 0, kName,
          "expected a finite sigma > 0, or 0 for size / 6, got ", sigma);
  const double width = sigma > 0 ? sigma : static_cast<double>(size) / 6;
  Image<double> kernel = entry->make(size, width);
  require(std::isfinite(sum(kernel)), kName, name, " expects a larger sigma, got ", width);
  return kernel;
}

}  // namespace blurfield
