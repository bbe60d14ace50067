// SPDX-License-Identifier: BSD-3-Clause
#include "apps/deblur/page.h"

#include <fmt/format.h>

#include <cctype>

#include "apps/deblur/impulses.h"
#include "apps/display.h"
#include "blurfield/report/blur_section.h"
#include "blurfield/report/html.h"

namespace blurfield::app {
namespace {

using report::number;
using Rows = std::vector<std::vector<std::string>>;

std::string caption(const std::string& name, const std::optional<Quality>& quality) {
  return quality ? fmt::format("{}: {:.2f} dB.", name, quality->psnr) : name + ".";
}

// Before, after and reference, whole and where most has changed.
template <class T>
void add_pictures(report::Page& page, const DeblurRequest& request, const DeblurSummary& summary,
                  const PageImages<T>& images, const Image<float>& before) {
  const io::Picture<T>& picture = images.frame.picture;
  const report::Range range =
      display_range<T>(picture.pixels.view(), io::is_float(summary.in.sample), summary.in.white);
  std::vector<Image<float>> pictures;
  pictures.push_back(enlarged<float>(before, request.upscale));
  pictures.push_back(displayed<T>(images.out, picture.alpha, range));
  std::vector<std::string> names{caption("Before", summary.before),
                                 caption("After", summary.after)};
  if (!images.reference.empty()) {
    pictures.push_back(displayed<double>(images.reference.view(), false, range));
    names.emplace_back("Reference.");
  }
  constexpr Index kCropSide = 96;
  constexpr Index kCropShown = 384;  // CSS pixels
  const report::Crop window = report::most_changed(pictures[0], pictures[1], kCropSide);
  const auto zoom =
      static_cast<int>(std::max<Index>(1, kCropShown / std::max(window.height, window.width)));
  const std::string where =
      fmt::format(" Rows {}..{}, columns {}..{}, enlarged {} times.", window.y,
                  window.y + window.height - 1, window.x, window.x + window.width - 1, zoom);
  std::vector<report::Panel> whole;
  std::vector<report::Panel> detail;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    whole.push_back(report::picture_panel(pictures[i], io::encode_png, names[i]));
    detail.push_back(report::picture_panel(report::crop(pictures[i], window), io::encode_png,
                                           names[i] + where, zoom));
  }
  page.figure(whole);
  page.figure(detail);
}

template <class T>
void add_blur(report::Page& page, const DeblurRequest& request, const PageImages<T>& images,
              const Image<float>& before) {
  const Shape frame{1, 1, request.upscale * images.frame.y.shape()[2],
                    request.upscale * images.frame.y.shape()[3]};
  const auto blur = fine_operator<T>(request, images.blur, frame, Border{});
  const Impulses drawn = impulse_responses<T>(*blur, request.uniform());
  const Index size = drawn.sheet.shape()[2];
  const auto zoom = static_cast<int>(std::clamp<Index>(420 / size, 1, 16));
  const std::string text =
      request.uniform()
          ? fmt::format(
                "What the blur makes of a point of light, {0} x {0} pixels around it: the "
                "square root of the brightness.",
                drawn.side)
          : fmt::format(
                "What the blur makes of points of light at {0} x {0} places, {1} x {1} "
                "pixels around each: the square root of the brightness, each as bright as "
                "its own peak.",
                drawn.across, drawn.side);
  std::vector<report::Panel> panels{report::picture_panel(drawn.sheet, io::encode_png, text, zoom)};
  if (!images.blur.field.empty()) {
    const bool covariance = images.blur.field.shape()[1] == 3;
    const auto maps = report::field_panels(
        enlarged<float>(before, request.upscale), drawn_field<T>(images.blur.field.view()),
        covariance ? "Covariance of the blur." : "Sigma of the blur, pixels.", io::encode_png);
    panels.insert(panels.end(), maps.begin(), maps.end());
  }
  page.figure(panels);
}

void add_curves(report::Page& page, const DeblurSummary& summary) {
  std::vector<report::Panel> course;
  add_curve(course, summary.trace, "value", "The objective, what is minimised.");
  add_curve(course, summary.trace, "residual", "What is left unexplained, in units of the noise.");
  add_curve(course, summary.trace, "lambda", "Weight of the prior.");
  if (!course.empty()) page.figure(course);
  if (!summary.after) return;
  std::vector<report::Panel> quality;
  add_curve(quality, summary.trace, "psnr", "PSNR against the reference, dB.", false);
  add_curve(quality, summary.trace, "ssim", "SSIM against the reference.", false);
  if (!quality.empty()) page.figure(quality);
}

// Starts with a capital letter, ends with a full stop.
std::string sentence(std::string text) {
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text + ".";
}

Rows results(const DeblurSummary& summary) {
  Rows rows = {{"result", ""}};
  const auto row = [&](const char* name, const std::string& value) {
    rows.push_back({name, value});
  };
  if (summary.after) {
    row("PSNR before, after, dB",
        fmt::format("{:.2f}, {:.2f}", summary.before->psnr, summary.after->psnr));
    if (summary.before->ssim && summary.after->ssim) {
      row("SSIM before, after",
          fmt::format("{:.4f}, {:.4f}", *summary.before->ssim, *summary.after->ssim));
    }
  }
  row("method", std::string(deblur_method_name(summary.method)));
  row("noise", number(summary.noise));
  row("lambda", number(summary.lambda));
  row("prior's scale", number(summary.prior_scale));
  row("residual, of the noise", number(summary.residual));
  row("degrees of freedom", number(summary.freedom));
  row("pixels left out", std::to_string(summary.left_out));
  row("work", work_text(summary));
  row("evaluations", std::to_string(summary.result.evaluations));
  row("Hessian products", std::to_string(summary.result.products));
  row("threads", std::to_string(summary.threads));
  row("loading, s", number(summary.load_seconds, 3));
  row("deblurring, s", number(summary.deblur_seconds, 3));
  row("saving, s", number(summary.save_seconds, 3));
  return rows;
}

Rows settings(const DeblurRequest& request, const DeblurSummary& summary) {
  const DeblurSettings& s = request.settings;
  const auto asked = [](const std::optional<double>& value) {
    return value ? number(*value) : std::string("auto");
  };
  const auto bound = [](const std::optional<double>& value) {
    return value ? number(*value) : std::string("none");
  };
  return {{"setting", ""},
          {"image", describe(summary.in)},
          {"blur", request.blur_text()},
          {"beyond the border", request.border_text()},
          {"upscale", std::to_string(request.upscale)},
          {"method", std::string(deblur_method_name(s.method))},
          {"fidelity", std::string(fidelity_name(s.fidelity.kind))},
          {"prior", std::string(prior_name(s.prior.kind)) + (s.prior.joint ? "" : ", per channel")},
          {"lambda", asked(s.lambda)},
          {"noise", asked(s.noise)},
          {"lower bound", bound(s.lower)},
          {"upper bound", bound(s.upper)},
          {"mask", request.mask.empty() ? "none" : request.mask},
          {"linear light", request.linear_light ? "yes" : "no"},
          {"iterations allowed", s.max_iterations > 0 ? std::to_string(s.max_iterations) : "auto"}};
}

}  // namespace

template <class T>
std::string report_page(const DeblurRequest& request, const DeblurSummary& summary,
                        const PageImages<T>& images) {
  report::Page page("blurfield deblur", request.in + " to " + request.out);
  page.section("Deblurring");
  const io::Picture<T>& picture = images.frame.picture;
  const report::Range range =
      display_range<T>(picture.pixels.view(), io::is_float(summary.in.sample), summary.in.white);
  const Image<float> before = displayed<T>(picture.pixels.view(), picture.alpha, range);
  add_pictures(page, request, summary, images, before);
  add_blur(page, request, images, before);
  add_curves(page, summary);
  for (const std::string& warning : summary.warnings) page.paragraph("Warning: " + warning + ".");
  for (const std::string& reason : summary.why) page.paragraph(sentence(reason));
  page.table(results(summary));
  page.table(settings(request, summary));
  page.code(request.line);
  return page.html();
}

template std::string report_page(const DeblurRequest&, const DeblurSummary&,
                                 const PageImages<float>&);
template std::string report_page(const DeblurRequest&, const DeblurSummary&,
                                 const PageImages<double>&);

}  // namespace blurfield::app
