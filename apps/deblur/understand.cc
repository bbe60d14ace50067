// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <charconv>
#include <filesystem>

#include "apps/deblur/options.h"
#include "apps/deblur/summary.h"

namespace blurfield::app {
namespace {

// Cells of a grid from "3x4".
std::array<Index, 2> parse_cells(const std::string& text) {
  std::array<Index, 2> cells{};
  const char* end = text.data() + text.size();
  const auto rows = std::from_chars(text.data(), end, cells[0]);
  const bool crossed = rows.ec == std::errc() && rows.ptr != end && *rows.ptr == 'x';
  const auto columns = std::from_chars(crossed ? rows.ptr + 1 : end, end, cells[1]);
  constexpr Index kMost = 1000;
  const auto fine = [](Index n) { return n >= 1 && n <= kMost; };
  if (!crossed || columns.ec != std::errc() || columns.ptr != end || !fine(cells[0]) ||
      !fine(cells[1])) {
    refuse_usage("--grid: expected rows x columns of 1.." + std::to_string(kMost) +
                 " each, say 3x4, got " + text);
  }
  return cells;
}

void check_blur(const CLI::App& app, const DeblurWords& words, DeblurRequest& request) {
  const std::size_t gaussians = count_gaussians(app);
  const std::size_t blurs = gaussians + app.count("--psf") + app.count("--psf-grid");
  if (blurs != 1) {
    refuse_usage(
        message("expected exactly one of --psf, --psf-grid, --sigma, --sigma-yx, --cov, "
                "--sigma-map, --logchol-map; got ",
                blurs));
  }
  require_for(app, {"--order"}, app.count("--psf-grid") > 0, "--psf-grid");
  require_for(app, {"--scatter", "--gather"}, request.gaussian.varies(),
              "a map: where the blur is the same everywhere it changes nothing");
  require_for(app, {"--truncate", "--radius", "--radius-yx", "--tolerance"}, gaussians > 0,
              "a Gaussian (--sigma, --sigma-map, ...): a PSF ends where its image does");
  if (!words.grid.empty()) request.cells = parse_cells(words.grid);
}

// The prior that suits the method where none is named.
Prior usual_prior(const DeblurSettings& settings) {
  switch (settings.method) {
    case DeblurMethod::wiener:
      return Prior::none;
    case DeblurMethod::tikhonov:
      return Prior::gradient;
    case DeblurMethod::richardson_lucy:
      return settings.lambda ? Prior::tv : Prior::none;
    case DeblurMethod::primal_dual:
      return Prior::tv;
    default:
      return settings.prior.kind;
  }
}

// What a method cannot take.
void check_method(const CLI::App& app, const DeblurRequest& request) {
  const DeblurSettings& s = request.settings;
  const Prior prior = s.prior.kind;
  const Fidelity fidelity = s.fidelity.kind;
  const bool closed = closed_form(s.method);
  require_for(app, {"--psf-grid", "--sigma-map", "--logchol-map", "--upscale"}, !closed,
              "another method: wiener and tikhonov take one blur for the whole image");
  require_for(app,
              {"--mask", "--mask-saturated", "--nonneg", "--box", "--max-iter", "--tol",
               "--time-limit", "--per-channel"},
              !closed, "an iterative method, not wiener or tikhonov");
  require_for(app, {"--fidelity"}, !closed || fidelity == Fidelity::gaussian,
              "an iterative method: wiener and tikhonov are for gaussian noise");
  require_for(app, {"--prior", "--lambda", "--lambda-rule"}, s.method != DeblurMethod::wiener,
              "another method: wiener takes all from the noise");
  require_for(
      app, {"--prior"},
      s.method != DeblurMethod::tikhonov || prior == Prior::tikhonov || prior == Prior::gradient,
      "another method: tikhonov's priors are tikhonov and gradient");
  const bool rl = s.method == DeblurMethod::richardson_lucy;
  require_for(app, {"--fidelity"}, !rl || fidelity == Fidelity::poisson,
              "another method: rl is for poisson noise");
  require_for(app, {"--prior"}, !rl || prior == Prior::none || prior == Prior::tv,
              "another method: rl's priors are none and tv");
  require_for(app, {"--prior"}, !rl || prior == Prior::none || s.lambda,
              "a --lambda with rl, in 0..0.1 or so");
  require_for(app, {"--lambda-rule"},
              s.method != DeblurMethod::tikhonov || s.rule == LambdaRule::gcv,
              "another method: tikhonov's is gcv");
  require_for(app, {"--lambda-rule"}, !rl, "another method: rl's lambda is given or 0");
  require_for(app, {"--box"}, !rl, "another method: rl keeps pixels >= 0, no more");
  require_for(app, {"--no-acceleration"}, rl, "--method rl");
  const bool primal_dual = s.method == DeblurMethod::primal_dual;
  require_for(app, {"--prior"},
              !primal_dual || prior == Prior::none || prior == Prior::tv ||
                  prior == Prior::huber_tv || prior == Prior::hessian,
              "another method: tv's priors are tv, huber-tv, hessian and none");
  const bool steps = primal_dual || s.method == DeblurMethod::fista;
  require_for(app, {"--fidelity"}, !steps || fidelity != Fidelity::norm,
              "lbfgs or newton-cg: norm has no certified step");
  require_for(app, {"--prior"}, s.method != DeblurMethod::fista || prior != Prior::norm,
              "lbfgs or newton-cg: norm has no certified step");
  require_for(app, {"--nonneg", "--box"}, s.method != DeblurMethod::newton_cg,
              "another method: newton-cg takes no bounds");
}

void check_weights(const CLI::App& app, const DeblurRequest& request) {
  const DeblurSettings& s = request.settings;
  const Prior prior = s.prior.kind;
  require_for(app, {"--gain", "--offset", "--background"}, s.fidelity.kind == Fidelity::poisson,
              "--fidelity poisson or --method rl");
  require_for(app, {"--fidelity"}, s.fidelity.kind != Fidelity::norm || s.lambda,
              "a --lambda where it is norm");
  require_for(app, {"--prior"}, prior != Prior::norm || s.lambda, "a --lambda where it is norm");
  require_for(app, {"--lambda", "--lambda-rule", "--per-channel"}, prior != Prior::none,
              "a prior to weigh");
  require_for(app, {"--lambda-rule"}, !s.lambda, "--lambda auto");
  const bool smoothed = prior == Prior::tv || prior == Prior::hessian;
  require_for(app, {"--prior-scale"},
              prior == Prior::huber_tv || prior == Prior::tv2 ||
                  (smoothed && s.method != DeblurMethod::primal_dual),
              "--prior tv2 or huber-tv, or a tv or hessian that is smoothed for the method");
}

void bound(const DeblurWords& words, DeblurSettings& settings) {
  if (words.nonneg) settings.lower = 0.0;
  if (words.box.empty()) return;
  if (!std::isfinite(words.box[1] - words.box[0]) || !(words.box[0] < words.box[1])) {
    refuse_usage(message("--box: expected LO < HI, got ", words.box[0], " ", words.box[1]));
  }
  settings.lower = words.box[0];
  settings.upper = words.box[1];
}

}  // namespace

void understand(const CLI::App& app, const DeblurWords& words, DeblurRequest& request) {
  DeblurSettings& s = request.settings;
  s.method = *parse_deblur_method(words.method);
  s.fidelity.kind = *parse_fidelity(words.fidelity);
  if (s.method == DeblurMethod::richardson_lucy && app.count("--fidelity") == 0) {
    s.fidelity.kind = Fidelity::poisson;
  }
  s.lambda = unless_auto(words.lambda);
  s.prior.kind = words.prior.empty() ? usual_prior(s) : *parse_image_prior(words.prior);
  s.prior.joint = !words.per_channel;
  s.prior_scale = unless_auto(words.prior_scale);
  s.rule = *parse_lambda_rule(words.rule);
  s.noise = unless_auto(words.noise);
  if (s.fidelity.kind == Fidelity::poisson) s.fidelity.gain = unless_auto(words.gain).value_or(0);
  s.accelerate = !words.plain;
  request.order = *parse_order(words.order);
  request.border.extend = words.border == "extend";
  if (!request.border.extend) request.border.mode = *parse_mode(words.border);
  bound(words, s);
  check_blur(app, words, request);
  check_method(app, request);
  check_weights(app, request);
  require_distinct(
      {{"IN", request.in},
       {"--psf", request.psf},
       {"--psf-grid", request.psf_grid},
       {"--sigma-map", request.gaussian.sigma_map},
       {"--logchol-map", request.gaussian.logchol_map},
       {"--mask", request.mask},
       {"--reference", request.reference}},
      {{"OUT", request.out}, {"--trace", request.trace}, {"--report", request.report}});
  std::error_code ignored;
  if (!std::filesystem::is_directory(request.psf_grid, ignored)) return;
  for (const std::string& file : {request.out, request.trace, request.report}) {
    const auto folder = std::filesystem::absolute(file, ignored).parent_path();
    if (!file.empty() && std::filesystem::equivalent(folder, request.psf_grid, ignored)) {
      refuse_usage(message("--psf-grid: expected a folder of its own, got ", request.psf_grid,
                           ", where ", file, " would be written"));
    }
  }
}

}  // namespace blurfield::app
