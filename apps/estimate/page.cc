// SPDX-License-Identifier: BSD-3-Clause
#include "apps/estimate/page.h"

#include <fmt/format.h>

#include <cmath>

#include "apps/display.h"
#include "apps/gaussian.h"
#include "blurfield/report/blur_section.h"
#include "blurfield/report/html.h"

namespace blurfield::app {
namespace {

using report::number;
using Rows = std::vector<std::vector<std::string>>;

// What the blur found makes of the sharp image.
template <class T>
Image<T> explained(const EstimateRequest& request, const ImagePair<T>& pair,
                   const Estimate<T>& found) {
  AdaptiveBlurOptions options = request.options.blur;
  options.execution.threads = request.common.threads;
  Image<T> out(pair.sharp.shape());
  if (request.options.model == BlurModel::mix) {
    mix<T>(pair.sharp, found.sigmas, found.field, out, options);
  } else {
    adaptive_blur<T>(pair.sharp, found.field, out, options);
  }
  return out;
}

// Blurred minus explained, 0 where a pixel is masked.
template <class T>
Image<T> residual_of(const ImagePair<T>& pair, const Image<T>& model) {
  Image<T> residual(pair.blurred.view());
  const View<T> out = residual;
  for (Index n = 0; n < out.batch(); ++n) {
    for (Index c = 0; c < out.channels(); ++c) {
      for (Index y = 0; y < out.height(); ++y) {
        for (Index x = 0; x < out.width(); ++x) {
          const bool known = pair.mask.empty() || pair.mask.view().at(n, 0, y, x) > 0;
          T& value = out.at(n, c, y, x);
          value = known ? value - model.view().at(n, c, y, x) : T{0};
        }
      }
    }
  }
  return residual;
}

std::vector<report::Panel> field_panels(BlurModel model, const Image<float>& picture,
                                        const Image<float>& field) {
  if (model == BlurModel::mix) {
    return {report::map_panel(field, 0, report::ColourMap::viridis, "", io::encode_png,
                              "Weight of the narrower blur.")};
  }
  const char* caption = model == BlurModel::logchol ? "Covariance found." : "Sigma found, pixels.";
  return report::field_panels(picture, field, caption, io::encode_png);
}

template <class T>
void add_pictures(report::Page& page, const EstimateRequest& request,
                  const EstimateSummary& summary, const ImagePair<T>& pair,
                  const Estimate<T>& found) {
  const auto picture = [](const View<const T>& image, const report::Range& range,
                          const std::string& caption) {
    return report::picture_panel(displayed<T>(image, false, range), io::encode_png, caption);
  };
  const auto range_of = [](const Image<T>& image, const io::Info& info) {
    return display_range<T>(image.view(), io::is_float(info.sample), info.white);
  };
  const report::Range range = range_of(pair.sharp, summary.sharp);
  const Image<T> model = explained(request, pair, found);
  const Image<T> residual = residual_of(pair, model);
  double squares = 0;
  for (const T* v = residual.data(); v != residual.data() + residual.elements(); ++v) {
    squares += static_cast<double>(*v) * static_cast<double>(*v);
  }
  const double rms = std::sqrt(squares / static_cast<double>(residual.elements()));
  const double most = rms > 0 ? 3 * rms : 1;
  page.figure({picture(pair.sharp, range, "Sharp."), picture(pair.blurred, range, "Blurred."),
               picture(model, range, "The sharp one under the blur found."),
               picture(residual, {-most, most},
                       fmt::format("Blurred minus that: mid-grey is 0, black -{0}, white +{0}.",
                                   number(most, 3)))});

  const Image<float> shown = displayed<T>(pair.blurred.view(), false, range);
  std::vector<report::Panel> panels =
      field_panels(request.options.model, shown, drawn_field<T>(found.field));
  panels.push_back(report::map_panel(drawn_field<T>(found.confidence), 0, report::ColourMap::magma,
                                     "", io::encode_png,
                                     "Confidence: from 0.5 the images tell the blur there; below, "
                                     "the prior does.",
                                     report::Range{0, 1}));
  page.figure(panels);
}

std::string yes(bool value) { return value ? "yes" : "no"; }

Rows results(const EstimateRequest& request, const EstimateSummary& summary) {
  Rows rows = {{"result", ""}};
  for (const Spread& s : summary.spreads) {
    rows.push_back({s.name + ", 5 %, median, 95 % of what is known",
                    fmt::format("{}, {}, {}", number(s.low), number(s.median), number(s.high))});
  }
  if (request.options.model == BlurModel::mix) {
    rows.push_back({"sigmas of the mix, px", fmt::format("{}, {}", number(summary.sigmas[0], 5),
                                                         number(summary.sigmas[1], 5))});
  }
  const auto row = [&](const char* name, const std::string& value) {
    rows.push_back({name, value});
  };
  row("known, % of the pixels", number(100 * summary.known, 3));
  row("residual, rms", number(std::sqrt(summary.loss)));
  row("loss, mean of the residual squared", number(summary.loss));
  row("noise assumed", number(summary.noise));
  row("lambda", number(summary.lambda));
  row("search", search_text(summary.result, estimate_method_name(request.options.method)));
  row("evaluations", std::to_string(summary.result.evaluations));
  row("curvature products", std::to_string(summary.result.products));
  row("threads", std::to_string(summary.threads));
  row("loading, s", number(summary.load_seconds, 3));
  row("estimate, s", number(summary.estimate_seconds, 3));
  row("saving, s", number(summary.save_seconds, 3));
  return rows;
}

Rows settings(const EstimateRequest& request, const EstimateSummary& summary) {
  const EstimateOptions& options = request.options;
  const auto asked = [](const std::optional<double>& value) {
    return value ? number(*value) : std::string("auto");
  };
  const Extension& extension = options.blur.extension;
  return {{"setting", ""},
          {"images", describe(summary.sharp)},
          {"model", std::string(model_name(options.model))},
          {"kernel", options.blur.scatter ? "scattered" : "gathered"},
          {"beyond the border", extension.mode == Mode::constant
                                    ? "constant " + number(extension.cval)
                                    : std::string(mode_name(extension.mode))},
          {"kernels end at", reach_text(options.blur)},
          {"mask", request.mask.empty() ? "none" : request.mask},
          {"linear light", yes(request.linear_light)},
          {"prior", std::string(prior_name(options.prior))},
          {"lambda", asked(options.lambda)},
          {"noise", asked(options.noise)},
          {"method", std::string(estimate_method_name(options.method))},
          {"iterations allowed", std::to_string(options.max_iterations)},
          {"tolerance", number(options.tolerance)}};
}

}  // namespace

template <class T>
std::string report_page(const EstimateRequest& request, const EstimateSummary& summary,
                        const ImagePair<T>& pair, const Estimate<T>& found) {
  report::Page page("blurfield estimate", request.sharp + " to " + request.blurred);
  page.section("Estimate");
  for (const std::string& warning : summary.warnings) page.paragraph("Warning: " + warning + ".");
  add_pictures(page, request, summary, pair, found);
  std::vector<report::Panel> curves;
  add_curve(curves, summary.trace, "loss", "Mean of the residual squared.");
  add_curve(curves, summary.trace, "lambda", "Weight of the prior.");
  if (!curves.empty()) page.figure(curves);
  page.table(results(request, summary));
  page.table(settings(request, summary));
  page.code(request.line);
  return page.html();
}

template std::string report_page(const EstimateRequest&, const EstimateSummary&,
                                 const ImagePair<float>&, const Estimate<float>&);
template std::string report_page(const EstimateRequest&, const EstimateSummary&,
                                 const ImagePair<double>&, const Estimate<double>&);

}  // namespace blurfield::app
