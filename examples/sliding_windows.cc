// SPDX-License-Identifier: BSD-3-Clause
// Sliding windows as views, one convolution computed in many ways, a bank of filters on a
// photograph, and where the methods of convolution cross:
//   sliding_windows OUT [--quick]
// Run it in the project's folder. It checks what it claims, writes OUT/index.html and its pictures
// as PNG, and exits with 1 and a message where a check fails. --quick times fewer kernels.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numeric>

#include "blurfield/base/random.h"
#include "blurfield/ops/filter_bank.h"
#include "blurfield/ops/sliding_window.h"
#include "blurfield/report/curve.h"
#include "blurfield/report/html.h"
#include "blurfield/report/panel.h"
#include "examples/pictures.h"

namespace {

using namespace blurfield;
using namespace blurfield::examples;
using namespace blurfield::report;
using blurfield::io::encode_png;

constexpr std::array kMethods = {ConvolutionMethod::direct, ConvolutionMethod::separable,
                                 ConvolutionMethod::gemm, ConvolutionMethod::fft};

// The handwritten zero that the methods are shown on, 0..16.
constexpr std::array<double, 64> kDigit = {0, 0, 5,  13, 9,  1,  0, 0,  //
                                           0, 0, 13, 15, 10, 15, 5, 0,  //
                                           0, 3, 15, 2,  0,  11, 8, 0,  //
                                           0, 4, 12, 0,  0,  8,  8, 0,  //
                                           0, 5, 8,  0,  0,  9,  8, 0,  //
                                           0, 4, 11, 0,  1,  12, 7, 0,  //
                                           0, 2, 14, 5,  10, 12, 0, 0,  //
                                           0, 0, 6,  13, 10, 0,  0, 0};

using Rows = std::vector<std::vector<std::string>>;  // of a table

// The greatest difference over the greatest value of b.
double difference(const View<const double>& a, const View<const double>& b) {
  const Image<double> one(a);
  const Image<double> two(b);
  double most = 0;
  double scale = 0;
  for (Index i = 0; i < two.elements(); ++i) {
    most = std::max(most, std::abs(one.data()[i] - two.data()[i]));
    scale = std::max(scale, std::abs(two.data()[i]));
  }
  return scale > 0 ? most / scale : most;
}

// Adds a row, or throws.
void expect_equal(Rows& rows, const std::string& what, const View<const double>& a,
                  const View<const double>& b) {
  require(a.shape == b.shape, what.c_str(), "expected ", b.shape.text(), ", got ", a.shape.text());
  const double apart = difference(a, b);
  require(apart <= 1e-12, what.c_str(), "expected equal results, they differ by ", apart);
  rows.push_back({what, number(apart, 2)});
}

// One of the windows of a view (1, 1, rows, columns, h, w), as an image.
template <class T>
View<const T> window_at(const View<const T>& windows, Index row, Index column) {
  View<const T> one(windows.data + row * windows.stride[2] + column * windows.stride[3],
                    Shape{1, 1, windows.shape[4], windows.shape[5]});
  one.stride[2] = windows.stride[4];
  one.stride[3] = windows.stride[5];
  return one;
}

void expect_windows(const View<const float>& x, const View<const float>& windows, Index stride) {
  for (Index i = 0; i < windows.shape[2]; ++i) {
    for (Index j = 0; j < windows.shape[3]; ++j) {
      const View<const float> window = window_at(windows, i, j);
      for (Index y = 0; y < window.height(); ++y) {
        for (Index w = 0; w < window.width(); ++w) {
          require(&window.at(0, 0, y, w) == &x.at(0, 0, i * stride + y, j * stride + w),
                  "sliding_window", "expected the image's own pixels");
        }
      }
    }
  }
}

void windows_chapter(Page& page, const Image<float>& photo, const std::string& out) {
  constexpr Index kViews = 4;
  page.section("Sliding windows");
  Image<float> small({1, 1, 5, 5});
  for (Index i = 0; i < 25; ++i) small.data()[i] = static_cast<float>(i);
  const View<const float> pixels = small;
  Rows rows = {{"image", "window", "stride", "the view's shape"}};
  for (const Index stride : {1, 2}) {
    const auto windows = sliding_window<const float>(pixels, {3, 3}, {stride});
    expect_windows(pixels, windows, stride);
    rows.push_back({"5 x 5", "3 x 3", std::to_string(stride), windows.shape.text()});
  }
  const View<const float> whole = photo;
  const Index stride = whole.height() / kViews;
  const Index side = whole.height() - stride * (kViews - 1);
  const auto windows = sliding_window<const float>(whole, {side, side}, {stride});
  expect_windows(whole, windows, stride);
  rows.push_back({"512 x 512", std::to_string(side) + " x " + std::to_string(side),
                  std::to_string(stride), windows.shape.text()});
  page.paragraph(
      "All windows of an image are a view of it with two more axes. Nothing is copied: every entry "
      "has the address of a pixel, as was checked for each.");
  page.table(rows);
  std::vector<View<const float>> tiles;
  for (Index i = 0; i < kViews; ++i) {
    for (Index j = 0; j < kViews; ++j) tiles.push_back(window_at<float>(windows, i, j));
  }
  const Image<float> sheet = montage(tiles, kViews);
  save_png(out + "/views.png", sheet);
  page.figure({picture_panel(whole, encode_png, "The photograph, 512 x 512."),
               picture_panel(sheet.view(), encode_png, "A 4 x 4 montage of views, stride 128.")});
}

// (2) of the convolution chapter, as four loops.
Image<double> step_by_step(const Image<double>& x, const Image<double>& kernel) {
  const Shape& k = kernel.shape();
  Image<double> out({1, 1, x.shape()[2] - k[0] + 1, x.shape()[3] - k[1] + 1});
  for (Index y = 0; y < out.shape()[2]; ++y) {
    for (Index column = 0; column < out.shape()[3]; ++column) {
      for (Index i = 0; i < k[0]; ++i) {
        for (Index j = 0; j < k[1]; ++j) {
          out.view().at(0, 0, y, column) +=
              x.view().at(0, 0, y + i, column + j) * kernel.data()[i * k[1] + j];
        }
      }
    }
  }
  return out;
}

// The windows' two last axes, contracted with the kernel's.
Image<double> contraction(const View<const double>& windows, const Image<double>& kernel) {
  Image<double> out({1, 1, windows.shape[2], windows.shape[3]});
  for (Index y = 0; y < windows.shape[2]; ++y) {
    for (Index x = 0; x < windows.shape[3]; ++x) {
      const Image<double> window(window_at(windows, y, x));
      out.view().at(0, 0, y, x) =
          std::inner_product(kernel.data(), kernel.data() + kernel.elements(), window.data(), 0.0);
    }
  }
  return out;
}

// Packed windows as columns, then the product of the matrices (kernels, taps) and (taps, windows).
Image<double> im2col_product(const Image<double>& x, const Image<double>& kernels, Index side,
                             const CorrelateOptions& options) {
  Image<double> columns(im2col_shape(x.shape(), {side, side}, options));
  im2col<double>(x, {side, side}, columns, options);
  const Index taps = columns.shape()[1];
  const Index positions = columns.shape()[2];
  Image<double> out(correlate_shape(x.shape(), kernels.shape(), options));
  for (Index i = 0; i < kernels.elements(); ++i) {
    const double* column = columns.data() + i % taps * positions;
    double* to = out.data() + i / taps * positions;
    for (Index p = 0; p < positions; ++p) to[p] += kernels.data()[i] * column[p];
  }
  return out;
}

void expect_all_methods(Rows& rows, const std::string& what, const Image<double>& x,
                        const Image<double>& kernel, CorrelateOptions options,
                        const Image<double>& expected) {
  for (const ConvolutionMethod method : kMethods) {
    options.method = method;
    const Image<double> out = correlate<double>(x, kernel, options);
    expect_equal(rows, what + std::string(method_name(method)), out, expected);
  }
}

void digit_chapter(Page& page, const std::string& out) {
  constexpr Index kTaps = 5;
  constexpr int kZoom = 24;
  page.section("One convolution, many ways");
  Image<double> digit({1, 1, 8, 8});
  std::copy(kDigit.begin(), kDigit.end(), digit.data());
  const Image<double> kernel = make_filter("gaussian", kTaps, 1.0);
  CorrelateOptions valid;
  valid.output = Output::valid;
  const Image<double> steps = step_by_step(digit, kernel);
  const View<const double> pixels = digit;
  const auto windows = sliding_window<const double>(pixels, {kTaps, kTaps});
  Rows rows = {{"computed by", "greatest difference from four loops"}};
  expect_equal(rows, "contraction over the view of windows", contraction(windows, kernel), steps);
  expect_equal(rows, "im2col, then a matrix product", im2col_product(digit, kernel, kTaps, valid),
               steps);
  expect_all_methods(rows, "correlate, method ", digit, kernel, valid, steps);
  page.paragraph(
      "out(i, j) = sum over (k, l) of x(i + k, j + l) w(k, l), for a handwritten zero and a 5 x 5 "
      "Gaussian of sigma 1, where the kernel lies within the image. In double; all results agree "
      "to "
      "1e-12 of the greatest value, as was checked.");
  const Image<float> shown = grey(steps, Tone::ink);
  save_png(out + "/digit.png", shown);
  page.figure({picture_panel(grey(digit, Tone::ink).view(), encode_png, "The digit, 8 x 8.", kZoom),
               picture_panel(grey(as_image(kernel, 0), Tone::ink).view(), encode_png,
                             "The kernel, 5 x 5.", kZoom),
               picture_panel(shown.view(), encode_png, "The result, 4 x 4.", kZoom)});
  page.table(rows);
}

void bank_chapter(Page& page, const Image<double>& photo, const std::string& out) {
  constexpr Index kTaps = 7;
  constexpr Index kColumns = 5;
  page.section("A bank of filters");
  const auto filters = filter_bank();
  Image<double> bank({static_cast<Index>(filters.size()), 1, kTaps, kTaps});
  for (std::size_t k = 0; k < filters.size(); ++k) {
    const Image<double> kernel = make_filter(filters[k].name, kTaps, 1.0);
    std::copy_n(kernel.data(), kTaps * kTaps, bank.data() + static_cast<Index>(k) * kTaps * kTaps);
  }
  CorrelateOptions valid;
  valid.output = Output::valid;
  const Image<double> filtered = correlate<double>(photo, bank, valid);
  Rows rows = {{"the whole bank, computed by", "greatest difference from auto"}};
  expect_equal(rows, "im2col, then a matrix product",
               im2col_product(photo, bank, kTaps, valid).view(), filtered);
  expect_all_methods(rows, "correlate, method ", photo, bank, valid, filtered);
  std::vector<Image<float>> results;
  std::vector<Panel> panels;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    const auto k = static_cast<Index>(i);
    const View<const double> kernel = as_image(bank, k);
    const double* const begin = kernel.data;
    const double* const end = begin + kTaps * kTaps;
    const bool signs = *std::min_element(begin, end) < 0;
    const bool edges = signs && std::abs(std::accumulate(begin, end, 0.0)) < 1e-9;
    results.push_back(shrink(grey(as_image(filtered, k), edges ? Tone::both : Tone::light), 2));
    Panel panel =
        picture_panel(results[i], encode_png, message(filters[i].name, ": ", filters[i].summary));
    const Image<float> taps = grey(kernel, signs ? Tone::both : Tone::light);
    panel.html += picture_panel(taps, encode_png, "", 8).html;
    panels.push_back(panel);
  }
  page.paragraph(
      "Every filter that blurfield filter knows by name, 7 x 7, sigma 1, correlated with the "
      "photograph in one call: a bank (K, 1, 7, 7) gives K channels. Where weights sum "
      "to 0, mid-grey is 0; the brightest hundredth is clipped. Under each result its kernel.");
  page.figure(panels);
  page.table(rows);
  save_png(out + "/bank.png",
           montage(std::vector<View<const float>>(results.begin(), results.end()), kColumns));
}

