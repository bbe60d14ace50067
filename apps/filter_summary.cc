// SPDX-License-Identifier: BSD-3-Clause
#include "apps/filter_summary.h"

#include <fmt/format.h>

#include "apps/job_json.h"
#include "blurfield/report/html.h"

namespace blurfield::app {
namespace {

using report::number;

Json pair_json(const std::vector<Index>& pair) { return pair.empty() ? Json({1, 1}) : Json(pair); }

std::string method_text(const CorrelatePlan& plan) {
  const std::string rank = plan.method == ConvolutionMethod::separable
                               ? fmt::format(", rank {}", plan.rank)
                               : std::string();
  return std::string(method_name(plan.method)) + rank;
}

}  // namespace

double FilterSummary::megapixels_per_second() const {
  const double pixels = static_cast<double>(in.width * in.height * in.pages);
  return filter_seconds > 0 ? 1e-6 * pixels / filter_seconds : 0;
}

std::string summary_line(const FilterRequest& request, const FilterSummary& summary) {
  const bool same = summary.out[2] == summary.in.height && summary.out[3] == summary.in.width;
  const std::string size = same ? "" : fmt::format("to {} x {}, ", summary.out[2], summary.out[3]);
  return fmt::format(
      "{}: {}, {}filtered by {} {} x {} ({}) in {} s ({} megapixels/s on {} thread{})\n",
      request.out, describe(summary.in), size, request.weights(), summary.kernel[0],
      summary.kernel[1], method_text(summary.plan), number(summary.filter_seconds, 3),
      number(summary.megapixels_per_second(), 3), summary.threads, summary.threads == 1 ? "" : "s");
}

std::string summary_json(const FilterRequest& request, const FilterSummary& summary) {
  const CorrelatePlan& plan = summary.plan;
  Json json = job_json("filter", request.line, {{"in", request.in}}, request.out, summary.in);
  json.update({{"out_height", summary.out[2]},
               {"out_width", summary.out[3]},
               {"out_type", io::sample_name(summary.out_sample)},
               {"filter", request.filter.empty() ? Json() : Json(request.filter)},
               {"kernel", request.kernel.empty() ? Json() : Json(request.kernel)},
               {"kernel_height", summary.kernel[0]},
               {"kernel_width", summary.kernel[1]},
               {"method", method_name(plan.method)},
               {"rank", plan.rank > 0 ? Json(plan.rank) : Json()},
               {"mode", request.mode},
               {"output", request.output},
               {"stride", pair_json(request.stride)},
               {"dilation", pair_json(request.dilation)},
               {"multiply_adds", plan.multiply_adds},
               {"threads", summary.threads},
               {"load_seconds", summary.load_seconds},
               {"filter_seconds", summary.filter_seconds},
               {"save_seconds", summary.save_seconds},
               {"megapixels_per_second", summary.megapixels_per_second()}});
  return dump(json);
}

std::string montage_line(const FilterRequest& request, const Montage& montage) {
  return fmt::format("{}: {} filters on {}, {} x {}\n", request.bank, montage.tiles.size(),
                     request.in, montage.sheet.shape()[2], montage.sheet.shape()[3]);
}

std::string montage_json(const FilterRequest& request, const Montage& montage) {
  Json tiles = Json::array();
  for (const Tile& tile : montage.tiles) {
    tiles.push_back({{"filter", tile.name},
                     {"size", tile.size},
                     {"offset", tile.scaling.offset},
                     {"divisor", tile.scaling.divisor},
                     {"y", tile.y},
                     {"x", tile.x}});
  }
  return dump({{"command", "filter"},
               {"line", request.line},
               {"version", BLURFIELD_VERSION},
               {"in", request.in},
               {"in_low", montage.range.low},
               {"in_high", montage.range.high},
               {"out", request.bank},
               {"out_height", montage.sheet.shape()[2]},
               {"out_width", montage.sheet.shape()[3]},
               {"tile_height", montage.tile_height},
               {"tile_width", montage.tile_width},
               {"tiles", tiles}});
}

std::string list_text() {
  std::string text;
  for (const Filter& filter : filter_bank()) {
    text += fmt::format("{:<15}{}{}\n", filter.name, filter.summary,
                        filter.has_sigma ? "; --sigma" : "");
  }
  return text;
}

std::string list_json() {
  Json filters = Json::array();
  for (const Filter& filter : filter_bank()) {
    filters.push_back({{"name", filter.name},
                       {"summary", filter.summary},
                       {"has_sigma", filter.has_sigma},
                       {"least_size", filter.least_size},
                       {"usual_size", filter.usual_size}});
  }
  return dump({{"command", "filter"}, {"version", BLURFIELD_VERSION}, {"filters", filters}});
}

}  // namespace blurfield::app
