// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/detail/choose_lambda.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace blurfield::detail {
namespace {

constexpr double kFurthest = 10.0;  // a single update's factor
// In log lambda, below the start. There the freedom, known from below, makes scores too good.
constexpr double kDeepest = 4.6;

LambdaChoice stopped(LambdaChoice choice) {
  choice.why = ", where the search for it was stopped";
  return choice;
}

// The evidence's fixed point (MacKay 1992): the expected p lambda P(x) of a scene drawn from the
// prior is its number of dimensions; of those the frame determines `freedom`. In log lambda the
// map has a slope of about -0.2, so three updates do.
LambdaChoice by_evidence(double start, double most, const SolveAt& solve) {
  constexpr int kUpdates = 3;
  LambdaChoice choice{start, {}, {}};
  for (int i = 0; i < kUpdates; ++i) {
    const auto found = solve(choice.lambda);
    if (!found) return stopped(choice);
    const Balance& at = choice.balance = *found;
    if (!(at.prior > 0) || !(at.freedom > 0)) break;
    choice.lambda *= std::clamp(at.freedom / (choice.lambda * at.prior), 1 / kFurthest, kFurthest);
    choice.lambda = std::min(choice.lambda, most);
  }
  choice.why = message(" makes the prior of the scene as large as the evidence expects for the ",
                       static_cast<long>(std::max(choice.balance.freedom, 0.0)),
                       " degrees of freedom that the image determines");
  return choice;
}

// The root in log lambda of deviance = counted - freedom, which grows with lambda: by bracketing
// and regula falsi of Illinois.
LambdaChoice by_discrepancy(double start, double most, const SolveAt& solve) {
  constexpr int kMost = 12;
  constexpr double kClose = 0.01;
  LambdaChoice choice{start, {}, {}};
  bool ended = false;
  const auto excess = [&](double log_lambda) {
    const auto found = solve(std::exp(log_lambda));
    ended = !found;
    if (ended) return 0.0;
    choice.lambda = std::exp(log_lambda);
    const Balance& at = choice.balance = *found;
    return std::log(std::max(at.deviance, 1e-300) / std::max(at.counted - at.freedom, 1.0));
  };
  double at = std::log(start);
  double f = excess(at);
  double other = at;
  double g = f;
  int solves = 1;
  for (double step = std::log(3.0); solves < kMost && f * g > 0 && std::abs(f) > kClose;
       step *= 1.5, ++solves) {
    other = at;
    g = f;
    if (f < 0 ? at >= std::log(most) : at < std::log(start) - kDeepest) break;
    at += f > 0 ? -step : step;
    f = excess(at);
  }
  for (; solves < kMost && f * g < 0 && std::abs(f) > kClose; ++solves) {
    const double middle = (other * f - at * g) / (f - g);
    const double h = excess(middle);
    if (h * f < 0) {
      other = at;
      g = f;
    } else {
      g /= 2;
    }
    at = middle;
    f = h;
  }
  if (ended) return stopped(choice);
  choice.why = message(std::abs(f) <= 5 * kClose
                           ? " leaves a residual as large as the noise (discrepancy principle)"
                           : " is as near as the residual comes to the noise (discrepancy "
                             "principle)");
  return choice;
}

// The least `score` over log lambda: walks downhill by factors of 3, then golden section.
LambdaChoice by_score(double start, double most, const SolveAt& solve,
                      const std::function<double(Balance)>& f, const char* name) {
  constexpr int kMost = 14;
  constexpr double kGolden = 0.3819660112501051;
  struct Point {
    double at, score;
    Balance balance;
  };
  LambdaChoice choice{start, {}, {}};
  int solves = 0;
  bool ended = false;
  const auto measure = [&](double at) {
    ++solves;
    const auto found = ended ? std::nullopt : solve(std::exp(at));
    ended = !found;
    if (ended) return Point{at, std::numeric_limits<double>::infinity(), {}};
    choice = {std::exp(at), *found, {}};
    return Point{at, f(*found), *found};
  };
  const double step = std::log(3.0);
  Point middle = measure(std::log(start));
  Point low = measure(middle.at - step);
  Point high = measure(middle.at + step);
  const double least = std::log(start) - kDeepest;
  while (solves < kMost && low.score < middle.score && low.at > least) {
    high = middle;
    middle = low;
    low = measure(middle.at - step);
  }
  while (solves < kMost && high.score < middle.score && high.at < std::log(most)) {
    low = middle;
    middle = high;
    high = measure(middle.at + step);
  }
  while (solves < kMost && high.at - low.at > std::log(1.5)) {
    const bool upper = high.at - middle.at > middle.at - low.at;
    const Point next = measure(upper ? middle.at + kGolden * (high.at - middle.at)
                                     : middle.at - kGolden * (middle.at - low.at));
    if (next.score < middle.score) {
      (upper ? low : high) = middle;
      middle = next;
    } else {
      (upper ? high : low) = next;
    }
  }
  if (ended) return stopped(choice);
  choice.lambda = std::exp(middle.at);
  choice.balance = middle.balance;
  choice.why = message(" has the least ", name, " of ", solves, " tried");
  return choice;
}

}  // namespace

LambdaChoice choose_lambda(LambdaRule rule, double start, double most, const SolveAt& solve) {
  start = std::min(start, most);
  switch (rule) {
    case LambdaRule::discrepancy:
      return by_discrepancy(start, most, solve);
    case LambdaRule::gcv:
      return by_score(
          start, most, solve,
          [](const Balance& at) {
            const double rest = std::max(at.counted - at.freedom, 1.0);
            return at.deviance * at.counted / (rest * rest);
          },
          "generalised cross-validation score");
    case LambdaRule::sure:
      return by_score(
          start, most, solve,
          [](const Balance& at) { return at.deviance + 2 * at.freedom - at.counted; },
          "estimate of the risk (SURE)");
    default:
      return by_evidence(start, most, solve);
  }
}

}  // namespace blurfield::detail