void symmetry_chapter(Page& page, const Image<double>& photo) {
  page.section("Correlation and convolution");
  Rows rows = {{"filter", "turned by 180 degrees", "convolve - correlate",
                "convolve - correlate with the turned kernel"}};
  CorrelateOptions by_fft;
  by_fft.method = ConvolutionMethod::fft;
  for (const Filter& filter : filter_bank()) {
    const Image<double> kernel = make_filter(filter.name, 7, 1.0);
    Image<double> turned(kernel.view());
    std::reverse(turned.data(), turned.data() + turned.elements());
    const double asymmetry = difference(turned, kernel);
    const Image<double> convolved = convolve<double>(photo, kernel, by_fft);
    const Image<double> correlated = correlate<double>(photo, kernel);
    const Image<double> back = correlate<double>(photo, turned);
    const double apart = difference(convolved, correlated);
    const std::string name(filter.name);
    require((asymmetry < 1e-12) == (apart < 1e-12), name.c_str(),
            "expected convolution and correlation to differ with the turned kernel, got ",
            asymmetry, " and ", apart);
    Rows same;
    expect_equal(same, name, convolved.view(), back.view());
    rows.push_back(
        {name, asymmetry < 1e-12 ? "the same" : "another", number(apart, 2), same[0][1]});
  }
  page.paragraph(
      "Convolution turns the kernel by 180 degrees first. A kernel that looks the same then gives "
      "the same result either way; others differ, unless they are turned by hand. Greatest "
      "differences over the greatest value, on the photograph; the convolutions by FFT.");
  page.table(rows);
}

