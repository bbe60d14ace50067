// SPDX-License-Identifier: BSD-3-Clause
// blurfield estimate: the options.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "apps/estimate/work.h"

namespace blurfield::app {
namespace {

constexpr const char* kExamples = R"(Examples:
  How blurred is the second picture, everywhere alike, and where exactly?
    blurfield estimate sharp.png soft.png one.tif --model uniform
    blurfield estimate sharp.png soft.png sigma.tif --confidence known.png --report sigma.html
  The field is a map for `blur`: this makes soft.png again
    blurfield blur sharp.png again.png --sigma-map sigma.tif
  Gaussians of any orientation, whose kernels belong to the source as behind a lens:
    blurfield estimate sharp.png soft.png shape.tif --model logchol --scatter
    blurfield blur sharp.png again.png --logchol-map shape.tif --scatter
  A field with edges, from frames whose bad pixels are NaN, or 0 in good.fits; the noise is known:
    blurfield estimate model.fits frame.fits seeing.fits --prior tv --mask good.fits --noise 12.5
  Two blurs mixed in unknown proportion, their sigmas unknown too:
    blurfield estimate sharp.png haze.png weight.tif --model mix --learn-sigmas
What to mind:
  Both images must show the same scene, registered to a fraction of a pixel and of one brightness;
  a blur cannot explain anything else. Saturated pixels are not blurred like others: --mask them.
  Where the sharp image is flat nothing tells the blur: there the prior fills in, and the
  confidence is low. Ctrl-C stops the search and keeps the best field so far.)";

// What CLI11's options cannot hold: enumerations, "auto", pairs.
struct Words {
  std::string model;
  std::string mode;
  std::string prior;
  std::string method;
  std::string lambda = "auto";
  std::string noise = "auto";
  std::vector<double> mix_sigmas;
  std::optional<double> tolerance;
  bool gather = false;
};

// Options that the model or the method leaves without meaning.
void refuse_unused(const CLI::App& app, const EstimateRequest& request) {
  const EstimateOptions& options = request.options;
  const bool mix = options.model == BlurModel::mix;
  require_for(app, {"--mix-sigmas", "--learn-sigmas", "--scalar-weight"}, mix, "--model mix");
  require_for(app, {"--max-sigma"}, !mix, "another model than mix, whose sigmas are --mix-sigmas");
  require_for(app, {"--scatter", "--gather"}, !mix && options.model != BlurModel::uniform,
              "a model whose Gaussian varies");
  require_for(app, {"--prior", "--lambda"}, !request.one_for_all(),
              "a field, not one number for the image");
  require_for(app, {"--lambda"}, options.prior != FieldPrior::none, "a prior");
  require_for(app, {"--rate"}, options.method == EstimateMethod::adamax, "--method adamax");
  require_for(app, {"--cval"}, options.blur.extension.mode == Mode::constant, "--mode constant");
}

void understand(const CLI::App& app, const Words& words, EstimateRequest& request) {
  EstimateOptions& options = request.options;
  options.model = *parse_model(words.model);
  options.blur.extension.mode = *parse_mode(words.mode);
  options.prior = *parse_prior(words.prior);
  options.method = *parse_estimate_method(words.method);
  options.lambda = unless_auto(words.lambda);
  options.noise = unless_auto(words.noise);
  options.blur.tolerance = words.tolerance.value_or(0.0);
  if (options.max_iterations == 0) options.max_iterations = usual_iterations(options.method);
  if (!words.mix_sigmas.empty()) options.sigmas = {words.mix_sigmas[0], words.mix_sigmas[1]};
  if (!(options.sigmas[0] >= 0 && options.sigmas[0] < options.sigmas[1])) {
    refuse_usage(message("--mix-sigmas: expected 0 <= LO < HI, got ", options.sigmas[0], " ",
                         options.sigmas[1]));
  }
  refuse_unused(app, request);
  require_distinct(
      {{"SHARP", request.sharp}, {"BLURRED", request.blurred}, {"--mask", request.mask}},
      {{"OUT", request.out},
       {"--confidence", request.confidence},
       {"--trace", request.trace},
       {"--report", request.report}});
}

void add_blur(CLI::App& app, EstimateRequest& request, Words& words) {
  const char* group = "Blur";
  EstimateOptions& options = request.options;
  words.model = model_name(options.model);
  words.mode = mode_name(options.blur.extension.mode);
  app.add_option("--model", words.model,
                 "What to find: sigma, one for every pixel; uniform, one for the image; sigma-yx, "
                 "(sigma_y, sigma_x) for every pixel; logchol, (a, b, c) of a covariance for every "
                 "pixel; mix, the weight m of m blur(LO) + (1 - m) blur(HI) for every pixel")
      ->type_name("M")
      ->check(CLI::IsMember({"sigma", "uniform", "sigma-yx", "logchol", "mix"}))
      ->capture_default_str()
      ->group(group);
  auto* scatter = app.add_flag("--scatter", options.blur.scatter,
                               "A pixel's Gaussian spreads its light, as behind a lens")
                      ->group(group);
  app.add_flag("--gather", words.gather,
               "A pixel's Gaussian gathers light from around it, as in `blur` (default)")
      ->excludes(scatter)
      ->group(group);
  add_extension(app, group, words.mode, options.blur.extension.cval);
  add_reach(app, group, options.blur.truncate, options.blur.radius);
  add_tolerance(
      app, group, words.tolerance,
      "Blur by Gaussians whose weights may be wrong by E in sum: each blur then costs hardly "
      "more for a large sigma (default: 0, exact)");
  app.add_option("--max-sigma", options.max_sigma,
                 "Largest sigma, pixels (default: a quarter of the shorter side, within 1..64)")
      ->type_name("S")
      ->check(positive_number())
      ->group(group);
  app.add_option("--mix-sigmas", words.mix_sigmas,
                 fmt::format("Sigmas of the two blurs of mix, pixels (default {} {})",
                             options.sigmas[0], options.sigmas[1]))
      ->type_name("LO HI")
      ->expected(2)
      ->group(group);
  app.add_flag("--learn-sigmas", options.learn_sigmas, "Find the sigmas of mix too, from these")
      ->group(group);
  app.add_flag("--scalar-weight", options.scalar_weight, "One weight of mix for the whole image")
      ->group(group);
}

void add_images(CLI::App& app, EstimateRequest& request, Words& words) {
  const char* group = "Images";
  app.add_option("--mask", request.mask,
                 "One-channel image of weights, 0..1 for integers: a pixel of weight 0 counts in "
                 "neither image, nor does one that is NaN or infinite in either; SHARP gets the "
                 "mean of what is around there")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--noise", words.noise,
                 "Standard deviation of BLURRED's noise, on the scale of the pixels (0..1 for "
                 "integers); auto finds it in what the blur leaves unexplained, no less than the "
                 "rounding of integers")
      ->type_name("STD")
      ->check(number_or_auto(true))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--linear-light", request.linear_light,
               "Decode sRGB first: for images blurred as light (integer images)")
      ->group(group);
}

