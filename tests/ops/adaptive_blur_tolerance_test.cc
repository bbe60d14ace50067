// SPDX-License-Identifier: BSD-3-Clause
// The promise of a tolerance: no row of what is computed is further from the untruncated Gaussian's
// than was asked, and than the report says. With BLURFIELD_WIDE set, on every combination.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>

#include "blurfield/base/parallel.h"
#include "tests/reference/adaptive_blur_reference.h"
#include "tests/reference/gaussian_row.h"
#include "tests/support/derivatives.h"
#include "tests/support/fields.h"
#include "tests/support/patterns.h"
#include "tests/support/ways.h"

namespace blurfield::test {
namespace {

bool wide() { return std::getenv("BLURFIELD_WIDE") != nullptr; }

// What rounding adds to the error of a row.
template <class T>
constexpr double kRounding = sizeof(T) == 4 ? 2e-6 : 1e-13;

double sum_of(const double* row, Index count) {
  double sum = 0.0;
  for (Index i = 0; i < count; ++i) sum += row[i];
  return sum;
}

// What a promise for every source's kernel, copies beyond the frame included, means for the sum of
// the kernels of one source and its copies, per its mass. A pixel within stands for itself: 1.
// Those beyond a border of Mode::nearest reach the frame with their tails, all of which a
// truncation cuts.
double copies_of(const Pixel& p, std::array<Index, 2> frame, Mode mode) {
  const bool border = p.y == 0 || p.x == 0 || p.y == frame[0] - 1 || p.x == frame[1] - 1;
  return border && mode == Mode::nearest ? 8.0 : 1.0;
}

// The errors of a method on a field, against rows that were made once.
struct Proof {
  Image<double> field;
  std::vector<Pixel> pixels;
  AdaptiveBlurOptions options;
  Image<double> rows;  // (pixels, 1, H, W)
  std::vector<double> mass;

  Proof(Image<double> the_field, Mode mode, bool scatter, Index count)
      : field(std::move(the_field)),
        pixels(telling_pixels(field, count)),
        options(tolerant({field.shape()[1], BlurMethod::automatic}, mode, scatter)) {
    Shape shape = field.shape();
    shape[0] = static_cast<Index>(pixels.size());
    shape[1] = 1;
    rows = Image<double>(shape);
    const Index size = shape[2] * shape[3];
    parallel_for(shape[0], {}, [&](Index i) {
      const Pixel& p = pixels[static_cast<std::size_t>(i)];
      const Image<double> row = gaussian_row(field, p.y, p.x, mode, scatter);
      std::copy_n(row.data(), size, rows.data() + i * size);
    });
    for (Index i = 0; i < shape[0]; ++i) {
      const double sum = sum_of(rows.data() + i * size, size);
      const Pixel& p = pixels[static_cast<std::size_t>(i)];
      mass.push_back(scatter ? copies_of(p, {shape[2], shape[3]}, mode) * std::max(1.0, sum) : 1.0);
    }
  }

