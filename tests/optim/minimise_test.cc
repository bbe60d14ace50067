// SPDX-License-Identifier: BSD-3-Clause
// What all optimisers have in common.
#include "blurfield/optim/minimise.h"

#include <gmock/gmock.h>

#include <chrono>
#include <thread>

#include "tests/support/optimisers.h"

namespace blurfield {
namespace {

using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class T>
class Minimise : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Minimise, Types);

template <class T>
std::string error_of(const test::Optimiser<T>& optimiser, const test::Problem<T>& problem,
                     std::span<T> x, const MinimiseOptions<T>& options = {}) {
  try {
    optimiser.run(problem, x, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TYPED_TEST(Minimise, TellsWhatHappensInEachIteration) {
  using T = TypeParam;
  const auto problem = test::rosenbrock<T>();
  for (const auto& optimiser : test::optimisers<T>(1e-4)) {
    SCOPED_TRACE(optimiser.name);
    std::vector<T> x = test::rosenbrock_start<T>(6);
    std::vector<T> before = x;
    int told = 0;
    double seconds = 0.0;
    Iterate<T> last;
    MinimiseOptions<T> options;
    options.max_iterations = 9;
    options.callback = [&](const Iterate<T>& now) {
      EXPECT_EQ(now.iteration, told++);
      EXPECT_GE(now.seconds, seconds);
      std::vector<T> gradient(6);
      EXPECT_EQ(now.value, problem.objective.evaluate(now.x, gradient));
      double largest = 0.0;
      double square = 0.0;
      for (std::size_t i = 0; i < 6; ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(gradient[i])));
        square += std::pow(static_cast<double>(now.x[i]) - static_cast<double>(before[i]), 2);
      }
      EXPECT_EQ(now.gradient_norm, largest);
      EXPECT_NEAR(now.step, std::sqrt(square), 1e-12);
      EXPECT_EQ(now.step > 0, now.iteration > 0);
      seconds = now.seconds;
      before.assign(now.x.begin(), now.x.end());
      last = now;
      return true;
    };
    const MinimiseResult result = optimiser.run(problem, x, options);
    EXPECT_EQ(result.stop, Stop::iterations);
    EXPECT_EQ(result.iterations, 9);
    EXPECT_EQ(told, 10);
    EXPECT_GE(result.evaluations, 10);
    EXPECT_EQ(result.products > 0, optimiser.name.find("newton") != std::string::npos);
    EXPECT_EQ(result.value, last.value);
    EXPECT_EQ(result.gradient_norm, last.gradient_norm);
    EXPECT_GE(result.seconds, last.seconds);
    EXPECT_EQ(x, before);
  }
}

TYPED_TEST(Minimise, StopsByEachRule) {
  using T = TypeParam;
  const auto problem = test::rosenbrock<T>();
  for (const auto& optimiser : test::optimisers<T>(1e-3)) {
    SCOPED_TRACE(optimiser.name);
    const auto run = [&](const MinimiseOptions<T>& options) {
      std::vector<T> x = test::rosenbrock_start<T>(2);
      return optimiser.run(problem, x, options);
    };
    MinimiseOptions<T> options;
    options.max_iterations = 0;
    const MinimiseResult none = run(options);
    EXPECT_EQ(none.stop, Stop::iterations);
    EXPECT_EQ(none.evaluations, 1);
    options.max_iterations = 30000;
    options.gradient_tolerance = 0.1;
    const MinimiseResult flat = run(options);
    EXPECT_EQ(flat.stop, Stop::gradient);
    EXPECT_LE(flat.gradient_norm, 0.1);
    EXPECT_GT(flat.iterations, 0);
    options.gradient_tolerance = 0.0;
    options.change_tolerance = 0.5;
    double before = kInfinity;
    double change = kInfinity;
    options.callback = [&](const Iterate<T>& now) {
      EXPECT_TRUE(now.iteration == 0 || change > 0.5) << now.iteration;
      change = std::abs(now.value - before) / now.value;
      before = now.value;
      return true;
    };
    change = kInfinity;
    const MinimiseResult still = run(options);
    EXPECT_EQ(still.stop, Stop::change);
    EXPECT_LE(change, 0.5);
    EXPECT_GT(still.iterations, 0);
  }
}

TYPED_TEST(Minimise, StopsAtTheTimeLimit) {
  using T = TypeParam;
  auto problem = test::rosenbrock<T>();
  problem.objective.evaluate = [inner = problem.objective.evaluate](auto x, auto gradient) {
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
    return inner(x, gradient);
  };
  for (const auto& optimiser : test::optimisers<T>(1e-5)) {
    SCOPED_TRACE(optimiser.name);
    std::vector<T> x = test::rosenbrock_start<T>(2);
    std::vector<T> last;
    MinimiseOptions<T> options;
    options.max_iterations = 1000000;
    options.max_seconds = 0.03;
    options.callback = [&](const Iterate<T>& now) {
      last.assign(now.x.begin(), now.x.end());
      return true;
    };
    const MinimiseResult result = optimiser.run(problem, x, options);
    EXPECT_EQ(result.stop, Stop::time);
    EXPECT_GE(result.seconds, 0.03);
    EXPECT_LE(result.evaluations, 8);
    EXPECT_EQ(x, last);
  }
}

TYPED_TEST(Minimise, IsCancelledByTheCallback) {
  using T = TypeParam;
  for (const auto& optimiser : test::optimisers<T>(1e-4)) {
    SCOPED_TRACE(optimiser.name);
    for (int when : {0, 3}) {
      std::vector<T> x = test::rosenbrock_start<T>(2);
      std::vector<T> last;
      MinimiseOptions<T> options;
      options.callback = [&](const Iterate<T>& now) {
        last.assign(now.x.begin(), now.x.end());
        return now.iteration < when;
      };
      const MinimiseResult result = optimiser.run(test::rosenbrock<T>(), x, options);
      EXPECT_EQ(result.stop, Stop::cancelled);
      EXPECT_EQ(result.iterations, when);
      EXPECT_EQ(x, last);
    }
  }
}

TYPED_TEST(Minimise, GivesTheSameForAnyNumberOfThreads) {
  using T = TypeParam;
  const std::size_t size = 70000;  // several slices of vector work
  auto start = test::rosenbrock_start<T>(size);
  Random random(5);
  for (T& value : start) value += static_cast<T>(0.1 * random.normal());
  for (const auto& optimiser : test::optimisers<T>(1e-3)) {
    SCOPED_TRACE(optimiser.name);
    std::vector<T> alone;
    for (int threads : {1, 2, 5}) {
      std::vector<T> x = start;
      MinimiseOptions<T> options;
      options.max_iterations = 9;
      options.threads = threads;
      const auto result = optimiser.run(test::rosenbrock<T>(), x, options);
      EXPECT_EQ(result.iterations, 9);
      if (threads == 1) alone = x;
      EXPECT_TRUE(x == alone) << threads;
    }
  }
}

TYPED_TEST(Minimise, RefusesBadOptions) {
  using T = TypeParam;
  for (const auto& optimiser : test::optimisers<T>(1e-3)) {
    SCOPED_TRACE(optimiser.name);
    const auto error = [&](auto change) {
      MinimiseOptions<T> options;
      change(options);
      std::vector<T> x{T(1), T(2)};
      return error_of<T>(optimiser, test::rosenbrock<T>(), x, options);
    };
    EXPECT_THAT(error([](auto& o) { o.max_iterations = -1; }),
                HasSubstr(optimiser.name + ": expected max_iterations >= 0, got -1"));
    EXPECT_THAT(error([](auto& o) { o.gradient_tolerance = -1; }), HasSubstr("gradient_tolerance"));
    EXPECT_THAT(error([](auto& o) { o.change_tolerance = kNan; }), HasSubstr("change_tolerance"));
    EXPECT_THAT(error([](auto& o) { o.max_seconds = kNan; }), HasSubstr("max_seconds"));
    EXPECT_THAT(error_of<T>(optimiser, test::rosenbrock<T>(), {}), HasSubstr("parameters"));
    test::Problem<T> empty = test::rosenbrock<T>();
    empty.objective.evaluate = nullptr;
    std::vector<T> x{T(1), T(2)};
    EXPECT_THAT(error_of<T>(optimiser, empty, x), HasSubstr("objective"));
  }
}

TYPED_TEST(Minimise, KeepsTheBestOfValuesThatRise) {
  using T = TypeParam;
  const auto problem = test::separable<T>([](double x) { return x * x / 2; },
                                          [](double x) { return x; }, [](double) { return 1.0; });
  for (const auto& optimiser : test::optimisers<T>(0.5, true)) {
    if (optimiser.name == "lbfgs") break;  // the first-order ones come first
    SCOPED_TRACE(optimiser.name);
    std::vector<T> x{T(2.2), T(1.3)};
    std::vector<T> best;
    double lowest = kInfinity;
    double last = 0.0;
    MinimiseOptions<T> options;
    options.callback = [&](const Iterate<T>& now) {
      last = now.value;
      if (now.value < lowest) {
        lowest = now.value;
        best.assign(now.x.begin(), now.x.end());
      }
      return now.iteration < 8;
    };
    auto run = optimiser.run;
    if (optimiser.name == "gradient_descent") {
      run = [](const test::Problem<T>& p, std::span<T> at, const MinimiseOptions<T>& common) {
        auto own = test::with<GradientDescentOptions<T>>(common);
        own.rate = 0.5;
        own.momentum = 0.95;
        own.keep_best = true;
        return gradient_descent<T>(p.objective, at, own);
      };
    }
    const MinimiseResult result = run(problem, x, options);
    EXPECT_GT(last, lowest);
    EXPECT_EQ(result.value, lowest);
    EXPECT_EQ(result.iterations, 8);
    EXPECT_EQ(x, best);
  }
}

TEST(StopName, IsAWordOrTwo) {
  EXPECT_EQ(stop_name(Stop::gradient), "gradient");
  EXPECT_EQ(stop_name(Stop::change), "change");
  EXPECT_EQ(stop_name(Stop::iterations), "iterations");
  EXPECT_EQ(stop_name(Stop::time), "time");
  EXPECT_EQ(stop_name(Stop::cancelled), "cancelled");
  EXPECT_EQ(stop_name(Stop::no_descent), "no descent");
}

}  // namespace
}  // namespace blurfield
