// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur/summary.h"

#include <fmt/format.h>

#include "apps/display.h"
#include "apps/job_json.h"
#include "blurfield/report/blur_section.h"
#include "blurfield/report/html.h"

namespace blurfield::app {
namespace {

using report::number;

std::string extension_text(const BlurRequest& request) {
  return request.mode == "constant" ? "constant " + number(request.cval) : request.mode;
}

std::string bands_text(const BlurSummary& summary) {
  if (summary.bands == 1) return "all";
  return fmt::format("{} of {}, for {} MB", summary.band_rows, summary.in.height,
                     number(summary.memory / 1e6, 3));
}

std::vector<std::vector<std::string>> figures(const BlurRequest& request,
                                              const BlurSummary& summary) {
  return {{"", ""},
          {"image", describe(summary.in)},
          {"Gaussian", request.gaussian.text()},
          {"beyond the border", extension_text(request)},
          {"accuracy", accuracy_text(summary.accuracy, summary.report)},
          {"methods", methods_text(summary.report)},
          {"levels, pixels between samples", steps_text(summary.report)},
          {"blurs per tile, mean", number(summary.report.nodes, 3)},
          {"weights off by at most", number(summary.report.error_bound, 2)},
          {"memory of the blur, MB", number(static_cast<double>(summary.report.bytes) / 1e6, 3)},
          {"multiply-adds, exact", number(summary.taps, 3)},
          {"rows at a time", bands_text(summary)},
          {"threads", std::to_string(summary.threads)},
          {"loading, s", number(summary.load_seconds, 3)},
          {"blur, s", number(summary.blur_seconds, 3)},
          {"saving, s", number(summary.save_seconds, 3)},
          {"megapixels per second", number(summary.megapixels_per_second(), 3)}};
}

}  // namespace

double BlurSummary::megapixels() const {
  return 1e-6 * static_cast<double>(in.width * in.height * in.pages);
}

double BlurSummary::megapixels_per_second() const {
  return blur_seconds > 0 ? megapixels() / blur_seconds : 0;
}

std::string summary_line(const BlurRequest& request, const BlurSummary& summary) {
  const std::string bands =
      summary.bands == 1 ? "" : fmt::format("; rows at a time: {}", bands_text(summary));
  return fmt::format("{}: {}, blurred in {} s ({} megapixels/s on {} thread{})\n{}{}\n",
                     request.out, describe(summary.in), number(summary.blur_seconds, 3),
                     number(summary.megapixels_per_second(), 3), summary.threads,
                     summary.threads == 1 ? "" : "s",
                     accuracy_text(summary.accuracy, summary.report), bands);
}

std::string summary_json(const BlurRequest& request, const BlurSummary& summary) {
  const GaussianRequest& gaussian = request.gaussian;
  const BlurReport& report = summary.report;
  Json json = job_json("blur", request.line, {{"in", request.in}}, request.out, summary.in);
  json.update({{"out_type", io::sample_name(summary.out_sample)},
               {"gaussian", gaussian.kind()},
               {"map", gaussian.varies() ? Json(gaussian.map()) : Json()},
               {"sigma_range", gaussian.sigma_range.empty() ? Json() : Json(gaussian.sigma_range)},
               {"scatter", gaussian.scatter},
               {"mode", request.mode},
               {"tolerance", summary.accuracy.tolerance},
               {"why", summary.accuracy.why},
               {"exact", report.exact},
               {"stack", report.stack},
               {"residual", report.residual},
               {"steps", report.steps},
               {"nodes", report.nodes},
               {"error_bound", report.error_bound},
               {"truncated", report.truncated},
               {"blur_bytes", report.bytes},
               {"multiply_adds", summary.taps},
               {"bands", summary.bands},
               {"band_rows", summary.bands == 1 ? summary.in.height : summary.band_rows},
               {"memory", summary.bands == 1 ? Json() : Json(summary.memory)},
               {"threads", summary.threads},
               {"load_seconds", summary.load_seconds},
               {"blur_seconds", summary.blur_seconds},
               {"save_seconds", summary.save_seconds},
               {"megapixels_per_second", summary.megapixels_per_second()}});
  return dump(json);
}

template <class T>
std::string report_page(const BlurRequest& request, const BlurSummary& summary,
                        const BlurPictures<T>& pictures) {
  const View<const T>& field = pictures.field;
  const report::Range range =
      display_range(pictures.input, io::is_float(summary.in.sample), summary.in.white);
  const Image<float> before = displayed(pictures.input, pictures.alpha, range);
  const Image<float> after = displayed(pictures.result, pictures.alpha, range);
  const Image<float> map = drawn_field(field);
  report::BlurSection section;
  section.heading = "Blur";
  if (pictures.shrunk > 1) {
    section.text = fmt::format("A pixel here is the mean of {0} x {0} pixels.", pictures.shrunk);
  }
  section.input = before;
  section.result = after;
  if (!map.empty()) section.field = map;
  section.field_caption = field.empty()           ? ""
                          : field.channels() == 3 ? "Covariance field."
                                                  : "Sigma, pixels.";
  section.table = figures(request, summary);
  section.command = request.line;
  report::Page page("blurfield blur", request.in + " to " + request.out);
  report::add_blur_section(page, section, io::encode_png);
  return page.html();
}

template std::string report_page(const BlurRequest&, const BlurSummary&,
                                 const BlurPictures<float>&);
template std::string report_page(const BlurRequest&, const BlurSummary&,
                                 const BlurPictures<double>&);

}  // namespace blurfield::app
