// SPDX-License-Identifier: BSD-3-Clause
// What commands tell about a search that goes step by step: its course, and how it ended.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/job_json.h"
#include "blurfield/optim/minimise.h"
#include "blurfield/report/page.h"

namespace blurfield::app {

// A row per iteration. NaN: not measured there.
struct Trace {
  std::vector<std::string> columns;  // the first is "iteration"
  std::vector<std::vector<double>> rows;

  std::vector<double> column(std::string_view name) const;
};

// A header, and a row per iteration.
std::string trace_csv(const Trace& trace);
// An array of objects.
Json trace_json(const Trace& trace);

// Adds a column as a curve where there are two values to show, on a logarithmic axis positive ones.
void add_curve(std::vector<report::Panel>& panels, const Trace& trace, const char* column,
               const char* caption, bool logarithmic = true);

// "given" or "auto".
std::string asked_text(const std::optional<double>& value);

// "12 iterations of lbfgs, until the value hardly changed"
std::string search_text(const MinimiseResult& result, std::string_view method);

}  // namespace blurfield::app
