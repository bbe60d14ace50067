// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/deblur.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "blurfield/base/check.h"
#include "blurfield/deblur/detail/brief.h"
#include "blurfield/deblur/detail/frame.h"
#include "blurfield/deblur/detail/scene_search.h"
#include "blurfield/deblur/detail/units.h"
#include "blurfield/deblur/richardson_lucy.h"
#include "blurfield/deblur/wiener.h"
#include "blurfield/ops/noise_level.h"

namespace blurfield {
namespace {

constexpr const char* kName = "deblur";
constexpr std::array<std::string_view, 8> kMethods{"auto", "wiener", "tikhonov", "rl",
                                                   "tv",   "fista",  "lbfgs",    "newton-cg"};
constexpr std::array<std::string_view, 4> kRules{"auto", "discrepancy", "gcv", "sure"};

template <class Enum, std::size_t N>
std::optional<Enum> parse(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

bool closed_form(DeblurMethod method) {
  return method == DeblurMethod::wiener || method == DeblurMethod::tikhonov;
}

// Why these options contradict each other; empty: they do not.
template <class T>
std::string contradiction(const BlurOperator<T>& blur, const DeblurOptions<T>& options,
                          bool weighted) {
  const DeblurMethod method = options.method;
  const bool bounded = options.lower || options.upper;
  const Prior prior = options.prior.kind;
  const Fidelity fidelity = options.fidelity.kind;
  const auto name = deblur_method_name(method);
  if (closed_form(method)) {
    if (blur.psf() == nullptr) return message(name, " needs the same blur everywhere");
    if (fidelity != Fidelity::gaussian) return message(name, " needs gaussian fidelity");
    if (bounded) return message(name, " knows no bounds");
    if (weighted) return message(name, " knows no weights");
    const bool scores = options.rule == LambdaRule::automatic || options.rule == LambdaRule::gcv;
    if (!scores) return message(name, " chooses lambda by gcv");
    return "";
  }
  if (method == DeblurMethod::richardson_lucy) {
    if (options.upper) return "rl knows no upper bound";
    if (fidelity == Fidelity::huber || fidelity == Fidelity::norm) {
      return message("rl is for poisson fidelity, got ", fidelity_name(fidelity));
    }
    if (options.lower && *options.lower != 0) return "rl knows no lower bound but 0";
    return "";
  }
  if (method == DeblurMethod::newton_cg && bounded) return "newton-cg knows no bounds";
  if (method == DeblurMethod::primal_dual) {
    if (fidelity == Fidelity::norm) return "tv takes gaussian, huber or poisson fidelity";
    if (prior != Prior::tv && prior != Prior::huber_tv && prior != Prior::hessian &&
        prior != Prior::none) {
      return message("tv takes the priors tv, huber-tv, hessian and none, got ", prior_name(prior));
    }
  }
  if (method == DeblurMethod::fista && (fidelity == Fidelity::norm || prior == Prior::norm)) {
    return "fista needs bounded curvature, which a norm has not";
  }
  if ((fidelity == Fidelity::norm || prior == Prior::norm) && !options.lambda) {
    return "a norm needs a lambda";
  }
  return "";
}

template <class T>
void check_options(const BlurOperator<T>& blur, const DeblurOptions<T>& options, bool weighted) {
  const auto at_least = [](const char* name, const std::optional<double>& value, bool positive) {
    require(!value || (std::isfinite(*value) && (positive ? *value > 0 : *value >= 0)), kName,
            "expected ", name, positive ? " > 0, got " : " >= 0, got ", value.value_or(0));
  };
  at_least("lambda", options.lambda, false);
  at_least("noise", options.noise, true);
  at_least("least_noise", options.least_noise, false);
  at_least("prior_scale", options.prior_scale, true);
  at_least("tolerance", options.tolerance, false);
  require(options.max_iterations >= 0, kName, "expected max_iterations >= 0, got ",
          options.max_iterations);
  require(options.max_seconds > 0, kName, "expected max_seconds > 0, got ", options.max_seconds);
  require(!options.lower || !options.upper || *options.lower < *options.upper, kName,
          "expected lower < upper, got ", options.lower.value_or(0), " and ",
          options.upper.value_or(0));
  const std::string wrong = contradiction(blur, options, weighted);
  require(wrong.empty(), kName, wrong);
}

// What `options` leave open, from the frame.
template <class T>
DeblurOptions<T> complete(DeblurOptions<T> options, const detail::Frame<T>& frame,
                          Deblurred<T>& result) {
  if (options.method == DeblurMethod::automatic) {
    options.method = DeblurMethod::lbfgs;
    result.why.push_back(
        message("method lbfgs: the fastest for ", prior_name(options.prior.kind), " on any blur"));
  }
  if (!options.noise) {
    const double found = noise_level<T>(frame.pixels, frame.noise_weight());
    options.noise = std::max(found, options.least_noise);
    const char* source = found >= options.least_noise
                             ? ", the median of the image's finest wavelet coefficients"
                             : ", the least that its format allows for (rounding, compression)";
    // Neither: the rounding of T.
    const double least = static_cast<double>(std::numeric_limits<T>::epsilon()) * frame.largest;
    if (!(*options.noise > 0) || *options.noise < least) {
      options.noise = least > 0 ? least : 1.0;
      source = ", that of rounding: the image shows none";
    }
    result.why.push_back(message("noise ", detail::brief(*options.noise), source));
  }
  // Less than what T resolves cannot be told from nothing, and its squares overflow.
  const double rounding = static_cast<double>(std::numeric_limits<T>::epsilon()) * frame.largest;
  if (*options.noise < rounding) {
    options.noise = rounding;
    result.warnings.push_back(message("noise raised to ", detail::brief(rounding),
                                      ", the rounding of its brightest pixel"));
  }
  FidelityOptions& fidelity = options.fidelity;
  fidelity.noise = *options.noise;
  if (fidelity.kind == Fidelity::poisson && fidelity.gain == 0) {
    const double signal = frame.mean - fidelity.offset;
    require(signal > 0 || frame.largest == 0, kName, "expected a frame brighter than its offset ",
            fidelity.offset, " on average, got ", frame.mean);
    fidelity.gain = signal > 0 ? *options.noise * *options.noise / signal : 1.0;
    result.why.push_back(message("gain ", detail::brief(fidelity.gain),
                                 ", the noise's variance by the mean signal"));
  }
  // Below 0 the likelihood of no count has no end.
  if (fidelity.kind == Fidelity::poisson && !options.lower &&
      options.method != DeblurMethod::newton_cg) {
    options.lower = 0.0;
    result.why.push_back("pixels are kept >= 0, as counts of light are");
  }
  return options;
}

// What the result tells against the blur, or the noise.
template <class T>
void doubt(const detail::Frame<T>& frame, const DeblurOptions<T>& options, Deblurred<T>& result) {
  constexpr double kUnexplained = 1.5;
  constexpr double kBeyond = 0.5;  // of the frame's contrast
  constexpr double kOften = 0.01;  // of the pixels
  const Stop stop = result.result.stop;
  const bool cut = options.max_iterations > 0;
  if (stop == Stop::time || stop == Stop::cancelled || (stop == Stop::iterations && cut)) {
    return;
  }
  // Where a few pixels tell the noise, it may be anything.
  constexpr Index kFew = 16;
  if (frame.pixels.height() < kFew || frame.pixels.width() < kFew) return;
  // The norm knows no noise.
  if (result.residual > kUnexplained && options.fidelity.kind != Fidelity::norm) {
    result.warnings.push_back(
        message("the residual is ", detail::brief(result.residual),
                " times the noise: the blur is another, or the noise is larger (give it)"));
  }
  const double margin = std::max(kBeyond * (frame.highest - frame.lowest), 1e-3 * frame.largest);
  const auto outside =
      std::count_if(result.image.data(), result.image.data() + result.image.elements(), [&](T v) {
        const auto pixel = static_cast<double>(v);
        return pixel < frame.lowest - margin || pixel > frame.highest + margin;
      });
  if (static_cast<double>(outside) > kOften * static_cast<double>(result.image.elements())) {
    result.warnings.push_back(
        "pixels far beyond the image's range: is the blur wider than it was?");
  }
}

template <class T>
void solve_closed(const BlurOperator<T>& blur, const detail::Frame<T>& frame,
                  const DeblurOptions<T>& options, Deblurred<T>& result) {
  const auto start = std::chrono::steady_clock::now();
  WienerOptions closed;
  closed.gradient = options.prior.kind != Prior::tikhonov;
  closed.lambda = options.lambda;
  closed.threads = options.threads;
  const bool wiener_filter = options.method == DeblurMethod::wiener;
  WienerResult<T> found = wiener_filter ? wiener<T>(blur, frame.pixels, *options.noise, closed)
                                        : tikhonov<T>(blur, frame.pixels, *options.noise, closed);
  result.image = std::move(found.image);
  result.lambda = found.lambda;
  if (!wiener_filter && !options.lambda) {
    result.why.push_back(message("lambda ", detail::brief(found.lambda),
                                 " has the least generalised ", "cross-validation score"));
  }
  result.result.stop = Stop::no_descent;
  result.result.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <class T>
void solve_multiplicative(const BlurOperator<T>& blur, const detail::Frame<T>& frame,
                          const DeblurOptions<T>& options, Image<T> scene, Deblurred<T>& result) {
  RichardsonLucyOptions<T> rl;
  rl.offset = options.fidelity.offset;
  rl.background = options.fidelity.background;
  rl.accelerate = options.accelerate;
  rl.tv = options.lambda.value_or(0.0);
  rl.change_tolerance = options.tolerance;
  rl.threads = options.threads;
  rl.max_seconds = options.max_seconds;
  if (options.max_iterations > 0) {
    rl.max_iterations = options.max_iterations;
  } else {
    rl.discrepancy = *options.noise * *options.noise;
    rl.max_iterations = 200;
    result.why.push_back(
        "stops where the residual is as large as the noise (discrepancy "
        "principle), after at most 200 iterations");
  }
  const double positive =
      std::max(frame.mean - rl.offset - rl.background, 1e-6 * std::max(frame.largest, 1e-30));
  for (Index i = 0; i < scene.elements(); ++i) {
    scene.data()[i] = std::max(scene.data()[i], static_cast<T>(0.01 * positive));
  }
  rl.callback = [&](const Iterate<T>& at) {
    DeblurStep<T> step;
    step.iteration = at.iteration;
    step.value = at.value;
    step.lambda = rl.tv;
    step.residual = std::sqrt(at.value) / *options.noise;
    double square = 0.0;
    for (T v : at.x) square += static_cast<double>(v) * static_cast<double>(v);
    step.change = square > 0 ? at.step / std::sqrt(square) : 0.0;
    step.seconds = at.seconds;
    result.trace.push_back(step);
    if (!options.callback) return true;
    step.image = blur.visible(View<const T>(at.x.data(), blur.scene()));
    return options.callback(step);
  };
  result.result = richardson_lucy<T>(blur, frame.pixels, scene, rl, frame.weight);
  result.lambda = rl.tv;
  result.residual = std::sqrt(result.result.value) / *options.noise;
  result.image = Image<T>(blur.visible(scene.view()));
}

template <class T>
void solve_regularised(const BlurOperator<T>& blur, const DeblurOptions<T>& asked,
                       detail::Frame<T>& frame, Image<T> start, Deblurred<T>& result) {
  const detail::Units<T> units(frame.largest, asked);
  const DeblurOptions<T> options = units.options();
  if (units.differ()) units.enter(frame.own_pixels());
  units.enter(start);
  const FidelityTerm<T> fidelity(frame.pixels, options.fidelity, frame.weight, options.threads);
  detail::SceneSearch<T> search(blur, fidelity, options, std::move(start));
  const bool regularised = options.prior.kind != Prior::none;
  result.lambda = options.lambda.value_or(0.0);
  if (regularised && !options.lambda) {
    const detail::LambdaChoice choice =
        detail::choose_lambda(options.rule, search.first_lambda(), search.most_lambda(),
                              [&](double lambda) -> std::optional<detail::Balance> {
                                search.solve(lambda, true);
                                if (search.stopped()) return std::nullopt;
                                return search.balance(lambda);
                              });
    result.lambda = choice.lambda;
    result.freedom = choice.balance.freedom;
    result.why.push_back(
        message("lambda ", detail::brief(units.lambda(choice.lambda)), choice.why));
  }
  if (!search.stopped()) search.solve(result.lambda, false);
  result.prior_scale = search.prior_scale(result.lambda);
  result.result = search.result();
  result.trace = search.take_trace();
  result.residual = fidelity.residual(search.misfit());
  result.image = Image<T>(blur.visible(search.scene().view()));
  units.leave(result);
}

}  // namespace

std::string_view deblur_method_name(DeblurMethod method) {
  return kMethods[static_cast<std::size_t>(method)];
}
std::optional<DeblurMethod> parse_deblur_method(std::string_view name) {
  return parse<DeblurMethod>(kMethods, name);
}
std::string_view lambda_rule_name(LambdaRule rule) {
  return kRules[static_cast<std::size_t>(rule)];
}
std::optional<LambdaRule> parse_lambda_rule(std::string_view name) {
  return parse<LambdaRule>(kRules, name);
}

template <class T>
Deblurred<T> deblur(const BlurOperator<T>& blur, const View<const T>& y,
                    const DeblurOptions<T>& options, const View<const T>& weight,
                    const View<const T>& start) {
  detail::check_same_shape(kName, "image", y.shape, blur.frame());
  check_options(blur, options, !weight.empty());
  detail::Frame<T> frame(y, weight);
  Deblurred<T> result;
  const DeblurOptions<T> completed = complete(options, frame, result);
  result.method = completed.method;
  result.noise = *completed.noise;
  if (closed_form(completed.method)) {
    solve_closed(blur, frame, completed, result);
    return result;
  }
  const bool counts = completed.method == DeblurMethod::richardson_lucy ||
                      completed.fidelity.kind == Fidelity::poisson;
  Image<T> scene;
  if (start.empty()) {
    scene = frame.first_scene(blur, completed.threads);
    if (counts) {
      const auto dark = static_cast<T>(completed.fidelity.offset + completed.fidelity.background);
      for (Index i = 0; i < scene.elements(); ++i) scene.data()[i] -= dark;
    }
  } else {
    detail::check_same_shape(kName, "start", start.shape, blur.scene());
    detail::check_finite<T>(kName, "start", start);
    scene = Image<T>(start);
  }
  if (completed.method == DeblurMethod::richardson_lucy) {
    solve_multiplicative(blur, frame, completed, std::move(scene), result);
  } else {
    solve_regularised(blur, completed, frame, std::move(scene), result);
  }
  doubt(frame, options, result);
  return result;
}

#define BLURFIELD_INSTANTIATE(T)                                              \
  template Deblurred<T> deblur(const BlurOperator<T>&, const View<const T>&,  \
                               const DeblurOptions<T>&, const View<const T>&, \
                               const View<const T>&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
