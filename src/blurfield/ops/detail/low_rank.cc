// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/low_rank.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace blurfield::detail {
namespace {

// Handling of a term beside its taps: two transposes of the image, in taps.
constexpr double kTermOverhead = 10.0;

Term make_term(Taps vertical, Taps horizontal, double cval) {
  const auto& v = vertical.weights;
  const double side = cval == 0 ? 0 : cval * std::accumulate(v.begin(), v.end(), 0.0);
  return {std::move(vertical), std::move(horizontal), side};
}

double absolute_sum(const std::vector<double>& values) {
  double sum = 0.0;
  for (double v : values) sum += std::abs(v);
  return sum;
}

// Rows (or columns) of the kernel as terms.
std::vector<Term> lines(const Kernel2d& kernel, double cval) {
  std::vector<Term> terms;
  if (kernel.ry <= kernel.rx) {
    for (int dy = -kernel.ry; dy <= kernel.ry; ++dy) {
      std::vector<double> row;
      for (int dx = -kernel.rx; dx <= kernel.rx; ++dx) row.push_back(kernel.at(dy, dx));
      terms.push_back(make_term({dy, {1.0}}, centred_taps(std::move(row)), cval));
    }
  } else {
    for (int dx = -kernel.rx; dx <= kernel.rx; ++dx) {
      std::vector<double> column;
      for (int dy = -kernel.ry; dy <= kernel.ry; ++dy) column.push_back(kernel.at(dy, dx));
      terms.push_back(make_term(centred_taps(std::move(column)), {dx, {1.0}}, cval));
    }
  }
  return terms;
}

}  // namespace

double term_taps(const std::vector<Term>& terms) {
  double taps = 0.0;
  for (const Term& term : terms) {
    taps += static_cast<double>(term.vertical.weights.size() + term.horizontal.weights.size());
  }
  return taps;
}

// Gaussian elimination with complete pivoting: every step takes the cross through the largest
// entry left off the kernel. Its terms never exceed that entry, so none cancel in the sum.
std::vector<Term> split_kernel(const Kernel2d& kernel, double tolerance, double cval) {
  const Index height = 2 * kernel.ry + 1;
  const Index width = 2 * kernel.rx + 1;
  const double bound = tolerance * absolute_sum(kernel.taps);
  std::vector<double> rest = kernel.taps;
  std::vector<Term> terms;
  const double one_term = static_cast<double>(height + width) + kTermOverhead;
  const double all_lines = static_cast<double>(std::min(height, width)) *
                           (static_cast<double>(std::max(height, width)) + 1 + kTermOverhead);
  while (absolute_sum(rest) > bound) {
    if (static_cast<double>(terms.size() + 1) * one_term > all_lines) return lines(kernel, cval);
    const auto largest = std::max_element(
        rest.begin(), rest.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
    const Index at = largest - rest.begin();
    std::vector<double> column;
    std::vector<double> row(rest.begin() + at / width * width,
                            rest.begin() + (at / width + 1) * width);
    for (Index y = 0; y < height; ++y) {
      column.push_back(rest[static_cast<std::size_t>(y * width + at % width)] / *largest);
    }
    for (Index y = 0; y < height; ++y) {
      for (Index x = 0; x < width; ++x) {
        rest[static_cast<std::size_t>(y * width + x)] -=
            column[static_cast<std::size_t>(y)] * row[static_cast<std::size_t>(x)];
      }
    }
    terms.push_back(make_term(centred_taps(std::move(column)), centred_taps(std::move(row)), cval));
  }
  if (terms.empty()) terms.push_back(make_term({0, {0.0}}, {0, {0.0}}, cval));
  return terms;
}

}  // namespace blurfield::detail
