// SPDX-License-Identifier: BSD-3-Clause
// Composes demo-out/index.html from what script/demo has made:
//   demo FOLDER
// FOLDER holds NAME.json, the summary that `blurfield blur --json` or `blurfield estimate --json`
// printed, for every job told here, and the folders of the examples. A further chapter of the demo
// is one function, called in compose().
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "blurfield/io/picture.h"
#include "blurfield/ops/covariance.h"
#include "blurfield/report/blur_section.h"
#include "blurfield/report/html.h"

namespace {

using blurfield::Error;
using blurfield::Image;
using blurfield::report::Crop;
using blurfield::report::number;
using blurfield::report::Page;
using nlohmann::json;

constexpr Crop kFace{44, 164, 128, 128};
constexpr Crop kShuttle{50, 350, 128, 128};
constexpr Crop kFlag{368, 0, 128, 128};

// One job: its summary and the pictures that it names.
struct Job {
  json summary;
  Image<float> input;
  Image<float> result;
  Image<float> field;  // sigma in pixels or covariance
};

std::string text_of(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw Error(file + ": cannot read");
  return {std::istreambuf_iterator<char>(stream), {}};
}

Image<float> load_field(const json& summary) {
  const bool ranged = !summary.at("sigma_range").is_null();
  auto field = blurfield::io::load_map<float>(summary.at("map"), ranged).pixels;
  if (summary.at("gaussian") == "logchol-map") {
    Image<float> cov(field.shape());
    blurfield::logchol_to_cov<float>(field, cov);
    return cov;
  }
  if (ranged) {
    const float low = summary.at("sigma_range").at(0);
    const float high = summary.at("sigma_range").at(1);
    for (float* v = field.data(); v != field.data() + field.elements(); ++v) {
      *v = low + (high - low) * *v;
    }
  }
  return field;
}

Job load_job(const std::string& folder, const std::string& name) {
  Job job;
  job.summary = json::parse(text_of(folder + "/" + name + ".json"));
  job.input = blurfield::io::load_picture<float>(job.summary.at("in")).pixels;
  job.result = blurfield::io::load_picture<float>(job.summary.at("out")).pixels;
  if (!job.summary.at("map").is_null()) job.field = load_field(job.summary);
  return job;
}

std::vector<std::vector<std::string>> timing_table(const std::vector<json>& summaries) {
  std::vector<std::vector<std::string>> rows = {
      {"result", "Gaussian", "multiply-adds", "threads", "seconds", "megapixels/s"}};
  for (const json& s : summaries) {
    rows.push_back({s.at("out"), s.at("gaussian"), number(s.at("multiply_adds"), 3),
                    std::to_string(s.at("threads").get<int>()), number(s.at("blur_seconds"), 3),
                    number(s.at("megapixels_per_second"), 3)});
  }
  return rows;
}

// The section that all blurs share; `text` says what to look for.
void tell(Page& page, const Job& job, const std::string& heading, const std::string& text,
          const std::string& field_caption) {
  blurfield::report::BlurSection section;
  section.heading = heading;
  section.text = text;
  section.input = job.input;
  section.result = job.result;
  section.field = job.field;
  section.field_caption = field_caption;
  section.crops = {kFace, kShuttle};
  section.table = timing_table({job.summary});
  section.command = job.summary.at("line");
  add_blur_section(page, section, blurfield::io::encode_png);
}

void portrait(Page& page, const std::string& folder) {
  tell(page, load_job(folder, "portrait"), "A width for every pixel",
       "The sigma map grows from the face outwards. Each pixel of the result gathers light with a "
       "Gaussian of its own: the face stays sharp, the background melts.",
       "Sigma of every pixel.");
}

void scattered_portrait(Page& page, const std::string& folder) {
  tell(page, load_job(folder, "portrait_scatter"), "The same map, scattered",
       "Here the Gaussian belongs to the pixel that the light comes from, as behind a lens: "
       "blurred background spills over the edges of what is sharp.",
       "Sigma of every pixel.");
}

// |recovered - truth| / truth.
Image<float> relative_error(const Image<float>& recovered, const Image<float>& truth) {
  Image<float> error(truth.shape());
  std::transform(recovered.data(), recovered.data() + recovered.elements(), truth.data(),
                 error.data(), [](float got, float wanted) { return std::abs(got / wanted - 1); });
  return error;
}

// The median error of the pixels that are known, those of confidence 1/2 and more.
double median_where_known(const Image<float>& error, const Image<float>& confidence) {
  std::vector<float> known;
  for (blurfield::Index i = 0; i < error.elements(); ++i) {
    if (confidence.data()[i] >= 0.5f) known.push_back(error.data()[i]);
  }
  blurfield::require(!known.empty(), "demo", "expected pixels whose sigma is known, got none");
  const auto middle = known.begin() + static_cast<std::ptrdiff_t>(known.size() / 2);
  std::nth_element(known.begin(), middle, known.end());
  return *middle;
}

void recovered_portrait(Page& page, const std::string& folder) {
  using blurfield::report::ColourMap;
  const json summary = json::parse(text_of(folder + "/portrait_recovered.json"));
  const Image<float> truth = load_job(folder, "portrait").field;
  const auto recovered = blurfield::io::load_map<float>(summary.at("out"), false).pixels;
  const auto confidence = blurfield::io::load_map<float>(summary.at("confidence"), true).pixels;
  const Image<float> error = relative_error(recovered, truth);
  const auto panel = [](const Image<float>& values, ColourMap map, const std::string& unit,
                        const std::string& caption, const blurfield::report::Range& range) {
    return map_panel(values, 0, map, unit, blurfield::io::encode_png, caption, range);
  };
  page.section("The map recovered");
  page.paragraph(
      "From the photograph and its blurred version, of 8 bits each, the sigma of every pixel is "
      "found again. Where the photograph is flat nothing tells one sigma from another; the "
      "confidence map says so, and the field is carried on smoothly from around.");
  const auto range = blurfield::report::value_range(truth);
  page.figure({panel(truth, ColourMap::viridis, "px", "The sigma map that was used.", range),
               panel(recovered, ColourMap::viridis, "px", "The sigma map recovered.", range),
               panel(error, ColourMap::magma, "", "Relative error, up to 0.5.", {0, 0.5}),
               panel(confidence, ColourMap::magma, "", "Confidence.", {0, 1})});
  page.table({{"pixels known", "median relative error there", "noise assumed", "iterations",
               "threads", "seconds"},
              {number(100 * summary.at("known").get<double>(), 3) + " %",
               number(median_where_known(error, confidence), 3), number(summary.at("noise"), 3),
               std::to_string(summary.at("iterations").get<int>()),
               std::to_string(summary.at("threads").get<int>()),
               number(summary.at("estimate_seconds"), 3)}});
  page.code(summary.at("line").get<std::string>());
  page.link("The command's own report", "portrait_recovered.html");
}

std::string cell(const json& summary, const char* when, const char* what) {
  return number(summary.at(when).at(what), 4);
}

void main_job(Page& page, const std::string& folder) {
  using blurfield::report::ColourMap;
  const json found = json::parse(text_of(folder + "/lens_found.json"));
  const json sharpened = json::parse(text_of(folder + "/photo_sharp.json"));
  const auto load = [](const json& file) {
    return blurfield::io::load_picture<float>(file.get<std::string>()).pixels;
  };
  const Image<float> seen = load(sharpened.at("in"));
  const Image<float> given_back = load(sharpened.at("out"));
  const Image<float> truth = load(sharpened.at("reference"));
  const auto lens = blurfield::io::load_map<float>(folder + "/lens.tif", false).pixels;
  const auto map = blurfield::io::load_map<float>(found.at("out"), false).pixels;
  page.section("Blurred, estimated, deblurred");
  page.paragraph(
      "A lens that is sharp in the middle and blurs towards the corners, and noise of half a per "
      "cent. The blur is found from one picture and its photograph; then another photograph that "
      "the lens has taken is given back.");
  const auto range = blurfield::report::value_range(lens);
  const auto panel = [&](const Image<float>& values, const std::string& caption) {
    return map_panel(values, 0, ColourMap::viridis, "px", blurfield::io::encode_png, caption,
                     range);
  };
  const auto picture = [](const auto& view, const std::string& caption, int zoom = 1) {
    return blurfield::report::picture_panel(view, blurfield::io::encode_png, caption, zoom);
  };
  page.figure({picture(seen.view(), "The photograph."), panel(lens, "The lens: sigma."),
               panel(map, "The lens as it was found."),
               picture(given_back.view(), "The photograph deblurred.")});
  for (const Crop& window : {kShuttle, kFlag}) {
    page.figure({picture(crop(seen, window), "The photograph.", 2),
                 picture(crop(given_back, window), "Deblurred.", 2),
                 picture(crop(truth, window), "The scene.", 2)});
  }
  page.table(
      {{"", "PSNR, dB", "SSIM", "seconds", "threads"},
       {"photograph", cell(sharpened, "before", "psnr"), cell(sharpened, "before", "ssim"), "", ""},
       {"deblurred", cell(sharpened, "after", "psnr"), cell(sharpened, "after", "ssim"),
        number(sharpened.at("deblur_seconds"), 3),
        std::to_string(sharpened.at("threads").get<int>())},
       {"estimate of the lens", "", "", number(found.at("estimate_seconds"), 3),
        std::to_string(found.at("threads").get<int>())}});
  page.paragraph("Chosen by itself:");
  for (const auto& reason : sharpened.at("why")) page.paragraph(reason.get<std::string>() + ".");
  page.code(text_of(folder + "/main_job.txt"));
  page.link("The command's own report", "photo_sharp.html");
}

void swirl(Page& page, const std::string& folder) {
  tell(page, load_job(folder, "swirl"), "A shape for every pixel",
       "A full covariance field, given as log-Cholesky parameters, that turns around the face and "
       "grows longer outwards.",
       "Covariance field.");
  page.paragraph("The field was made by:");
  page.code(text_of(folder + "/swirl_map.txt"));
}

void sliding_windows(Page& page) {
  page.section("Sliding windows and convolution");
  page.paragraph(
      "Windows as views, one convolution computed in many ways, a bank of filters on a photograph, "
      "and the sizes of kernels at which the methods cross.");
  page.link("The example's own page", "sliding_windows/index.html");
}

void learning(Page& page) {
  page.section("Learning the blur");
  page.paragraph(
      "One sigma from a signal, weights between two blurs, and a covariance for every pixel: each "
      "recovered from what is sharp and what is blurred by minimising a loss of a few lines.");
  page.link("The scale of a filter", "learn_scale_1d/index.html");
  page.link("Mixes of two blurs", "mix_min_max/index.html");
  page.link("A Gaussian for every pixel", "local_filtering/index.html");
}

void deblurring(Page& page) {
  page.section("Deblurring by an objective of one's own");
  page.paragraph("Four lines on arrays, their derivatives by themselves, and Newton's method.");
  page.link("The example's own page", "image_deblurring/index.html");
}

std::string compose(const std::string& folder) {
  Page page("blurfield: blur that varies across an image",
            "Eileen Collins, NASA (public domain), blurred exactly, and given back.");
  portrait(page, folder);
  recovered_portrait(page, folder);
  scattered_portrait(page, folder);
  swirl(page, folder);
  sliding_windows(page);
  learning(page);
  deblurring(page);
  main_job(page, folder);
  return page.html();
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: demo FOLDER\n");
    return 2;
  }
  const std::string file = std::string(argv[1]) + "/index.html";
  std::ofstream stream(file);
  stream << compose(argv[1]);
  stream.close();
  if (!stream) throw Error(file + ": cannot write");
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "demo: %s\n", error.what());
  return 1;
}
