// SPDX-License-Identifier: BSD-3-Clause
// Interpolation between uniform blurs: a Gaussian of any sigma within a range as a weighted sum of
// those of a few, a polynomial in ln sigma through Chebyshev nodes.
#pragma once

#include <vector>

namespace blurfield::detail {

// Bound on sum_q |sum_k c_k(ln sigma) w_k(q) - w_sigma(q)| of normalised sampled isotropic
// Gaussians over all sigma of a range, max / min = exp(log_ratio), by `count` >= 2 nodes; the same
// holds for each axis alone. Ranges that begin at sigma_min >= 1 need fewer nodes: the sampled
// Gaussian is analytic in |Im ln sigma| < pi / 4, but below 1 its sum all but vanishes at that
// strip's edge.
double interpolation_error(double log_ratio, int count, double sigma_min = 0.0);

// The least number of nodes, at least 2, whose error is bounded by `error` > 0.
int nodes_needed(double log_ratio, double error, double sigma_min = 0.0);

// The zeros of the Chebyshev polynomial T_count on log_min..log_max, ascending.
std::vector<double> chebyshev_nodes(double log_min, double log_max, int count);

}  // namespace blurfield::detail
