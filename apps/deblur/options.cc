// SPDX-License-Identifier: BSD-3-Clause
#include "apps/deblur/options.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace blurfield::app {
namespace {

const std::vector<std::string> kMethods{"auto", "wiener", "tikhonov", "rl",
                                        "tv",   "fista",  "lbfgs",    "newton-cg"};
const std::vector<std::string> kPriors{"none", "tikhonov", "gradient", "norm",
                                       "tv",   "huber-tv", "tv2",      "hessian"};

void add_blur(CLI::App& app, DeblurRequest& request, DeblurWords& words) {
  const char* group = "Blur, in pixels of OUT (exactly one)";
  app.add_option("--psf", request.psf,
                 "Point-spread function, the same everywhere: an image, a .npy or a text file "
                 "whose middle pixel (H / 2, W / 2) is where a point of light stands; or "
                 "gauss:SIGMA, disk:RADIUS, motion:LENGTH@DEGREES (counter-clockwise from the x "
                 "axis), moffat:FWHM,BETA")
      ->type_name("FILE|FORMULA")
      ->group(group);
  auto* grid = app.add_option("--psf-grid", request.psf_grid,
                              "Point-spread functions measured at the centres of a grid of cells: "
                              "a folder of images, row by row in the order of their names, a file "
                              "of as many pages or planes, or a mosaic")
                   ->type_name("FOLDER|FILE")
                   ->group(group);
  app.add_option("--grid", words.grid, "Cells of the grid, rows x columns, say 3x4")
      ->type_name("NYxNX")
      ->needs(grid)
      ->group(group);
  grid->needs(app.get_option("--grid"));
  add_gaussian(app, group, request.gaussian);
}

void add_manner(CLI::App& app, DeblurRequest& request, DeblurWords& words) {
  const char* group = "How the blur acts";
  words.order = order_name(request.order);
  app.add_option("--order", words.order,
                 "A PSF of the grid belongs to the source, as behind a lens: mask-first; or to the "
                 "pixel where light arrives: conv-first. The wrong one leaves artefacts")
      ->type_name("O")
      ->check(CLI::IsMember({"mask-first", "conv-first"}))
      ->capture_default_str()
      ->group(group);
  auto* scatter =
      app.add_flag("--scatter", request.gaussian.scatter,
                   "A map's Gaussian belongs to the pixel that light comes from, as behind a lens")
          ->group(group);
  app.add_flag("--gather", words.gather,
               "A map's Gaussian gathers light around its pixel, as in `blur` (default)")
      ->excludes(scatter)
      ->group(group);
  add_reach(app, group, request.gaussian.truncate, request.gaussian.radius);
  add_tolerance(
      app, group, request.gaussian.tolerance,
      "Blur by Gaussians whose weights may be wrong by E in sum: a large sigma then costs hardly "
      "more than a small one; 0: exact (default: as in `blur`, 0.001 for 8-bit images, 0.0001 with "
      "--linear-light, if over twice as fast; else exact)");
  app.add_option(
         "--border", words.border,
         "What the blur reached for beyond the frame: extend finds the scene there too, and "
         "crops it; or the image goes on by reflect, mirror, nearest, constant (0), wrap")
      ->type_name("B")
      ->check(CLI::IsMember({"extend", "reflect", "mirror", "nearest", "constant", "wrap"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--upscale", request.upscale,
                 "OUT is N times as large: each pixel of IN is the mean of N x N of OUT, whose "
                 "pixels are those of the blur (a FITS header keeps IN's coordinates)")
      ->type_name("N")
      ->check(CLI::Range(1, 16))
      ->capture_default_str()
      ->group(group);
}

void add_image(CLI::App& app, DeblurRequest& request, DeblurWords& words) {
  const char* group = "Image";
  FidelityOptions& fidelity = request.settings.fidelity;
  words.fidelity = fidelity_name(fidelity.kind);
  app.add_option(
         "--noise", words.noise,
         "Standard deviation of IN's noise, on the scale of the pixels (0..1 for integers); "
         "auto takes it from the finest details, no less than the rounding of integers")
      ->type_name("STD")
      ->check(number_or_auto(true))
      ->capture_default_str()
      ->group(group);
  app.add_option("--fidelity", words.fidelity,
                 "gaussian: noise alike everywhere; poisson: counts of light; huber: outliers "
                 "count less; norm: the length of the residual, which needs a --lambda")
      ->type_name("F")
      ->check(CLI::IsMember({"gaussian", "poisson", "huber", "norm"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--gain", words.gain,
                 "Poisson: what one count adds to a pixel; auto: the noise's variance by the mean "
                 "signal")
      ->type_name("G")
      ->check(number_or_auto(true))
      ->capture_default_str()
      ->group(group);
  app.add_option("--offset", fidelity.offset, "Poisson: the pixel's value without any count")
      ->type_name("O")
      ->capture_default_str()
      ->group(group);
  app.add_option("--background", fidelity.background,
                 "Poisson: light that was added after the blur, on the scale of the pixels")
      ->type_name("B")
      ->check(number_not_negative())
      ->capture_default_str()
      ->group(group);
  app.add_option(
         "--mask", request.mask,
         "One-channel image of weights, 0..1 for integers: a pixel of weight 0 counts for "
         "nothing, and is filled in from around; so are pixels of IN that are NaN, infinite "
         "or wholly transparent")
      ->type_name("FILE")
      ->group(group);
  app.add_flag("--mask-saturated", request.mask_saturated,
               "Leave out pixels at the largest sample value in any channel")
      ->group(group);
  app.add_flag("--linear-light", request.linear_light,
               "Decode sRGB before and encode after: light is what a lens blurs (integer images)")
      ->group(group);
}

void add_solver(CLI::App& app, DeblurRequest& request, DeblurWords& words) {
  const char* group = "Method";
  DeblurSettings& s = request.settings;
  words.method = deblur_method_name(s.method);
  words.rule = lambda_rule_name(s.rule);
  app.add_option("--method", words.method,
                 "auto; wiener and tikhonov, one formula for one blur everywhere; rl "
                 "(Richardson-Lucy), for counts; tv, exact total variation by a primal-dual "
                 "method; fista, lbfgs, newton-cg, for smooth priors")
      ->type_name("M")
      ->check(
          CLI::IsMember({"auto", "wiener", "tikhonov", "rl", "tv", "fista", "lbfgs", "newton-cg"}))
      ->capture_default_str()
      ->group(group);
  app.add_option(
         "--prior", words.prior,
         "What is expected of the sharp image: tv2 (flat parts, slopes and edges), huber-tv "
         "and tv (flat parts and edges), hessian (slopes and folds), gradient (smooth), "
         "tikhonov (small), norm (the length of the gradient, which needs a --lambda), "
         "none; default: tv2, or what the method is for")
      ->type_name("P")
      ->check(CLI::IsMember(kPriors))
      ->group(group);
  app.add_option(
         "--prior-scale", words.prior_scale,
         "Slope below which tv2, huber-tv, or a smoothed tv or hessian, is smooth, on the scale "
         "of the pixels; auto: from the noise")
      ->type_name("D")
      ->check(number_or_auto(true))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--per-channel", words.per_channel,
               "The prior sees each channel alone; default: edges of all channels at once")
      ->group(group);
  app.add_option("--lambda", words.lambda, "Weight of the prior; auto chooses it by --lambda-rule")
      ->type_name("L")
      ->check(number_or_auto(false))
      ->capture_default_str()
      ->group(group);
  app.add_option("--lambda-rule", words.rule,
                 "auto; discrepancy: the residual is as large as the noise; gcv: generalised "
                 "cross-validation; sure: least risk by Stein's estimate")
      ->type_name("R")
      ->check(CLI::IsMember({"auto", "discrepancy", "gcv", "sure"}))
      ->capture_default_str()
      ->group(group);
  auto* nonneg = app.add_flag("--nonneg", words.nonneg, "Pixels of OUT are >= 0")->group(group);
  app.add_option("--box", words.box, "Pixels of OUT are within LO..HI")
      ->type_name("LO HI")
      ->expected(2)
      ->excludes(nonneg)
      ->group(group);
  app.add_flag("--no-acceleration", words.plain, "rl step by step, as it was published")
      ->group(group);
}

void add_limits(CLI::App& app, DeblurRequest& request) {
  const char* group = "Limits";
  DeblurSettings& s = request.settings;
  app.add_option("--max-iter", s.max_iterations,
                 "At most N iterations for each lambda tried, of rl N and no early stop at the "
                 "noise (default: "
                 "the method's)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000000))
      ->group(group);
  app.add_option("--tol", s.tolerance,
                 "Relative change of the image that ends the iterations (default: the method's)")
      ->type_name("T")
      ->check(positive_number())
      ->group(group);
  app.add_option("--time-limit", s.max_seconds, "Stop after S seconds with the best so far")
      ->type_name("S")
      ->check(positive_number())
      ->group(group);
}

void add_output(CLI::App& app, DeblurRequest& request) {
  const char* group = "Output";
  add_bit_depth(app, group, request.bit_depth);
  app.add_option("--reference", request.reference,
                 "The sharp image, for trials: how near OUT comes to it, PSNR and SSIM, is told "
                 "at the start, per iteration and at the end")
      ->type_name("SHARP")
      ->group(group);
  app.add_option("--trace", request.trace, "Also write a row of numbers per iteration")
      ->type_name("FILE.csv")
      ->group(group);
  app.add_option("--report", request.report,
                 "Also write a page with images, blur, curves, numbers and what was chosen why")
      ->type_name("FILE.html")
      ->group(group);
  app.add_flag("--force", request.force, "Overwrite existing files")->group(group);
}

}  // namespace

void add_deblur_options(CLI::App& app, DeblurRequest& request, DeblurWords& words) {
  app.add_option("IN", request.in, "The blurred image")->required()->type_name("");
  app.add_option("OUT", request.out, "The sharp one; the format follows the name")
      ->required()
      ->type_name("");
  add_blur(app, request, words);
  add_manner(app, request, words);
  add_image(app, request, words);
  add_solver(app, request, words);
  add_limits(app, request);
  add_output(app, request);
  add_common(app, request.common);
}

}  // namespace blurfield::app
