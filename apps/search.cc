// SPDX-License-Identifier: BSD-3-Clause
#include "apps/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "blurfield/report/curve.h"

namespace blurfield::app {

std::vector<double> Trace::column(std::string_view name) const {
  const auto at =
      static_cast<std::size_t>(std::find(columns.begin(), columns.end(), name) - columns.begin());
  std::vector<double> values;
  for (const std::vector<double>& row : rows) values.push_back(row.at(at));
  return values;
}

std::string trace_csv(const Trace& trace) {
  std::string csv;
  for (const std::string& name : trace.columns) csv += (csv.empty() ? "" : ",") + name;
  csv += '\n';
  for (const std::vector<double>& row : trace.rows) {
    for (const double& value : row) {
      if (&value != &row.front()) csv += ',';
      if (!std::isnan(value)) csv += fmt::format("{:.9g}", value);
    }
    csv += '\n';
  }
  return csv;
}

Json trace_json(const Trace& trace) {
  Json rows = Json::array();
  for (const std::vector<double>& row : trace.rows) {
    Json object = {{trace.columns.front(), static_cast<int>(row.front())}};
    for (std::size_t i = 1; i < row.size(); ++i) object[trace.columns[i]] = row[i];
    rows.push_back(object);
  }
  return rows;
}

void add_curve(std::vector<report::Panel>& panels, const Trace& trace, const char* column,
               const char* caption, bool logarithmic) {
  report::Curve curve{column, {}, {}};
  double position = 0;
  for (const double value : trace.column(column)) {
    // A column may have gaps; its line shall not.
    if (std::isfinite(value) && (value > 0 || !logarithmic)) {
      curve.x.push_back(position);
      curve.y.push_back(value);
    }
    ++position;
  }
  if (curve.x.size() < 2) return;
  panels.push_back(report::curve_panel(
      {curve}, {.x_label = "iteration", .y_label = column, .log_y = logarithmic}, caption));
}

std::string asked_text(const std::optional<double>& value) { return value ? "given" : "auto"; }

std::string search_text(const MinimiseResult& result, std::string_view method) {
  const std::string_view why = result.stop == Stop::gradient     ? "the gradient vanished"
                               : result.stop == Stop::change     ? "the value hardly changed"
                               : result.stop == Stop::iterations ? "no more were allowed"
                               : result.stop == Stop::time       ? "time was up"
                               : result.stop == Stop::cancelled  ? "it was cancelled"
                                                                 : "no step improved it";
  return fmt::format("{} iteration{} of {}, until {}", result.iterations,
                     result.iterations == 1 ? "" : "s", method, why);
}

}  // namespace blurfield::app
