// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/line_search.h"

#include <gmock/gmock.h>

#include <cmath>
#include <utility>
#include <vector>

#include "blurfield/base/error.h"

namespace blurfield {
namespace {

// A function and its derivative; remembers where it was called.
struct Line {
  std::function<double(double)> value;
  std::function<double(double)> slope;
  std::vector<double> calls{};

  LinePoint at(double step) const { return {step, value(step), slope(step)}; }
  LinePoint search(double first, const LineSearchOptions& options = {}) {
    calls.clear();
    const auto phi = [this](double step) {
      calls.push_back(step);
      return at(step);
    };
    return strong_wolfe(phi, at(0.0), first, options);
  }
};

void expect_wolfe(const Line& line, const LinePoint& found, const LineSearchOptions& options) {
  const LinePoint start = line.at(0.0);
  EXPECT_GT(found.step, 0.0);
  EXPECT_LE(found.value, start.value + options.decrease * found.step * start.slope);
  EXPECT_LE(std::abs(found.slope), options.curvature * std::abs(start.slope));
  EXPECT_EQ(line.calls.back(), found.step);
  EXPECT_EQ(found.value, line.value(found.step));
}

// The functions of Moré and Thuente (1994), section 5.
std::vector<Line> lines() {
  const auto gamma = [](double b) { return std::sqrt(1 + b * b) - b; };
  const auto yanai = [gamma](double b1, double b2) -> Line {
    const double g1 = gamma(b1);
    const double g2 = gamma(b2);
    return {[=](double a) {
              return g1 * std::sqrt((1 - a) * (1 - a) + b2 * b2) + g2 * std::sqrt(a * a + b1 * b1);
            },
            [=](double a) {
              return g1 * (a - 1) / std::sqrt((1 - a) * (1 - a) + b2 * b2) +
                     g2 * a / std::sqrt(a * a + b1 * b1);
            }};
  };
  return {{[](double a) { return -a / (a * a + 2); },
           [](double a) { return (a * a - 2) / std::pow(a * a + 2, 2); }},
          {[](double a) { return std::pow(a + 0.004, 5) - 2 * std::pow(a + 0.004, 4); },
           [](double a) { return 5 * std::pow(a + 0.004, 4) - 8 * std::pow(a + 0.004, 3); }},
          yanai(0.001, 0.001),
          yanai(0.01, 0.001),
          yanai(0.001, 0.01)};
}

TEST(StrongWolfe, HoldsFromAnyFirstStep) {
  for (Line& line : lines()) {
    for (double curvature : {0.9, 0.1, 1e-3}) {
      for (double first : {1e-3, 0.1, 1.0, 10.0, 1e3}) {
        LineSearchOptions options;
        options.curvature = curvature;
        options.max_evaluations = 40;
        const LinePoint found = line.search(first, options);
        SCOPED_TRACE(first);
        expect_wolfe(line, found, options);
        EXPECT_LE(line.calls.size(), 25u);
      }
    }
  }
}

TEST(StrongWolfe, TakesAGoodFirstStepAsItIs) {
  Line line{[](double a) { return (a - 1) * (a - 1); }, [](double a) { return 2 * (a - 1); }};
  EXPECT_EQ(line.search(1.0).step, 1.0);
  EXPECT_EQ(line.calls.size(), 1u);
}

TEST(StrongWolfe, CutsStepsWithoutAValue) {
  Line line{[](double a) { return a < 1 ? -a - std::log(1 - a) / 2 : std::nan(""); },
            [](double a) { return -1 + 0.5 / (1 - a); }};
  for (double first : {0.1, 1.0, 3.0, 1e6}) {
    expect_wolfe(line, line.search(first), {});
  }
  Line none{[](double a) { return a == 0 ? 1.0 : -INFINITY; }, [](double) { return -1.0; }};
  EXPECT_EQ(none.search(1.0).step, 0.0);
  EXPECT_EQ(none.calls.size(), 31u);
}

TEST(StrongWolfe, StopsAtTheLongestStep) {
  Line line{[](double a) { return -a; }, [](double) { return -1.0; }};
  LineSearchOptions options;
  options.max_step = 7.0;
  const LinePoint found = line.search(1.0, options);
  EXPECT_EQ(found.step, 7.0);
  EXPECT_EQ(line.calls.back(), 7.0);
}

TEST(StrongWolfe, ReturnsTheStartWhereNothingIsLower) {
  Line line{[](double a) { return a * a; }, [](double) { return -1.0; }};  // a wrong slope
  const LinePoint found = line.search(1.0);
  EXPECT_EQ(found.step, 0.0);
  EXPECT_EQ(found.value, 0.0);
  EXPECT_EQ(line.calls.size(), 20u);
}

TEST(StrongWolfe, ReturnsTheLowestWhereEvaluationsRunOut) {
  Line line = lines()[2];
  LineSearchOptions options;
  options.curvature = 1e-9;
  options.max_evaluations = 4;
  const LinePoint found = line.search(1e-2, options);
  EXPECT_GT(found.step, 0.0);
  EXPECT_EQ(line.calls.back(), found.step);
  for (double step : line.calls) EXPECT_LE(found.value, line.value(step));
}

TEST(StrongWolfe, TrustsTheSlopeWhereTheValueIsRounding) {
  Line line{[](double a) { return 1e9 + (a - 1) * (a - 1) * 1e-9; },
            [](double a) { return 2e-9 * (a - 1); }};
  const LinePoint found = line.search(1.1);
  EXPECT_EQ(found.step, 1.1);
}

TEST(StrongWolfe, RefusesAnAscent) {
  Line line{[](double a) { return a; }, [](double) { return 1.0; }};
  EXPECT_THROW(line.search(1.0), Error);
  Line fine{[](double a) { return -a; }, [](double) { return -1.0; }};
  EXPECT_THROW(fine.search(0.0), Error);
}

}  // namespace
}  // namespace blurfield
