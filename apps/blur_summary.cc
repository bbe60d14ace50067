// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur_summary.h"

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

std::vector<std::vector<std::string>> figures(const BlurRequest& request,
                                              const BlurSummary& summary) {
  return {{"", ""},
          {"image", describe(summary.in)},
          {"Gaussian", request.gaussian.text()},
          {"beyond the border", extension_text(request)},
          {"multiply-adds", number(summary.taps, 3)},
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
  return fmt::format("{}: {}, blurred in {} s ({} megapixels/s on {} thread{})\n", request.out,
                     describe(summary.in), number(summary.blur_seconds, 3),
                     number(summary.megapixels_per_second(), 3), summary.threads,
                     summary.threads == 1 ? "" : "s");
}

std::string summary_json(const BlurRequest& request, const BlurSummary& summary) {
  const GaussianRequest& gaussian = request.gaussian;
  Json json = job_json("blur", request.line, {{"in", request.in}}, request.out, summary.in);
  json.update({{"out_type", io::sample_name(summary.out_sample)},
               {"gaussian", gaussian.kind()},
               {"map", gaussian.varies() ? Json(gaussian.map()) : Json()},
               {"sigma_range", gaussian.sigma_range.empty() ? Json() : Json(gaussian.sigma_range)},
               {"scatter", gaussian.scatter},
               {"mode", request.mode},
               {"multiply_adds", summary.taps},
               {"threads", summary.threads},
               {"load_seconds", summary.load_seconds},
               {"blur_seconds", summary.blur_seconds},
               {"save_seconds", summary.save_seconds},
               {"megapixels_per_second", summary.megapixels_per_second()}});
  return dump(json);
}

template <class T>
std::string report_page(const BlurRequest& request, const BlurSummary& summary, bool alpha,
                        const View<const T>& input, const View<const T>& field,
                        const View<const T>& result) {
  const report::Range range =
      display_range(input, io::is_float(summary.in.sample), summary.in.white);
  const Image<float> before = displayed(input, alpha, range);
  const Image<float> after = displayed(result, alpha, range);
  const Image<float> map = drawn_field(field);
  report::BlurSection section;
  section.heading = "Blur";
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

template std::string report_page(const BlurRequest&, const BlurSummary&, bool,
                                 const View<const float>&, const View<const float>&,
                                 const View<const float>&);
template std::string report_page(const BlurRequest&, const BlurSummary&, bool,
                                 const View<const double>&, const View<const double>&,
                                 const View<const double>&);

}  // namespace blurfield::app
