// SPDX-License-Identifier: BSD-3-Clause
// Interpolation between blurs at nodes in u = ln sigma: Lagrange polynomials per pixel.
#pragma once

#include "blurfield/base/view.h"

namespace blurfield::kernels {

// Arrays hold a multiple of this many elements.
inline constexpr Index kNodePad = 16;

// The polynomial of one node, c(u) = prod_j (u - roots[j]) * scales[j], where from <= u < to; 0
// elsewhere.
// Products of more than kFewRoots factors are taken in double: rounding grows with their number,
// and with the alternating signs of many nodes.
inline constexpr Index kFewRoots = 6;
struct NodePolynomial {
  const double* roots = nullptr;
  const double* scales = nullptr;
  Index count = 0;
  double from = 0.0;
  double to = 0.0;
};

// u = ln(max(sigma, least) * scale) for `count` pixels; inverse = 1 / sigma, or 0 below `least`.
template <class T>
void log_sigma(const T* sigma, T least, T scale, Index count, T* u, T* inverse);

// Of one node, or of a pair of them with coefficient y(u_y) x(u_x) (u_x null: y's alone).
template <class T>
struct NodePair {
  NodePolynomial y, x;
  const T* u_y = nullptr;
  const T* u_x = nullptr;
};

// value += c v; slope_y += dc/du_y v; slope_x += dc/du_x v. Null pointers are left out.
template <class T>
void node_mix(const NodePair<T>& node, const T* v, Index count, T* value, T* slope_y, T* slope_x);

// out = c value + dc/du_y along_y + dc/du_x along_x: its transpose. Null inputs are left out.
template <class T>
void node_share(const NodePair<T>& node, const T* value, const T* along_y, const T* along_x,
                Index count, T* out);

}  // namespace blurfield::kernels
