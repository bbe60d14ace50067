// SPDX-License-Identifier: BSD-3-Clause
// The blur that an estimate moves: what maps a flat vector of parameters s to an image.
// s holds `local` parameters per pixel, (F, K, H, W) with F = 1 or the batch, and then `global`
// ones.
#pragma once

#include <memory>
#include <span>

#include "blurfield/learn/estimate.h"

namespace blurfield::detail {

template <class T>
class BlurFit {
 public:
  virtual ~BlurFit() = default;
  BlurFit(const BlurFit&) = delete;
  BlurFit& operator=(const BlurFit&) = delete;

  const Shape& image() const { return x_.shape; }
  const Shape& local() const { return local_; }  // empty: no local parameters
  Index global() const { return global_; }
  Index size() const { return local_.elements() + global_; }
  // Whether out(p) depends on the local parameters of p alone.
  bool gathers() const { return !options_.blur.scatter || options_.model == BlurModel::mix; }

  // out = A(s) x
  virtual void predict(std::span<const T> s, const View<T>& out) const = 0;
  // gradient = J^T cotangent
  virtual void pull(std::span<const T> s, const View<const T>& cotangent,
                    std::span<T> gradient) const = 0;
  // out_dot = J s_dot
  virtual void push(std::span<const T> s, std::span<const T> s_dot,
                    const View<T>& out_dot) const = 0;

  // The parameters of a blur of this sigma (a weight of 1/2 for mix) everywhere; of a field as the
  // user knows it; and back.
  virtual void set_uniform(double sigma, std::span<T> s) const = 0;
  virtual void set_field(const View<const T>& field, std::span<T> s) const = 0;
  virtual Image<T> field(std::span<const T> s) const = 0;
  virtual MixSigmas sigmas(std::span<const T>) const { return {}; }
  // The box that the parameters stay in.
  virtual void bounds(double max_sigma, std::span<T> lower, std::span<T> upper) const = 0;

 protected:
  BlurFit(const View<const T>& x, const EstimateOptions& options, const Shape& local, Index global)
      : x_(x), options_(options), local_(local), global_(global) {}
  const View<const T>& x() const { return x_; }
  const EstimateOptions& options() const { return options_; }

 private:
  View<const T> x_;
  const EstimateOptions& options_;
  Shape local_;
  Index global_;
};

// `x` and `options` must outlive the result.
template <class T>
std::unique_ptr<BlurFit<T>> make_blur_fit(const View<const T>& x, const EstimateOptions& options);

template <class T>
std::unique_ptr<BlurFit<T>> make_adaptive_fit(const View<const T>& x,
                                              const EstimateOptions& options);
template <class T>
std::unique_ptr<BlurFit<T>> make_uniform_fit(const View<const T>& x,
                                             const EstimateOptions& options);
template <class T>
std::unique_ptr<BlurFit<T>> make_mix_fit(const View<const T>& x, const EstimateOptions& options);

// Sigma below which a kernel is a point and tells no slope.
inline constexpr double kMinSigma = 0.15;

// sigma(s), d sigma / d s and s(sigma) by options.parameter.
double sigma_of(double s, const EstimateOptions& options);
double sigma_slope(double s, const EstimateOptions& options);
double parameter_of(double sigma, const EstimateOptions& options);

}  // namespace blurfield::detail
