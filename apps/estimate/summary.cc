// SPDX-License-Identifier: BSD-3-Clause
#include "apps/estimate/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "blurfield/ops/covariance.h"
#include "blurfield/report/html.h"

namespace blurfield::app {
namespace {

using report::number;

constexpr double kKnown = 0.5;  // confidence from which a pixel counts as known

Spread spread_of(const char* name, std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double fraction) {
    return values[static_cast<std::size_t>(fraction * static_cast<double>(values.size() - 1))];
  };
  return {name, at(0.05), at(0.5), at(0.95)};
}

Json settings_json(const EstimateRequest& request) {
  const EstimateOptions& options = request.options;
  const bool mix = options.model == BlurModel::mix;
  return {{"scatter", options.blur.scatter},
          {"mode", mode_name(options.blur.extension.mode)},
          {"cval", options.blur.extension.cval},
          {"truncate", options.blur.truncate ? Json(*options.blur.truncate) : Json()},
          {"blur_tolerance", options.blur.tolerance},
          {"radius", options.blur.radius.empty() ? Json() : Json(options.blur.radius)},
          {"mask", name_or_null(request.mask)},
          {"linear_light", request.linear_light},
          {"prior", prior_name(options.prior)},
          {"asked_lambda", auto_or(options.lambda)},
          {"asked_noise", auto_or(options.noise)},
          {"method", estimate_method_name(options.method)},
          {"max_iterations", options.max_iterations > 0 ? Json(options.max_iterations) : Json()},
          {"tolerance", options.tolerance},
          {"rate", options.method == EstimateMethod::adamax ? Json(options.rate) : Json()},
          {"max_sigma", options.max_sigma > 0 ? Json(options.max_sigma) : Json()},
          {"learn_sigmas", mix ? Json(options.learn_sigmas) : Json()},
          {"scalar_weight", mix ? Json(options.scalar_weight) : Json()}};
}

}  // namespace

template <class T>
std::vector<Spread> spreads_of(BlurModel model, const View<const T>& field,
                               const View<const T>& confidence) {
  std::array<std::vector<double>, 3> values;
  const auto add = [&](bool all) {
    for (Index y = 0; y < field.height(); ++y) {
      for (Index x = 0; x < field.width(); ++x) {
        if (!all && static_cast<double>(confidence.at(0, 0, y, x)) < kKnown) continue;
        std::array<double, 3> v{};
        for (Index c = 0; c < field.channels(); ++c) {
          v[static_cast<std::size_t>(c)] = static_cast<double>(field.at(0, c, y, x));
        }
        if (model == BlurModel::logchol) {
          const Cov cov = logchol_to_cov(v);
          v = {std::sqrt(cov[0]), std::sqrt(cov[2]), cov[1] / std::sqrt(cov[0] * cov[2])};
        }
        for (std::size_t c = 0; c < 3; ++c) values[c].push_back(v[c]);
      }
    }
  };
  add(false);
  if (values[0].empty()) add(true);
  if (model == BlurModel::mix) return {spread_of("weight", values[0])};
  if (field.channels() == 1) return {spread_of("sigma", values[0])};
  std::vector<Spread> spreads{spread_of("sigma_y", values[0]), spread_of("sigma_x", values[1])};
  if (field.channels() == 3) spreads.push_back(spread_of("correlation", values[2]));
  return spreads;
}

std::string spread_text(const Spread& spread, bool constant) {
  const bool width = spread.name.starts_with("sigma");
  return fmt::format(
      "{} {}{}", spread.name,
      constant ? number(spread.median, 5) : number(spread.low) + ".." + number(spread.high),
      width ? " px" : "");
}

Trace trace_of(const std::vector<EstimateStep>& steps) {
  Trace trace{{"iteration", "loss", "value", "lambda", "gradient_norm", "step", "seconds"}, {}};
  for (const EstimateStep& s : steps) {
    trace.rows.push_back({static_cast<double>(s.iteration), s.loss, s.value, s.lambda,
                          s.gradient_norm, s.step, s.seconds});
  }
  return trace;
}

std::string summary_text(const EstimateRequest& request, const EstimateSummary& summary) {
  std::string field;
  for (const Spread& spread : summary.spreads) {
    field += (field.empty() ? "" : ", ") + spread_text(spread, request.one_for_all());
  }
  const char* range = request.one_for_all() ? ""
                      : summary.known > 0   ? " (5..95 % of what is known)"
                                            : " (5..95 % of the pixels)";
  const EstimateOptions& options = request.options;
  const std::string sigmas =
      options.model == BlurModel::mix
          ? fmt::format(" of sigmas {} and {} px", number(summary.sigmas[0], 5),
                        number(summary.sigmas[1], 5))
          : "";
  const std::string lambda =
      options.prior == FieldPrior::none || request.one_for_all()
          ? ""
          : fmt::format(", lambda {} ({})", number(summary.lambda), asked_text(options.lambda));
  constexpr double kMuch = 1.5;  // times the noise
  const double left = std::sqrt(summary.loss) / summary.noise;
  const std::string more =
      left > kMuch ? fmt::format(
                         "a residual of {:.2g} times the noise: the images differ by more "
                         "than such a blur\n",
                         left)
                   : "";
  return fmt::format(
      "{}: {}{}{}, known: {:.0f} %\n"
      "residual {} rms, noise {} ({}){}\n{}"
      "{}, {} s on {} thread{}\n",
      request.out, field, sigmas, range, 100 * summary.known, number(std::sqrt(summary.loss)),
      number(summary.noise), asked_text(options.noise), lambda, more,
      search_text(summary.result, estimate_method_name(options.method)),
      number(summary.estimate_seconds, 3), summary.threads, summary.threads == 1 ? "" : "s");
}

std::string summary_json(const EstimateRequest& request, const EstimateSummary& summary) {
  const bool mix = request.options.model == BlurModel::mix;
  io::Info in = summary.sharp;
  in.channels = summary.channels;
  Json json = job_json("estimate", request.line,
                       Json::object({{"sharp", request.sharp}, {"blurred", request.blurred}}),
                       request.out, in);
  json.update({{"blurred_type", io::sample_name(summary.blurred.sample)},
               {"out_type", io::sample_name(summary.out_sample)},
               {"confidence", name_or_null(request.confidence)},
               {"trace_file", name_or_null(request.trace)},
               {"report", name_or_null(request.report)},
               {"model", model_name(request.options.model)}});
  json.update(settings_json(request));
  Json field = Json::object();
  for (const Spread& s : summary.spreads) {
    field[s.name] = {{"percentile_5", s.low}, {"median", s.median}, {"percentile_95", s.high}};
  }
  json.update({{"field", field},
               {"mix_sigmas", mix ? Json(summary.sigmas) : Json()},
               {"known", summary.known},
               {"loss", summary.loss},
               {"noise", summary.noise},
               {"lambda", summary.lambda},
               {"stop", stop_name(summary.result.stop)},
               {"iterations", summary.result.iterations},
               {"evaluations", summary.result.evaluations},
               {"products", summary.result.products},
               {"trace", trace_json(summary.trace)},
               {"warnings", summary.warnings},
               {"threads", summary.threads},
               {"load_seconds", summary.load_seconds},
               {"estimate_seconds", summary.estimate_seconds},
               {"save_seconds", summary.save_seconds}});
  return dump(json);
}

template std::vector<Spread> spreads_of(BlurModel, const View<const float>&,
                                        const View<const float>&);
template std::vector<Spread> spreads_of(BlurModel, const View<const double>&,
                                        const View<const double>&);

}  // namespace blurfield::app