  // The largest error, per mass, of the rows computed.
  template <class T>
  double worst(BlurMethod method, double tolerance) {
    options.method = method;
    options.tolerance = tolerance;
    const Image<T> field_t = converted<T>(field);
    const Image<T> computed = computed_rows(field_t, pixels, options);
    const double bound = adaptive_blur_plan<T>(rows.shape(), field_t.view(), options).error_bound;
    const Index size = rows.shape()[2] * rows.shape()[3];
    const double least = sizeof(T) == 4 ? 4e-6 : 1e-12;  // what is asked of T at the most
    EXPECT_LE(bound, std::max(tolerance, least));
    double largest = 0.0;
    Pixel at{};
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      const Index begin = static_cast<Index>(i) * size;
      double error = 0.0;
      for (Index q = begin; q < begin + size; ++q) {
        error += std::abs(static_cast<double>(computed.data()[q]) - rows.data()[q]);
      }
      if (error / mass[i] <= largest) continue;
      largest = error / mass[i];
      at = pixels[i];
    }
    EXPECT_LE(largest, std::min(tolerance, bound) + kRounding<T>)
        << "got " << largest << (sizeof(T) == 4 ? ", float" : ", double") << ", bound " << bound
        << ", at " << at.y << ", " << at.x;
    return largest;
  }
};

constexpr std::array kTolerances{1e-2, 1e-3, 1e-4, 1e-5};

struct Range {
  double low, high;
};

// Every pattern, mode, gather and scatter, in both types, at every tolerance; a fair share of these
// unless asked for all.
void prove(Index kind, std::initializer_list<BlurMethod> methods, const Range& range,
           std::array<Index, 2> size, Index count) {
  std::map<std::string, double> worst;
  int at = 0;
  int turn = 0;
  for (const Pattern pattern : kPatterns) {
    for (const Mode mode : kModes) {
      for (const bool scatter : {false, true}) {
        // Two of the ten for every pattern: gather and scatter, each mode in turn.
        const bool chosen = at % 5 == (at / 10 + (scatter ? 2 : 0)) % 5;
        if (++at; !chosen && !wide()) continue;
        Proof proof(pattern_field(pattern, kind, size[0], size[1], range.low, range.high), mode,
                    scatter, count);
        for (const double tolerance : kTolerances) {
          for (const BlurMethod method : methods) {
            SCOPED_TRACE(message(pattern_name(pattern), ' ', mode_name(mode),
                                 scatter ? " scatter " : " gather ", method_text(method),
                                 ", asked ", tolerance));
            double& most = worst[method_text(method) + message(", asked ", tolerance)];
            const bool single = ++turn % 2 == 0;
            if (single || wide()) most = std::max(most, proof.worst<float>(method, tolerance));
            if (!single || wide()) most = std::max(most, proof.worst<double>(method, tolerance));
          }
        }
      }
    }
  }
  for (const auto& [what, error] : worst) {
    ::testing::Test::RecordProperty("worst of " + what, message(error));
  }
}

constexpr std::initializer_list<BlurMethod> kByStack{BlurMethod::automatic, BlurMethod::stack};
constexpr std::initializer_list<BlurMethod> kByResidual{BlurMethod::automatic,
                                                        BlurMethod::residual};

TEST(AdaptiveBlurTolerance, RowsOfIsotropicFields) {
  prove(1, kByStack, {0.3, 64.0}, {110, 131}, 20);
}
TEST(AdaptiveBlurTolerance, RowsOfNarrowIsotropicFields) {
  prove(1, kByStack, {0.3, 3.0}, {99, 101}, 20);
}
TEST(AdaptiveBlurTolerance, RowsOfBroadIsotropicFields) {
  prove(1, kByStack, {16.0, 64.0}, {97, 200}, 16);
}
TEST(AdaptiveBlurTolerance, RowsOfDiagonalFields) { prove(2, kByStack, {0.7, 12.0}, {60, 100}, 8); }
TEST(AdaptiveBlurTolerance, RowsOfCovariances) {
  prove(3, kByResidual, {0.3, 24.0}, {100, 110}, 12);
}
TEST(AdaptiveBlurTolerance, RowsOfBroadCovariances) {
  prove(3, kByResidual, {8.0, 48.0}, {90, 130}, 8);
}
TEST(AdaptiveBlurTolerance, RowsOfExactBlurs) {
  prove(1, {BlurMethod::exact}, {0.3, 64.0}, {37, 101}, 12);
  prove(2, {BlurMethod::exact}, {0.3, 16.0}, {41, 52}, 12);
  prove(3, {BlurMethod::exact}, {0.3, 8.0}, {41, 52}, 12);
}

// One sigma everywhere, through the ranges of all levels.
TEST(AdaptiveBlurTolerance, RowsOfEverySigma) {
  int at = 0;
  for (double sigma = 0.3; sigma <= 64.0; sigma *= wide() ? 1.09 : 1.45) {
    const Mode mode = kModes[static_cast<std::size_t>(at++) % kModes.size()];
    for (const Index kind : {Index{1}, Index{3}}) {
      Image<double> field = constant_image<double>({1, kind, 97, 100}, sigma);
      for (Index i = 0; i < field.elements() && kind == 3; ++i) {
        field.data()[i] = i / 9700 == 1 ? 0.7 * sigma : std::log(sigma);
      }
      Proof proof(converted<double>(converted<float>(field)), mode, at % 2 == 0, 9);
      for (const double tolerance : kTolerances) {
        SCOPED_TRACE(message("sigma ", sigma, " kind ", kind, ' ', mode_name(mode),
                             at % 2 == 0 ? " scatter" : " gather", ", asked ", tolerance));
        const BlurMethod method = kind == 1 ? BlurMethod::stack : BlurMethod::residual;
        proof.worst<double>(method, tolerance);
        proof.worst<double>(BlurMethod::automatic, tolerance);
      }
    }
  }
}

// The image that shows a row's error in full: its signs. What forward gives there is off by that
// error, no more and no less: forward and the rows, which come of vjp, are one operator.
TEST(AdaptiveBlurTolerance, WorstImages) {
  for (const Index kind : {Index{1}, Index{2}, Index{3}}) {
    for (const Mode mode : kModes) {
      SCOPED_TRACE(message("kind ", kind, ' ', mode_name(mode)));
      Proof proof(pattern_field(Pattern::smooth, kind, 130, 110, 2.0, 30.0), mode, false, 12);
      AdaptiveBlurOptions& options = proof.options;
      options.tolerance = 1e-3;
      const Image<double> rows = computed_rows(proof.field, proof.pixels, options);
      Image<double> worst(rows.shape());
      for (Index i = 0; i < rows.elements(); ++i) {
        worst.data()[i] = rows.data()[i] > proof.rows.data()[i] ? 1.0 : -1.0;
      }
      const Image<double> out = adaptive_blur(worst, proof.field, options);
      const Image<float> out32 =
          adaptive_blur(converted<float>(worst), converted<float>(proof.field), options);
      const Index size = 130 * 110;
      for (std::size_t i = 0; i < proof.pixels.size(); ++i) {
        const auto n = static_cast<Index>(i);
        const Pixel& p = proof.pixels[i];
        double error = 0.0;
        double expected = 0.0;
        for (Index q = n * size; q < (n + 1) * size; ++q) {
          error += std::abs(rows.data()[q] - proof.rows.data()[q]);
          expected += proof.rows.data()[q] * worst.data()[q];
        }
        EXPECT_GT(error, 1e-8);
        EXPECT_NEAR(out.view().at(n, 0, p.y, p.x) - expected, error, 1e-12);
        EXPECT_NEAR(out32.view().at(n, 0, p.y, p.x) - expected, error, kRounding<float>);
      }
    }
  }
}

// The rows by which all this is judged are those of the definitions, and so are their derivatives.
TEST(AdaptiveBlurTolerance, TwinEqualsTheDefinition) {
  for (const Case& c : cases({{1, 1, 5, 8}, {1, 1, 3, 1}, {1, 1, 7}}, 8.5)) {
    SCOPED_TRACE(c.text);
    AdaptiveBlurOptions options = c.options;
    options.extension.cval = 0.0;
    const Mode mode = options.extension.mode;
    const Image<double> field = field_of(c.shape, c.kind, 0.4, 1.6);
    const View<const double> params = field;
    const Image<double> x = random_image<double>(c.shape, 3);
    const Image<double> out = adaptive_blur_reference(x, field, options);
    Image<double> by_rows(c.shape);
    for (Index y = 0; y < params.height(); ++y) {
      for (Index at = 0; at < params.width(); ++at) {
        const Index i = y * params.width() + at;
        const Image<double> row = gaussian_row(params, y, at, mode, c.scatter);
        if (!c.scatter) {
          by_rows.data()[i] = inner(row, x);
          continue;
        }
        for (Index q = 0; q < row.elements(); ++q) {
          by_rows.data()[q] += row.data()[q] * x.data()[i];
        }
      }
    }
    EXPECT_LT(distance(by_rows, out), 1e-13);
    const Index y = params.height() / 2;
    const Index at = params.width() - 1;
    for (Index k = 0; k < c.kind; ++k) {
      Shape shape = c.shape;
      shape[1] = c.kind;
      Image<double> along(shape);
      along.data()[(k * params.height() + y) * params.width() + at] = 1.0;
      expect_slope(
          [&](double t) {
            return inner(gaussian_row(moved(field, t, along), y, at, mode, c.scatter), x);
          },
          inner(gaussian_row_derivative(params, y, at, mode, c.scatter, k), x));
    }
  }
}

}  // namespace
}  // namespace blurfield::test
