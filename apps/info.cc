// SPDX-License-Identifier: BSD-3-Clause
// blurfield info: what a file holds.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/command.h"
#include "apps/pixels.h"
#include "apps/progress.h"
#include "blurfield/report/html.h"

namespace blurfield::app {
namespace {

struct InfoRequest {
  std::string file;
  Common common;
};

// What only the pixels tell; sample values as stored.
struct Contents {
  double low = 0;  // of the finite samples; both 0 if there are none
  double high = 0;
  Index non_finite = 0;
  std::optional<Place> first;
};

Contents read_contents(const std::string& file, const Shape& pages) {
  const io::Picture<double> raw = io::load_map<double>(file, false);
  const double* begin = raw.pixels.data();
  const double* end = begin + raw.pixels.elements();
  Contents contents;
  bool any = false;
  for (const double* p = begin; p != end; ++p) {
    if (!std::isfinite(*p)) {
      ++contents.non_finite;
      continue;
    }
    contents.low = any ? std::min(contents.low, *p) : *p;
    contents.high = any ? std::max(contents.high, *p) : *p;
    any = true;
  }
  // A map's channels run through the pages.
  const View<const double> paged(begin, pages);
  if (contents.non_finite > 0 && pages.elements() == raw.pixels.elements()) {
    contents.first = find_pixel<double>(paged, [](double v) { return !std::isfinite(v); });
  }
  return contents;
}

std::string as_text(const io::Info& info, const Contents& contents, const Shape& shape) {
  const auto yes = [](bool value) { return value ? "yes" : "no"; };
  return fmt::format(
      "format        {}\nheight        {}\nwidth         {}\nchannels      {}\n"
      "pages         {}\ntype          {}\nrange         {} .. {}\ncolour space  {}\n"
      "profile       {}\nalpha         {}\nnon-finite    {}{}\n",
      info.format, info.height, info.width, info.channels, info.pages, io::sample_name(info.sample),
      report::number(contents.low, 9), report::number(contents.high, 9), info.colour_space,
      yes(info.profile), yes(info.alpha), contents.non_finite,
      contents.first ? ", first at " + contents.first->text(shape) : std::string());
}

std::string as_json(const io::Info& info, const Contents& contents) {
  nlohmann::ordered_json json = {{"command", "info"},
                                 {"file", info.path},
                                 {"format", info.format},
                                 {"height", info.height},
                                 {"width", info.width},
                                 {"channels", info.channels},
                                 {"pages", info.pages},
                                 {"type", io::sample_name(info.sample)},
                                 {"min", contents.low},
                                 {"max", contents.high},
                                 {"colour_space", info.colour_space},
                                 {"profile", info.profile},
                                 {"alpha", info.alpha},
                                 {"non_finite", contents.non_finite}};
  json["first_non_finite"] = nullptr;
  if (const auto& place = contents.first) {
    json["first_non_finite"] = {
        {"y", place->y}, {"x", place->x}, {"channel", place->c}, {"page", place->n}};
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

void inform(const InfoRequest& request) {
  const io::Info info = io::probe(request.file);
  const Shape shape{info.pages, info.channels, info.height, info.width};
  const Contents contents = read_contents(request.file, shape);
  throw_if_cancelled();
  if (request.common.json) {
    print(as_json(info, contents));
  } else if (!request.common.quiet) {
    print(as_text(info, contents, shape));
  }
}

}  // namespace

Command info_command(CLI::App& app) {
  auto request = std::make_shared<InfoRequest>();
  CLI::App* sub = app.add_subcommand(
      "info",
      "Tell what a file holds: size, channels, type, range, colour space, non-finite pixels.\n"
      "The range is that of the samples as stored.");
  sub->add_option("FILE", request->file, "Image")->required()->type_name("");
  add_common(*sub, request->common);
  sub->footer(
      "Examples:\n"
      "  blurfield info photo.png\n"
      "  blurfield info frame.fits --json | jq .non_finite");
  return {sub, [request] { inform(*request); }};
}

}  // namespace blurfield::app
