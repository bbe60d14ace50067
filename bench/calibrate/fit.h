// SPDX-License-Identifier: BSD-3-Clause
// Fits times as sums of counts times constants, and tells how well choices by them do.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace blurfield::bench {

inline constexpr double kTolerated = 1.15;  // of the best method's time

// min |A c - b| over c >= 0: least squares, taking out what comes out negative until nothing does.
inline Eigen::VectorXd non_negative(const Eigen::MatrixXd& a, const Eigen::VectorXd& b) {
  std::vector<Eigen::Index> kept;
  for (Eigen::Index i = 0; i < a.cols(); ++i) {
    if (a.col(i).squaredNorm() > 0) kept.push_back(i);
  }
  Eigen::VectorXd c = Eigen::VectorXd::Zero(a.cols());
  while (!kept.empty()) {
    const Eigen::VectorXd part = a(Eigen::all, kept).completeOrthogonalDecomposition().solve(b);
    Eigen::Index least = 0;
    if (part.minCoeff(&least) >= 0) {
      c(kept) = part;
      break;
    }
    kept.erase(kept.begin() + least);
  }
  return c;
}

// The constants that bring the logarithms of predictions closest to those of the times, by Gauss
// and Newton from the least squares of relative errors. `counts` holds a row per case, over its
// time.
inline Eigen::VectorXd fit_constants(const Eigen::MatrixXd& counts,
                                     const Eigen::VectorXd& weights) {
  Eigen::VectorXd c = non_negative(weights.asDiagonal() * counts, weights);
  for (int step = 0; step < 20; ++step) {
    const Eigen::VectorXd ratio = (counts * c).cwiseMax(1e-3);  // predicted over measured
    const Eigen::MatrixXd slope = ratio.cwiseInverse().asDiagonal() * counts;
    const Eigen::VectorXd goal =
        Eigen::VectorXd::Ones(counts.rows()) - ratio.array().log().matrix();
    c = 0.5 * (c + non_negative(weights.asDiagonal() * slope, weights.cwiseProduct(goal)));
  }
  return c;
}

// A line on times over the best method's.
inline void summary(const char* what, std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  const auto count = static_cast<double>(ratios.size());
  const auto within = std::upper_bound(ratios.begin(), ratios.end(), kTolerated) - ratios.begin();
  double logs = 0.0;
  for (const double r : ratios) logs += std::log(r);
  std::printf("%s: %.0f of %.0f within %.2f, mean %.3f, nine tenths below %.2f, worst %.2f\n", what,
              static_cast<double>(within), count, kTolerated, std::exp(logs / count),
              ratios[ratios.size() * 9 / 10], ratios.back());
}

}  // namespace blurfield::bench
