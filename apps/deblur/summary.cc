// SPDX-License-Identifier: BSD-3-Clause
#include "apps/deblur/summary.h"

#include <fmt/format.h>

#include <cmath>

#include "apps/job_json.h"
#include "blurfield/report/html.h"

namespace blurfield::app {
namespace {

using report::number;

Json settings_json(const DeblurRequest& request) {
  const DeblurSettings& s = request.settings;
  const bool poisson = s.fidelity.kind == Fidelity::poisson;
  const GaussianRequest& gaussian = request.gaussian;
  const auto bound = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json();
  };
  return {{"blur", request.blur_text()},
          {"scatter", gaussian.scatter},
          {"truncate", gaussian.truncate ? Json(*gaussian.truncate) : Json()},
          {"radius", gaussian.radius.empty() ? Json() : Json(gaussian.radius)},
          {"order", request.psf_grid.empty() ? Json() : Json(order_name(request.order))},
          {"border", request.border_text()},
          {"upscale", request.upscale},
          {"asked_method", deblur_method_name(s.method)},
          {"fidelity", fidelity_name(s.fidelity.kind)},
          {"gain", !poisson              ? Json()
                   : s.fidelity.gain > 0 ? Json(s.fidelity.gain)
                                         : Json("auto")},
          {"offset", poisson ? Json(s.fidelity.offset) : Json()},
          {"background", poisson ? Json(s.fidelity.background) : Json()},
          {"prior", prior_name(s.prior.kind)},
          {"per_channel", !s.prior.joint},
          {"asked_prior_scale", auto_or(s.prior_scale)},
          {"asked_lambda", auto_or(s.lambda)},
          {"lambda_rule", lambda_rule_name(s.rule)},
          {"asked_noise", auto_or(s.noise)},
          {"lower", bound(s.lower)},
          {"upper", bound(s.upper)},
          {"mask", name_or_null(request.mask)},
          {"mask_saturated", request.mask_saturated},
          {"linear_light", request.linear_light},
          {"acceleration", s.accelerate},
          {"max_iterations", s.max_iterations > 0 ? Json(s.max_iterations) : Json("auto")},
          {"tolerance", s.tolerance > 0 ? Json(s.tolerance) : Json("auto")},
          {"time_limit", std::isfinite(s.max_seconds) ? Json(s.max_seconds) : Json()}};
}

Json quality_json(const std::optional<Quality>& quality) {
  if (!quality) return {};
  return {{"psnr", quality->psnr},  // null where infinite
          {"ssim", quality->ssim ? Json(*quality->ssim) : Json()}};
}

std::string quality_text(const DeblurSummary& summary) {
  if (!summary.after) return "";
  std::string text =
      fmt::format("PSNR {:.2f} dB, before {:.2f}", summary.after->psnr, summary.before->psnr);
  if (summary.after->ssim && summary.before->ssim) {
    text +=
        fmt::format("; SSIM {:.4f}, before {:.4f}", *summary.after->ssim, *summary.before->ssim);
  }
  return text + "\n";
}

}  // namespace

bool closed_form(DeblurMethod method) {
  return method == DeblurMethod::wiener || method == DeblurMethod::tikhonov;
}

std::string work_text(const DeblurSummary& summary) {
  const std::string_view method = deblur_method_name(summary.method);
  if (closed_form(summary.method)) return fmt::format("{}, in closed form", method);
  return search_text(summary.result, method);
}

std::string summary_text(const DeblurRequest& request, const DeblurSummary& summary) {
  std::string text = fmt::format("{}: deblurred with {}\n", request.out, request.blur_text());
  for (const std::string& reason : summary.why) text += reason + "\n";
  if (summary.left_out > 0) {
    text +=
        fmt::format("{} pixel{} left out\n", summary.left_out, summary.left_out == 1 ? "" : "s");
  }
  text += "noise " + number(summary.noise);
  if (request.settings.prior.kind != Prior::none) text += ", lambda " + number(summary.lambda);
  if (!closed_form(summary.method)) {
    text += fmt::format(", residual {} times the noise", number(summary.residual, 3));
  }
  return text + fmt::format("\n{}{}, {} s on {} thread{}\n", quality_text(summary),
                            work_text(summary), number(summary.deblur_seconds, 3), summary.threads,
                            summary.threads == 1 ? "" : "s");
}

std::string summary_json(const DeblurRequest& request, const DeblurSummary& summary) {
  Json json = job_json("deblur", request.line, {{"in", request.in}}, request.out, summary.in);
  json.update({{"out_type", io::sample_name(summary.out_sample)},
               {"trace_file", name_or_null(request.trace)},
               {"report", name_or_null(request.report)},
               {"reference", name_or_null(request.reference)}});
  json.update(settings_json(request));
  json.update({{"blur_tolerance", summary.accuracy.tolerance},
               {"method", deblur_method_name(summary.method)},
               {"noise", summary.noise},
               {"lambda", summary.lambda},
               {"prior_scale", summary.prior_scale},
               {"residual", closed_form(summary.method) ? Json() : Json(summary.residual)},
               {"freedom", summary.freedom},
               {"why", summary.why},
               {"warnings", summary.warnings},
               {"left_out", summary.left_out},
               {"data_range", summary.after ? Json(summary.data_range) : Json()},
               {"before", quality_json(summary.before)},
               {"after", quality_json(summary.after)},
               {"stop", stop_name(summary.result.stop)},
               {"iterations", summary.result.iterations},
               {"evaluations", summary.result.evaluations},
               {"products", summary.result.products},
               {"value", summary.result.value},
               {"trace", trace_json(summary.trace)},
               {"threads", summary.threads},
               {"load_seconds", summary.load_seconds},
               {"deblur_seconds", summary.deblur_seconds},
               {"save_seconds", summary.save_seconds}});
  return dump(json);
}

}  // namespace blurfield::app