// Milliseconds of the fastest of some runs that take about a tenth of a second.
double milliseconds(const Image<float>& x, const Image<float>& kernel, ConvolutionMethod method) {
  CorrelateOptions options;
  options.method = method;
  Image<float> out(x.shape());
  double best = INFINITY;
  double spent = 0;
  for (int run = 0; run < 20 && (run < 2 || spent < 100); ++run) {
    const auto begin = std::chrono::steady_clock::now();
    correlate<float>(x, kernel, out, options);
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
    best = std::min(best, time.count());
    spent += time.count();
  }
  return best;
}

Image<float> random_kernel(Index taps, bool rank_one) {
  Random random(static_cast<std::uint64_t>(taps));
  std::vector<double> row(static_cast<std::size_t>(taps));
  for (double& v : row) v = random.normal();
  Image<float> kernel({taps, taps});
  for (Index i = 0; i < kernel.elements(); ++i) {
    const double product =
        row[static_cast<std::size_t>(i / taps)] * row[static_cast<std::size_t>(i % taps)];
    kernel.data()[i] = static_cast<float>(rank_one ? product : random.normal());
  }
  return kernel;
}

// Curves of milliseconds over taps: named methods until they take long, and auto.
std::vector<Curve> measure(const Image<float>& photo, bool quick, Rows& rows) {
  constexpr double kLongest = 60;  // milliseconds
  struct Line {
    ConvolutionMethod method;
    bool rank_one;
  };
  const std::vector<Line> lines = {
      {ConvolutionMethod::automatic, false}, {ConvolutionMethod::direct, false},
      {ConvolutionMethod::separable, false}, {ConvolutionMethod::separable, true},
      {ConvolutionMethod::gemm, false},      {ConvolutionMethod::fft, false}};
  std::vector<Curve> curves;
  rows.push_back({"taps"});
  for (const Line& line : lines) {
    std::string name(method_name(line.method));
    if (line.rank_one) name += ", rank 1";
    curves.push_back({name, {}, {}, line.method == ConvolutionMethod::automatic});
    rows[0].push_back(name);
  }
  rows[0].push_back("auto takes");
  for (const Index taps : {3, 5, 7, 9, 11, 15, 21, 31, 45, 63, 95, 127}) {
    if (quick && taps > 31) break;
    rows.push_back({message(taps, " x ", taps)});
    for (std::size_t i = 0; i < lines.size(); ++i) {
      auto& [name, x, y, broad] = curves[i];
      const auto size = static_cast<double>(taps);
      const bool too_long = !y.empty() && y.back() * std::pow(size / x.back(), 2) > kLongest;
      rows.back().push_back("");
      if (too_long && !broad) continue;
      x.push_back(size);
      y.push_back(milliseconds(photo, random_kernel(taps, lines[i].rank_one), lines[i].method));
      rows.back().back() = number(y.back(), 3);
    }
    const auto plan = plan_correlate<float>(photo.shape(), random_kernel(taps, false));
    rows.back().emplace_back(method_name(plan.method));
  }
  return curves;
}

