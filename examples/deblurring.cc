// SPDX-License-Identifier: BSD-3-Clause
// What deblurring gives back of photographs: chosen by itself at three levels of noise, with a map
// of the blur beside what else one would do, at borders, and with a map that was estimated:
//   deblurring OUT [--quick]
// It checks what it claims, writes OUT/index.html and its pictures as PNG, and exits with 1 and a
// message where a claim is not met. --quick takes a quarter of each photograph.
#include <cmath>
#include <functional>

#include "blurfield/deblur/deblur.h"
#include "blurfield/deblur/downsampled.h"
#include "blurfield/deblur/gaussian_operator.h"
#include "blurfield/deblur/psf.h"
#include "blurfield/deblur/psf_grid.h"
#include "blurfield/deblur/psf_operator.h"
#include "blurfield/deblur/richardson_lucy.h"
#include "blurfield/report/panel.h"
#include "examples/deblurring_problem.h"
#include "examples/photographs.h"
#include "examples/study.h"

namespace {

using namespace blurfield;
using namespace blurfield::examples;
using namespace blurfield::report;
using blurfield::io::encode_png;

Panel panel(const View<const float>& image, const std::string& caption, int zoom = 1) {
  return picture_panel(grey(as_double(image), 0.0, 1.0).view(), encode_png, caption, zoom);
}

// The photographs beyond whose frames the scene goes on, blurred by document 004's PSF.
constexpr Index kBeyond = 20;
struct Blurred {
  Picture sharp;
  Picture blurred;
};
Blurred blur_photograph(const std::string& file, Index size, double noise) {
  const Picture scene = photograph(file, size);
  Picture wide(scene.shape());
  psf_operator<float>(scene.shape(), document_psf(), {false, Mode::constant})->forward(scene, wide);
  Blurred pair{inside(scene, kBeyond), inside(wide, kBeyond)};
  add_noise(pair.blurred, noise);
  return pair;
}

void automatic_chapter(Page& page, Outcomes& outcomes, const std::string& out, bool quick) {
  page.section("Nothing given but the blur");
  page.paragraph(
      "Three photographs blurred by a Gaussian of sigma (1, 3), cut to 13 x 13 pixels, the scene "
      "reaching beyond the "
      "frame, with white noise of 0.5, 1 and 3 % of white. Noise, prior, its weight and the "
      "margin beyond the border are the library's choice.");
  struct Case {
    const char* name;
    const char* file;
    std::array<double, 3> asked;  // of the whole photograph, and of its upper left quarter
    std::array<double, 3> asked_quarter;
  };
  const std::vector<Case> cases{
      {"astronaut", "astronaut.png", {28.8, 28.0, 26.6}, {29.8, 29.0, 27.6}},
      {"ascent", "ascent.png", {27.1, 26.0, 24.3}, {26.5, 25.3, 24.1}},
      {"hubble", "hubble_deep_field.jpg", {31.0, 30.2, 28.6}, {31.8, 30.9, 29.4}}};
  constexpr std::array<double, 3> kNoise{0.005, 0.01, 0.03};
  Rows rows{{"photograph", "noise", "noise found", "lambda", "blurred, dB", "deblurred, dB",
             "iterations", "seconds"}};
  std::vector<Panel> panels;
  for (const Case& c : cases) {
    for (std::size_t i = 0; i < kNoise.size(); ++i) {
      const Blurred pair = blur_photograph(c.file, quick ? 256 : 512, kNoise[i]);
      const auto blur = psf_operator<float>(pair.blurred.shape(), document_psf());
      const Deblurred<float> found = deblur<float>(*blur, pair.blurred);
      const double before = psnr(pair.blurred, pair.sharp);
      const double after = psnr(found.image, pair.sharp);
      rows.push_back({c.name, number(100 * kNoise[i]) + " %", number(100 * found.noise, 3) + " %",
                      number(found.lambda, 3), number(before), number(after),
                      std::to_string(found.result.iterations), number(found.result.seconds, 2)});
      const std::string what = message("PSNR of ", c.name, " at ", 100 * kNoise[i], " % noise, dB");
      outcomes.at_least(what, quick ? c.asked_quarter[i] : c.asked[i], after);
      if (i == 1) {
        panels.push_back(
            panel(pair.blurred, message(c.name, ", blurred, ", number(before), " dB.")));
        panels.push_back(panel(found.image, message("Deblurred, ", number(after), " dB.")));
        save_png(message(out, "/", c.name, ".png"), found.image);
      }
    }
  }
  page.table(rows);
  page.figure(panels);
}

// Richardson-Lucy on tiles x tiles patches, each with the sigma of its middle and, beyond its
// border, what the others have recorded; stopped where the PSNR of the whole is best.
Picture tiled_richardson_lucy(const Picture& y, const Picture& field, Index tiles,
                              const Picture& sharp) {
  constexpr int kMost = 60;
  constexpr Index kAround = 16;
  const Index height = y.shape()[2];
  const Index width = y.shape()[3];
  std::vector<Picture> wholes;
  for (int i = 0; i < kMost; ++i) wholes.emplace_back(y.shape());
  for (Index tile = 0; tile < tiles * tiles; ++tile) {
    const std::array<Index, 2> at{tile / tiles, tile % tiles};
    const Index y0 = at[0] * height / tiles;
    const Index y1 = (at[0] + 1) * height / tiles;
    const Index x0 = at[1] * width / tiles;
    const Index x1 = (at[1] + 1) * width / tiles;
    const Index top = std::max<Index>(y0 - kAround, 0);
    const Index left = std::max<Index>(x0 - kAround, 0);
    const Crop window{top, left, std::min(y1 + kAround, height) - top,
                      std::min(x1 + kAround, width) - left};
    Picture patch(crop(y.view(), window));
    for (Index i = 0; i < patch.elements(); ++i) patch.data()[i] = std::max(patch.data()[i], 0.0f);
    const std::vector<double> sigma{field.view().at(0, 0, (y0 + y1) / 2, (x0 + x1) / 2)};
    const auto blur = gaussian_operator<float>(patch.shape(), sigma, {false, Mode::reflect});
    Picture x(patch.view());
    for (Index i = 0; i < x.elements(); ++i) x.data()[i] = std::max(x.data()[i], 1e-3f);
    RichardsonLucyOptions<float> options;
    options.accelerate = false;
    options.max_iterations = kMost;
    options.callback = [&](const Iterate<float>& iterate) {
      if (iterate.iteration == 0) return true;
      View<float> to = wholes[static_cast<std::size_t>(iterate.iteration - 1)];
      to.data += y0 * to.y_stride() + x0;
      to.shape = {1, 1, y1 - y0, x1 - x0};
      const View<const float> now(iterate.x.data(), patch.shape());
      copy(crop(now, {y0 - top, x0 - left, y1 - y0, x1 - x0}), to);
      return true;
    };
    richardson_lucy<float>(*blur, patch, x, options);
  }
  return std::move(*std::ranges::max_element(
      wholes, {}, [&](const Picture& whole) { return psnr(whole, sharp); }));
}

// The sharpest uniform sigma's result.
Deblurred<float> best_uniform(const Picture& y, const Picture& sharp, double step,
                              double& best_sigma) {
  Deblurred<float> best;
  double most = 0;
  for (double s = 0.8; s < 3.3; s += step) {
    const std::vector<double> sigma{s};
    const auto blur = gaussian_operator<float>(y.shape(), sigma);
    Deblurred<float> found = deblur<float>(*blur, y);
    const double quality = psnr(found.image, sharp);
    if (quality <= most) continue;
    most = quality;
    best_sigma = s;
    best = std::move(found);
  }
  return best;
}

// The curve of PSNR over lambda, around the one chosen.
void scan_lambda(Page& page, Outcomes& outcomes, const std::string& out, bool quick,
                 const BlurOperator<float>& blur, const Picture& y, const Picture& sharp,
                 double chosen, double quality) {
  Curve curve{"PSNR, dB", {}, {}};
  for (int i = -6; i <= 6; i += quick ? 3 : 1) {
    DeblurOptions<float> options;
    options.lambda = chosen * std::pow(2.0, 0.5 * i);
    curve.x.push_back(*options.lambda);
    curve.y.push_back(psnr(deblur<float>(blur, y, options).image, sharp));
  }
  const double best = *std::ranges::max_element(curve.y);
  const double low = *std::ranges::min_element(curve.y);
  Axes axes{"lambda", "PSNR, dB"};
  axes.log_x = true;
  const Curve mark{"chosen by itself", {chosen, chosen}, {low, quality}};
  const Panel drawing = curve_panel({curve, mark}, axes, "PSNR over the weight of the prior.");
  save_text(out + "/lambda_scan.svg", svg_file(drawing));
  page.figure({drawing});
  outcomes.at_most("PSNR lost by choosing lambda by itself, dB", 0.4, best - quality);
}

void varying_chapter(Page& page, Outcomes& outcomes, const std::string& out, bool quick) {
  page.section("A blur that varies");
  page.paragraph(
      "Sigma grows outwards from 0.7 to 4, each pixel spreading its light (scatter), with 0.5 % "
      "noise. Deblurred with the map; with the best single sigma; and by Richardson-Lucy on 8 x 8 "
      "patches, stopped at its best.");
  const Picture sharp = photograph("astronaut.png", quick ? 256 : 512);
  const Picture field = outward(sharp.shape());
  AdaptiveBlurOptions options;
  options.scatter = true;
  Picture y = adaptive_blur(sharp, field, options);
  add_noise(y, 0.005);
  const auto blur = adaptive_operator<float>(y.shape(), field, {}, options);
  const Deblurred<float> mapped = deblur<float>(*blur, y);
  double sigma = 0;
  const Deblurred<float> uniform = best_uniform(y, sharp, quick ? 0.6 : 0.2, sigma);
  const Picture tiled = tiled_richardson_lucy(y, field, 8, sharp);
  const double quality = psnr(mapped.image, sharp);
  const double by_one = psnr(uniform.image, sharp);
  const double by_tiles = psnr(tiled, sharp);
  page.figure(
      {panel(y, message("Blurred, ", number(psnr(y, sharp)), " dB.")),
       panel(mapped.image, message("Deblurred with the map, ", number(quality), " dB.")),
       panel(uniform.image,
             message("With sigma ", number(sigma), " everywhere, ", number(by_one), " dB.")),
       panel(tiled, message("Richardson-Lucy on 8 x 8 patches, ", number(by_tiles), " dB.")),
       panel(sharp, "The scene.")});
  save_png(out + "/varying.png", mapped.image);
  save_png(out + "/varying_blurred.png", y);
  outcomes.tell("PSNR with the map, dB", quality);
  outcomes.at_least("gain over the best single sigma, dB", 1.5, quality - by_one);
  outcomes.at_least("gain over Richardson-Lucy on patches, dB", 0.7, quality - by_tiles);
  outcomes.tell("jumps of Richardson-Lucy's error at its patches, beside elsewhere",
                imprint(tiled, sharp, 8));
  outcomes.at_most("the same of the result with the map", 1.0, imprint(mapped.image, sharp, 8));
  scan_lambda(page, outcomes, out, quick, *blur, y, sharp, mapped.lambda, quality);
}

// A bright bar, askew, and a disk, which the frame cuts at the left and at the top, on grey.
Picture cut_objects(Index size, Index beyond) {
  Picture scene({1, 1, size + 2 * beyond, size + 2 * beyond});
  for (Index y = 0; y < size + 2 * beyond; ++y) {
    for (Index x = 0; x < size + 2 * beyond; ++x) {
      const double row = static_cast<double>(y - beyond);
      const double column = static_cast<double>(x - beyond);
      const bool bar = std::abs(row - 70 - 0.8 * column) < 14 && column < 40;
      const bool disk = std::hypot(row + 12, column - 80) < 24;
      scene.view().at(0, 0, y, x) = bar || disk ? 0.95f : 0.25f;
    }
  }
  return scene;
}

void border_chapter(Page& page, Outcomes& outcomes) {
  page.section("Cut by the frame");
  page.paragraph(
      "A bright bar and a disk that the frame cuts, blurred by a disk of radius 6, 0.3 % noise. "
      "Extended, "
      "the scene beyond the frame is found with the rest; reflected, it is a guess that rings. "
      "Errors count as ringing where no edge is within 3 pixels.");
  constexpr Index kSize = 128;
  constexpr Index kMargin = 16;
  const Picture scene = cut_objects(kSize, kMargin);
  const Image<double> psf = disk_psf(6);
  const Border reflected{false, Mode::reflect};
  Picture wide(scene.shape());
  psf_operator<float>(scene.shape(), psf, reflected)->forward(scene, wide);
  Picture y = inside(wide, kMargin);
  add_noise(y, 0.003);
  const Picture sharp = inside(scene, kMargin);
  // Away from edges, where an error is ringing.
  const auto flat = [&](Index row, Index column) {
    for (Index v = std::max<Index>(row - 3, 0); v < std::min(row + 4, kSize); ++v) {
      for (Index u = std::max<Index>(column - 3, 0); u < std::min(column + 4, kSize); ++u) {
        if (sharp.view().at(0, 0, v, u) != sharp.view().at(0, 0, row, column)) return false;
      }
    }
    return true;
  };
  const auto ringing = [&](const Picture& x) {
    double sum = 0;
    for (Index row = 0; row < kSize; ++row) {
      for (Index column = 0; column < kSize; ++column) {
        if (!flat(row, column)) continue;
        const double d = static_cast<double>(x.view().at(0, 0, row, column)) -
                         static_cast<double>(sharp.view().at(0, 0, row, column));
        sum += d * d;
      }
    }
    return sum;
  };
  const auto extended = deblur<float>(*psf_operator<float>(y.shape(), psf), y);
  const auto mirrored = deblur<float>(*psf_operator<float>(y.shape(), psf, reflected), y);
  page.figure({panel(y, "Recorded.", 3), panel(extended.image, "Border extended.", 3),
               panel(mirrored.image, "Border reflected.", 3)});
  outcomes.at_most("ringing energy, extended by reflected border", 1.0 / 3,
                   ringing(extended.image) / ringing(mirrored.image));
}

// What a lattice of points of light becomes.
Picture impulses(const BlurOperator<float>& blur, Index step) {
  Picture scene(blur.scene());
  const View<float> visible = blur.visible(scene.view());
  for (Index y = step / 2; y < visible.height(); y += step) {
    for (Index x = step / 2; x < visible.width(); x += step) visible.at(0, 0, y, x) = 1;
  }
  Picture frame(blur.frame());
  blur.forward(scene, frame);
  return frame;
}

void models_chapter(Page& page, const std::string& out) {
  page.section("Blur models");
  page.paragraph("What points of light become, drawn with the square root of the brightness.");
  const Shape frame{1, 1, 150, 150};
  const Picture field = outward(frame);
  Picture shapes({1, 3, 150, 150});
  for (Index y = 0; y < 150; ++y) {
    for (Index x = 0; x < 150; ++x) {
      shapes.view().at(0, 0, y, x) = 0.3f;
      shapes.view().at(0, 1, y, x) = static_cast<float>(x - 75) / 25;
      shapes.view().at(0, 2, y, x) = 0.5f;
    }
  }
  Image<double> psfs({3, 3, 25, 25});
  for (Index i = 0; i < 9; ++i) {
    const Image<double> path = motion_psf(18, 20.0 * static_cast<double>(i));
    const Index ry = path.shape()[0] / 2;
    const Index rx = path.shape()[1] / 2;
    for (Index y = -ry; y <= ry; ++y) {
      for (Index x = -rx; x <= rx; ++x) {
        psfs.data()[(i * 25 + 12 + y) * 25 + 12 + x] =
            path.data()[(y + ry) * (2 * rx + 1) + x + rx];
      }
    }
  }
  AdaptiveBlurOptions scatter;
  scatter.scatter = true;
  const std::vector<double> sigma{2.5};
  const std::vector<std::pair<std::string, std::unique_ptr<BlurOperator<float>>>> models = [&] {
    std::vector<std::pair<std::string, std::unique_ptr<BlurOperator<float>>>> all;
    all.emplace_back("gauss:2.5", gaussian_operator<float>(frame, sigma));
    all.emplace_back("disk:6", psf_operator<float>(frame, disk_psf(6)));
    all.emplace_back("motion:18@30", psf_operator<float>(frame, motion_psf(18, 30)));
    all.emplace_back("moffat:5,2.5", psf_operator<float>(frame, moffat_psf(5, 2.5)));
    all.emplace_back("sigma map, scatter", adaptive_operator<float>(frame, field, {}, scatter));
    all.emplace_back("sigma map, gather", adaptive_operator<float>(frame, field));
    all.emplace_back("logchol map, scatter", adaptive_operator<float>(frame, shapes, {}, scatter));
    all.emplace_back("3 x 3 PSFs, mask first",
                     psf_grid_operator<float>(frame, psfs, GridOrder::mask_first));
    all.emplace_back("3 x 3 PSFs, convolution first",
                     psf_grid_operator<float>(frame, psfs, GridOrder::conv_first));
    all.emplace_back("disk:6, pixels of 3 x 3",
                     downsampled<float>(psf_operator<float>(frame, disk_psf(6)), 3));
    return all;
  }();
  std::vector<Panel> panels;
  for (const auto& [name, blur] : models) {
    Picture points = impulses(*blur, 25);
    const double most = *std::max_element(points.data(), points.data() + points.elements());
    for (Index i = 0; i < points.elements(); ++i) {
      points.data()[i] = static_cast<float>(std::sqrt(std::max(points.data()[i], 0.0f) / most));
    }
    const int zoom = static_cast<int>(300 / points.shape()[2]);
    panels.push_back(panel(points, name + ".", zoom));
    if (name.starts_with("3 x 3 PSFs, mask")) save_png(out + "/grid.png", points);
  }
  page.figure(panels);
}

void blind_chapter(Page& page, Outcomes& outcomes, bool quick) {
  page.section("With a map that was estimated");
  page.paragraph(
      "The blur's map is estimated from one photograph and its blurred version, and deblurs "
      "another one that the same lens has blurred.");
  const Index size = quick ? 256 : 512;
  const Picture target = photograph("astronaut.png", size);
  const Picture field = outward(target.shape());
  AdaptiveBlurOptions scatter;
  scatter.scatter = true;
  Picture seen = adaptive_blur(target, field, scatter);
  add_noise(seen, 0.002);
  EstimateOptions options;
  options.blur.scatter = true;
  const Estimate<float> found = estimate<float>(target, seen, options);

  const Picture sharp = photograph("ascent.png", size);
  Picture y = adaptive_blur(sharp, field, scatter);
  add_noise(y, 0.005);
  const auto with = [&](const Picture& map) {
    return deblur<float>(*adaptive_operator<float>(y.shape(), map, {}, scatter), y).image;
  };
  const Picture by_estimate = with(found.field);
  const double truth = psnr(with(field), sharp);
  const double got = psnr(by_estimate, sharp);
  page.figure({panel(y, message("Blurred, ", number(psnr(y, sharp)), " dB.")),
               panel(by_estimate, message("With the estimated map, ", number(got),
                                          " dB; with the "
                                          "true one, ",
                                          number(truth), " dB."))});
  outcomes.at_least("gain with the estimated map, dB", 1.5, got - psnr(y, sharp));
  outcomes.at_most("lost by the map's errors, dB", 0.3, truth - got);
}

void study(Page& page, Outcomes& outcomes, const std::string& out, bool quick) {
  automatic_chapter(page, outcomes, out, quick);
  varying_chapter(page, outcomes, out, quick);
  border_chapter(page, outcomes);
  models_chapter(page, out);
  blind_chapter(page, outcomes, quick);
}

}  // namespace

int main(int argc, char** argv) {
  return run_study(argc, argv, "deblurring",
                   Page("Deblurring photographs", "The blur is known; the rest is chosen."), study);
}
