// SPDX-License-Identifier: BSD-3-Clause
// Sampled Gaussians and their parameters as Vars (G1-G6); first derivatives only. Kernels are to be
// correlated; radii are given, and held fixed.
#pragma once

#include <array>

#include "blurfield/autodiff/var.h"

namespace blurfield {

// 2 radius + 1 weights of one sigma > 0 (pixels), shaped {2 radius + 1}.
template <class T>
Var<T> gaussian_kernel1d(const Var<T>& sigma, int radius, int order = 0);

// {2 ry + 1, 2 rx + 1} weights; `sigmas` has 2 elements (sigma_y, sigma_x), or 1 for both.
template <class T>
Var<T> gaussian_kernel2d(const Var<T>& sigmas, std::array<int, 2> radius_yx,
                         std::array<int, 2> order_yx = {0, 0});

// {2 ry + 1, 2 rx + 1} weights; `logchol` has 3 elements (a, b, c).
template <class T>
Var<T> gaussian_kernel2d_logchol(const Var<T>& logchol, std::array<int, 2> radius_yx);

// Fields (N, 3, H, W) of (a, b, c) to (yy, yx, xx) in pixels^2, and back.
template <class T>
Var<T> logchol_to_cov(const Var<T>& logchol);
template <class T>
Var<T> cov_to_logchol(const Var<T>& cov);

}  // namespace blurfield