void timing_chapter(Page& page, const Image<float>& photo, const std::string& out, bool quick) {
  page.section("Where the methods cross");
  Rows rows;
  const auto curves = measure(photo, quick, rows);
  Axes axes{"taps of the kernel along each axis", "milliseconds", 760, 420};
  axes.log_x = axes.log_y = true;
  const Panel plot =
      curve_panel(curves, axes,
                  "Random kernels on the photograph, 512 x 512 float, all cores of this machine.");
  page.paragraph(
      "The direct sum grows with the area of the kernel, the Fourier transform hardly at all, so "
      "they cross. A kernel that is a product of a column and a row (rank 1) is cheaper as two "
      "passes; a matrix product pays for banks rather than for the one kernel here. auto is to "
      "follow the lowest curve. Methods stop where they would take long.");
  page.figure({plot});
  page.table(rows);
  save_text(out + "/methods.svg", svg_file(plot));
}

void write_report(const std::string& out, bool quick) {
  std::filesystem::create_directories(out);
  const Image<float> photo = io::load_picture<float>("examples/images/ascent.png").pixels;
  Image<double> precise(photo.shape());
  std::copy_n(photo.data(), photo.elements(), precise.data());
  Page page("Sliding windows and convolution",
            "Windows as views, one convolution in many ways, and where the ways cross.");
  windows_chapter(page, photo, out);
  digit_chapter(page, out);
  bank_chapter(page, precise, out);
  symmetry_chapter(page, precise);
  timing_chapter(page, photo, out, quick);
  save_text(out + "/index.html", page.html());
}

}  // namespace

int main(int argc, char** argv) try {
  const bool quick = argc == 3 && std::string(argv[2]) == "--quick";
  if (argc != 2 && !quick) {
    std::fprintf(stderr, "usage: sliding_windows OUT [--quick]\n");
    return 2;
  }
  write_report(argv[1], quick);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "sliding_windows: %s\n", error.what());
  return 1;
}
