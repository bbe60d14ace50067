// SPDX-License-Identifier: BSD-3-Clause
// Composes demo-out/index.html from what script/demo has made:
//   demo FOLDER
// FOLDER holds NAME.json, the summary that `blurfield blur --json` printed, for every job told
// here, and the folders of the examples. A further chapter of the demo is one function, called in
// compose().
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

std::string compose(const std::string& folder) {
  Page page("blurfield: blur that varies across an image",
            "Eileen Collins, NASA (public domain), blurred exactly by three fields.");
  portrait(page, folder);
  scattered_portrait(page, folder);
  swirl(page, folder);
  sliding_windows(page);
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
