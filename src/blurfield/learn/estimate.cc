// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/estimate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "blurfield/base/check.h"
#include "blurfield/learn/detail/estimation.h"

namespace blurfield {
namespace {

constexpr const char* kName = "estimate";

constexpr std::array<std::string_view, 5> kModels{"sigma", "uniform", "sigma-yx", "logchol", "mix"};
constexpr std::array<std::string_view, 3> kPriors{"none", "smooth", "tv"};
constexpr std::array<std::string_view, 4> kMethods{"gauss-newton", "lbfgs", "adamax",
                                                   "gradient-descent"};

template <class Enum>
std::optional<Enum> parse(std::span<const std::string_view> names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

// Shape of the result's field.
Shape field_shape(const Shape& image, const EstimateOptions& options) {
  Shape shape = image;
  const bool one = options.model == BlurModel::uniform ||
                   (options.model == BlurModel::mix && options.scalar_weight);
  for (int axis = 0; one && axis < shape.rank(); ++axis) shape[axis] = 1;
  if (options.shared) shape[0] = 1;
  shape[1] = options.model == BlurModel::logchol ? 3 : options.model == BlurModel::sigma_yx ? 2 : 1;
  return shape;
}

void check_number(const char* name, double value, bool positive) {
  require(std::isfinite(value) && (positive ? value > 0 : value >= 0), kName, "expected a finite ",
          name, positive ? " > 0" : " >= 0", ", got ", value);
}

void check_options(const EstimateOptions& options, const Shape& image) {
  const bool two_dimensional =
      options.model == BlurModel::sigma_yx || options.model == BlurModel::logchol;
  require(image.rank() == 4 || !two_dimensional, kName, "expected images (N, C, H, W) for model ",
          model_name(options.model), ", got ", image.text());
  if (options.lambda) check_number("lambda", *options.lambda, false);
  if (options.noise) check_number("noise", *options.noise, true);
  check_number("tv_scale", options.tv_scale, true);
  check_number("tolerance", options.tolerance, false);
  check_number("rate", options.rate, true);
  check_number("max_sigma", options.max_sigma, false);
  check_number("confidence_window", options.confidence_window, false);
  require(options.parameter == SigmaParameter::exponential || options.max_sigma == 0 ||
              options.soft_maximum.sigma_min < options.max_sigma,
          kName, "expected soft_maximum.sigma_min < max_sigma, got ",
          options.soft_maximum.sigma_min, " and ", options.max_sigma);
  require(options.max_iterations >= 0, kName, "expected max_iterations >= 0, got ",
          options.max_iterations);
  for (double sigma : options.sigmas) {
    if (options.model == BlurModel::mix) {
      check_number("sigma of the mix", sigma, options.learn_sigmas);
    }
  }
}

template <class T>
void check_mask(const View<const T>& mask, const Shape& image) {
  Shape expected = image;
  expected[0] = mask.rank() > 0 && mask.shape[0] == 1 ? 1 : image[0];
  expected[1] = 1;
  detail::check_same_shape(kName, "mask", mask.shape, expected);
  detail::check_finite(kName, "mask", mask);
  for (Index n = 0; n < mask.batch(); ++n) {
    for (Index y = 0; y < mask.height(); ++y) {
      for (Index x = 0; x < mask.width(); ++x) {
        require(mask.at(n, 0, y, x) >= 0, kName, "expected a mask >= 0, got ", mask.at(n, 0, y, x),
                " at ", detail::pixel_text(image, n, 0, y, x));
      }
    }
  }
}

template <class T>
void check_start(const View<const T>& start, const Shape& expected,
                 const EstimateOptions& options) {
  detail::check_same_shape(kName, "start", start.shape, expected);
  detail::check_finite(kName, "start", start);
  if (options.model == BlurModel::logchol || options.model == BlurModel::mix) return;
  for (Index n = 0; n < start.batch(); ++n) {
    for (Index c = 0; c < start.channels(); ++c) {
      for (Index y = 0; y < start.height(); ++y) {
        for (Index x = 0; x < start.width(); ++x) {
          require(start.at(n, c, y, x) > 0, kName, "expected sigma > 0 in start, got ",
                  start.at(n, c, y, x), " at ", detail::pixel_text(start.shape, n, c, y, x));
        }
      }
    }
  }
}

// max |x|
template <class T>
double largest(const View<const T>& image) {
  double most = 0.0;
  for (Index n = 0; n < image.batch(); ++n) {
    for (Index c = 0; c < image.channels(); ++c) {
      for (Index y = 0; y < image.height(); ++y) {
        for (Index x = 0; x < image.width(); ++x) {
          most = std::max(most, std::abs(static_cast<double>(image.at(n, c, y, x))));
        }
      }
    }
  }
  return most;
}

template <class T>
Image<T> scaled(const View<const T>& image, double factor) {
  Image<T> result(image);
  for (Index i = 0; i < result.elements(); ++i) {
    result.data()[i] = static_cast<T>(factor * static_cast<double>(result.data()[i]));
  }
  return result;
}

// The options for images divided by `unit`.
EstimateOptions in_units(const EstimateOptions& options, double unit) {
  EstimateOptions own = options;
  if (own.noise) *own.noise /= unit;
  own.least_noise /= unit;
  own.blur.extension.cval /= unit;
  if (options.callback) {
    own.callback = [unit, callback = options.callback](EstimateStep step) {
      step.loss *= unit * unit;
      return callback(step);
    };
  }
  return own;
}

}  // namespace

std::string_view model_name(BlurModel model) { return kModels[static_cast<std::size_t>(model)]; }
std::string_view prior_name(FieldPrior prior) { return kPriors[static_cast<std::size_t>(prior)]; }
std::string_view estimate_method_name(EstimateMethod method) {
  return kMethods[static_cast<std::size_t>(method)];
}
std::optional<BlurModel> parse_model(std::string_view name) {
  return parse<BlurModel>(kModels, name);
}
std::optional<FieldPrior> parse_prior(std::string_view name) {
  return parse<FieldPrior>(kPriors, name);
}
std::optional<EstimateMethod> parse_estimate_method(std::string_view name) {
  return parse<EstimateMethod>(kMethods, name);
}
int usual_iterations(EstimateMethod method) {
  return method == EstimateMethod::gauss_newton ? 100 : 300;
}

template <class T>
Estimate<T> estimate(const View<const T>& sharp, const View<const T>& blurred,
                     const EstimateOptions& options, const View<const T>& mask,
                     const View<const T>& start) {
  detail::check_image(kName, sharp, "sharp image");
  detail::check_image(kName, blurred, "blurred image");
  detail::check_same_shape(kName, "blurred image", blurred.shape, sharp.shape);
  check_options(options, sharp.shape);
  if (!mask.empty()) check_mask(mask, sharp.shape);
  if (!start.empty()) check_start(start, field_shape(sharp.shape, options), options);
  Estimate<T> result;
  const double size = largest(blurred);
  if (size == 0 || (size > 1e-6 && size < 1e6)) {
    detail::run_estimation<T>(sharp, blurred, mask, start, options, result);
    return result;
  }
  // Squares of pixels over squares of noise would leave the range of float.
  const double unit = std::exp2(std::floor(std::log2(size)));
  const Image<T> scaled_sharp = scaled(sharp, 1 / unit);
  const Image<T> scaled_blurred = scaled(blurred, 1 / unit);
  detail::run_estimation<T>(scaled_sharp, scaled_blurred, mask, start, in_units(options, unit),
                            result);
  result.noise *= unit;
  result.loss *= unit * unit;
  for (EstimateStep& step : result.trace) step.loss *= unit * unit;
  return result;
}

template Estimate<float> estimate(const View<const float>&, const View<const float>&,
                                  const EstimateOptions&, const View<const float>&,
                                  const View<const float>&);
template Estimate<double> estimate(const View<const double>&, const View<const double>&,
                                   const EstimateOptions&, const View<const double>&,
                                   const View<const double>&);

}  // namespace blurfield