void add_search(CLI::App& app, EstimateRequest& request, Words& words) {
  const char* group = "Search";
  EstimateOptions& options = request.options;
  words.prior = prior_name(options.prior);
  words.method = estimate_method_name(options.method);
  app.add_option("--prior", words.prior,
                 "What keeps neighbours alike: smooth, tv (keeps edges of the field), none")
      ->type_name("P")
      ->check(CLI::IsMember({"smooth", "tv", "none"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--lambda", words.lambda,
                 "Weight of the prior; auto takes the largest that leaves nothing but noise "
                 "unexplained")
      ->type_name("L")
      ->check(number_or_auto(false))
      ->capture_default_str()
      ->group(group);
  app.add_option("--method", words.method, "gauss-newton, lbfgs or adamax")
      ->type_name("M")
      ->check(CLI::IsMember({"gauss-newton", "lbfgs", "adamax"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--max-iter", options.max_iterations,
                 fmt::format("At most N iterations (default: {} of gauss-newton, {} of the others)",
                             usual_iterations(EstimateMethod::gauss_newton),
                             usual_iterations(EstimateMethod::lbfgs)))
      ->type_name("N")
      ->check(CLI::Range(1, 1000000))
      ->group(group);
  app.add_option("--tol", options.tolerance, "Relative change of the value that ends the search")
      ->type_name("T")
      ->check(number_not_negative())
      ->capture_default_str()
      ->group(group);
  app.add_option("--rate", options.rate, "Step length of adamax")
      ->type_name("R")
      ->check(positive_number())
      ->capture_default_str()
      ->group(group);
}

void add_output(CLI::App& app, EstimateRequest& request) {
  const char* group = "Output";
  app.add_option("--confidence", request.confidence,
                 "Also write how well the images tell the blur of every pixel, 0..1 (0..255 in "
                 "8-bit formats); from 0.5 it counts as known")
      ->type_name("OUT2")
      ->group(group);
  app.add_option("--trace", request.trace, "Also write a row of numbers per iteration")
      ->type_name("FILE.csv")
      ->group(group);
  app.add_option("--report", request.report,
                 "Also write a page with images, field, confidence, curves and numbers")
      ->type_name("FILE.html")
      ->group(group);
  app.add_flag("--force", request.force, "Overwrite existing files")->group(group);
}

}  // namespace

Command estimate_command(CLI::App& app, const std::string& line) {
  auto request = std::make_shared<EstimateRequest>();
  auto words = std::make_shared<Words>();
  request->line = line;
  CLI::App* estimate = app.add_subcommand(
      "estimate",
      "Find the blur that turns one image into another: sigma or covariance for every pixel.\n"
      "OUT is a float image (.tif, .fits) for --sigma-map or --logchol-map of `blur`; of uniform "
      "it\n"
      "holds the same sigma everywhere, of mix the weights. Colours share one blur, and so do the\n"
      "pages of files that have several. Integer images map to 0..1; float images and FITS keep\n"
      "their values. Alpha is not used, but pixels that are not opaque count as masked.");
  estimate->add_option("SHARP", request->sharp, "Image before the blur")->required()->type_name("");
  estimate->add_option("BLURRED", request->blurred, "The same after it, of the same size")
      ->required()
      ->type_name("");
  estimate->add_option("OUT", request->out, "The field found")->required()->type_name("");
  add_blur(*estimate, *request, *words);
  add_images(*estimate, *request, *words);
  add_search(*estimate, *request, *words);
  add_output(*estimate, *request);
  add_common(*estimate, request->common);
  estimate->footer(kExamples);
  return {estimate, [estimate, request, words] {
            understand(*estimate, *words, *request);
            estimate_files(*request);
          }};
}

}  // namespace blurfield::app
