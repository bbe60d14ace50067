// SPDX-License-Identifier: BSD-3-Clause
// blurfield filter: the options.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>

#include "apps/filter_summary.h"
#include "apps/filter_work.h"

namespace blurfield::app {
namespace {

constexpr Index kLargestSize = 4095;

constexpr const char* kExamples = R"(Examples:
  Edges, where brightness changes along x; black is none:
    blurfield filter photo.png edges.png --filter sobel-x --abs
  The same with its sign, mid-grey is none, white grows to the right:
    blurfield filter photo.png slope.png --filter sobel-x --signed
  The response itself, as float samples:
    blurfield filter photo.png slope.tif --filter sobel-x --bit-depth 32f
  A kernel of your own, as text:
    printf '0 1 0\n1 2 1\n0 1 0\n' > kernel.txt
    blurfield filter photo.png soft.png --kernel kernel.txt --normalise
  The shape of an aperture, an image, on light instead of sRGB numbers:
    blurfield filter photo.png bokeh.png --kernel heart.png --normalise --linear-light
  Every second pixel of the mean of 2 x 2 (a kernel file of four ones):
    blurfield filter photo.png half.png --kernel ones.txt --normalise --output valid --stride 2 2
  What filters there are, and how they look:
    blurfield filter --list
    blurfield filter photo.png --bank montage.png)";

void start(FilterRequest& request) {
  if (request.list) {
    if (request.common.json || !request.common.quiet) {
      print(request.common.json ? list_json() : list_text());
    }
  } else if (!request.bank.empty()) {
    make_bank(request);
  } else {
    filter_file(request);
  }
}

const Filter* find_filter(const std::string& name) {
  const auto filters = filter_bank();
  const auto found = std::find_if(filters.begin(), filters.end(),
                                  [&](const Filter& filter) { return filter.name == name; });
  return found == filters.end() ? nullptr : &*found;
}

[[noreturn]] void refuse(const std::string& text) { throw CLI::ValidationError(text); }

// Which options a bank or a kernel file leaves without meaning.
void refuse_unused(const CLI::App& app, const FilterRequest& request) {
  const auto refuse_with = [&](const char* what, std::initializer_list<const char*> options) {
    for (const char* option : options) {
      if (app.count(option) > 0) refuse(message(option, " has no meaning with ", what));
    }
  };
  if (!request.kernel.empty()) refuse_with("--kernel", {"--size", "--sigma"});
  if (!request.bank.empty()) {
    refuse_with("--bank", {"OUT", "--correlate", "--normalise", "--output", "--stride",
                           "--dilation", "--linear-light", "--abs", "--signed", "--bit-depth"});
  }
}

// What CLI11's own rules do not express.
void check_usage(const CLI::App& app, FilterRequest& request) {
  int works = 0;
  for (const char* option : {"--kernel", "--filter", "--bank", "--list"}) {
    works += app.count(option) > 0 ? 1 : 0;
  }
  if (works != 1) {
    refuse(message("expected exactly one of --kernel, --filter, --bank, --list; got ", works));
  }
  if (request.list) return;
  for (const char* option : {"--kernel", "--bank"}) {
    if (app.count(option) > 0 && app.get_option(option)->as<std::string>().empty()) {
      refuse(message(option, ": expected the name of a file, got an empty one"));
    }
  }
  if (request.in.empty()) refuse("IN is required");
  if (request.out.empty() && request.bank.empty()) refuse("OUT is required");
  refuse_unused(app, request);
  if (request.cval != 0 && request.mode != "constant") refuse("--cval needs --mode constant");
  if (const Filter* filter = find_filter(request.filter)) {
    if (request.sigma > 0 && !filter->has_sigma) {
      refuse(message("--sigma: the filter ", filter->name, " has none"));
    }
    request.size = filter_size(request, *filter, filter->usual_size);
    if (request.size < filter->least_size) {
      refuse(message("--size: ", filter->name, " expects at least ", filter->least_size, ", got ",
                     request.size));
    }
  }
}

std::string odd_size(const std::string& text) {
  char* end = nullptr;
  const long size = std::strtol(text.c_str(), &end, 10);
  const bool good = !text.empty() && *end == '\0' && size % 2 == 1 && size <= kLargestSize;
  return good && size > 0 ? std::string()
                          : fmt::format("expected an odd number 1..{}, got {}", kLargestSize, text);
}

void add_kernel(CLI::App& app, FilterRequest& request) {
  const char* group = "Kernel (exactly one of the first four)";
  app.add_option("--kernel", request.kernel,
                 "Rows of numbers as text (# starts a comment), a .npy array, or an image in grey, "
                 "whose integer samples map to 0..1. It is convolved with IN, unless "
                 "--correlate")
      ->type_name("FILE")
      ->group(group);
  std::vector<std::string> names;
  for (const Filter& filter : filter_bank()) names.emplace_back(filter.name);
  app.add_option("--filter", request.filter,
                 "A filter by its name in --list; slopes are positive where brightness grows to "
                 "the right (-x) or downwards (-y), with --correlate as without")
      ->type_name("NAME")
      ->check(CLI::IsMember(names))
      ->group(group);
  app.add_flag("--list", request.list, "Only print the names of the filters, with a line each")
      ->group(group);
  app.add_option("--bank", request.bank,
                 "Write a picture of all filters on IN instead, labelled (7 x 7 unless --size)")
      ->type_name("OUT.png")
      ->group(group);
  app.add_option(
         "--size", request.size,
         "The filter has K x K weights, K odd (default: 2 ceil(3 S) + 1 with --sigma; else 7 "
         "for the Gaussian and document filters, 3 for the others)")
      ->type_name("K")
      ->check(odd_size)
      ->group(group);
  app.add_option("--sigma", request.sigma, "Standard deviation in pixels (default: K / 6)")
      ->type_name("S")
      ->check(positive_number())
      ->group(group);
  app.add_flag("--correlate", request.correlate,
               "Do not turn the kernel of FILE by 180 degrees, as convolution does")
      ->group(group);
  app.add_flag("--normalise", request.normalise,
               "Divide the weights by their sum, so that brightness stays")
      ->group(group);
}

void add_manner(CLI::App& app, FilterRequest& request) {
  const char* group = "Convolution";
  app.add_option("--method", request.method,
                 "auto (the one that will be fastest), direct, separable, gemm, fft: the same "
                 "result but for rounding")
      ->type_name("M")
      ->check(CLI::IsMember({"auto", "direct", "separable", "gemm", "fft"}))
      ->capture_default_str()
      ->group(group);
  add_extension(app, group, request.mode, request.cval);
  app.add_option("--output", request.output,
                 "same: the size of IN; full: every position where kernel and image overlap; "
                 "valid: only where the kernel lies within the image")
      ->type_name("O")
      ->check(CLI::IsMember({"same", "full", "valid"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--stride", request.stride, "Keep every SY-th row and SX-th column of the result")
      ->type_name("SY SX")
      ->expected(2)
      ->check(CLI::Range(1, 1 << 20))
      ->group(group);
  app.add_option("--dilation", request.dilation, "Weights stand DY rows and DX columns apart")
      ->type_name("DY DX")
      ->expected(2)
      ->check(CLI::Range(1, 1 << 20))
      ->group(group);
  app.add_flag("--linear-light", request.linear_light,
               "Decode sRGB before and encode after the filter (integer images)")
      ->group(group);
}

void add_output(CLI::App& app, FilterRequest& request) {
  const char* group = "Output";
  auto* absolute =
      app.add_flag("--abs", request.absolute, "Store |v| for a response v")->group(group);
  auto* shifted = app.add_flag("--signed", request.shifted,
                               "Store 0.5 + v / 2: mid-grey is 0, black -1 and white 1")
                      ->excludes(absolute)
                      ->group(group);
  app.get_option("--linear-light")->excludes(absolute)->excludes(shifted);
  add_bit_depth(app, group, request.bit_depth);
  app.add_flag("--force", request.force, "Overwrite existing files")->group(group);
}

}  // namespace

Index filter_size(const FilterRequest& request, const Filter& filter, Index usual) {
  if (request.size > 0) return request.size;
  if (request.sigma == 0 || !filter.has_sigma) return usual;
  const double radius = std::ceil(3 * request.sigma);
  if (2 * radius + 1 > static_cast<double>(kLargestSize)) {
    refuse(message("--sigma: expected at most ", kLargestSize / 6, " without --size, got ",
                   request.sigma));
  }
  return 2 * static_cast<Index>(radius) + 1;
}

Command filter_command(CLI::App& app, const std::string& line) {
  auto request = std::make_shared<FilterRequest>();
  request->line = line;
  CLI::App* filter = app.add_subcommand(
      "filter",
      "Convolve an image with a kernel from a file, or with a classic filter by name.\n"
      "Integer images map to 0..1 and back, what lies beyond is clipped; float images and FITS\n"
      "keep their values. Colours are filtered premultiplied by alpha; alpha too, if the weights\n"
      "have a sum > 0, else it stays. Every page gets the same filter; profile and metadata stay.");
  filter->add_option("IN", request->in, "Image to filter")->type_name("");
  filter->add_option("OUT", request->out, "Result; the format follows the name")->type_name("");
  add_kernel(*filter, *request);
  add_manner(*filter, *request);
  add_output(*filter, *request);
  add_common(*filter, request->common);
  filter->footer(kExamples);
  return {filter, [filter, request] {
            check_usage(*filter, *request);
            start(*request);
          }};
}

}  // namespace blurfield::app
