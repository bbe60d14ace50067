// SPDX-License-Identifier: BSD-3-Clause
// What the examples that study a question share: claims that are checked, a page, a command line.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "blurfield/autodiff/objective.h"
#include "blurfield/learn/estimate.h"
#include "blurfield/optim/adamax.h"
#include "blurfield/optim/lbfgs.h"
#include "blurfield/report/curve.h"
#include "blurfield/report/html.h"
#include "examples/pictures.h"

namespace blurfield::examples {

using Rows = std::vector<std::vector<std::string>>;  // of a table

// What an example asks for, what it got, and whether that will do.
class Outcomes {
 public:
  void at_most(const std::string& what, double limit, double got) {
    add(what, "<= " + text(limit), got, got <= limit);
  }
  void at_least(const std::string& what, double limit, double got) {
    add(what, ">= " + text(limit), got, got >= limit);
  }
  void near(const std::string& what, double asked, double tolerance, double got) {
    add(what, text(asked) + " +- " + text(tolerance), got, std::abs(got - asked) <= tolerance);
  }
  // A figure that nothing is asked of.
  void tell(const std::string& what, double got) { add(what, "", got, true); }

  const Rows& rows() const { return rows_; }
  const std::string& missed() const { return missed_; }  // the first one; empty if all are met

 private:
  static std::string text(double value) { return report::number(value, 7); }
  void add(const std::string& what, const std::string& asked, double got, bool met) {
    rows_.push_back({what, asked, text(got), met ? (asked.empty() ? "" : "yes") : "NO"});
    if (!met && missed_.empty()) {
      missed_ = message(what, ": expected ", asked, ", got ", text(got));
    }
  }
  Rows rows_{{"outcome", "asked", "got", "met"}};
  std::string missed_;
};

// What an optimiser goes through: the value of every iterate, and the parameters of some.
struct Way {
  report::Curve values;
  std::vector<int> kept_at;  // iterations, ascending
  std::vector<Image<double>> kept;

  explicit Way(const std::string& name, const std::vector<int>& keep = {})
      : values{name, {}, {}}, kept_at(keep) {}
  // To be called after every iteration; `shape` is that of the parameters.
  auto recorder(const Shape& shape) {
    return [this, shape](const Iterate<double>& iterate) {
      values.x.push_back(iterate.iteration);
      values.y.push_back(iterate.value);
      if (std::ranges::count(kept_at, iterate.iteration) > 0) {
        kept.emplace_back(View<const double>(iterate.x.data(), shape));
      }
      return true;
    };
  }
};

// All pixels of an image, as the optimisers move them.
inline std::span<double> parameters(Image<double>& image) {
  return {image.data(), static_cast<std::size_t>(image.elements())};
}

// The optimiser of documents 000 and 001, on a loss of Vars: Adamax, rate 0.1.
template <class Loss>
void run_adamax(const Loss& loss, Image<double>& s, int iterations, Way& way) {
  AdamaxOptions<double> options;
  options.rate = 0.1;
  options.max_iterations = iterations;
  options.callback = way.recorder(s.shape());
  adamax<double>(objective<double>(loss, s.shape()), parameters(s), options);
}

template <class Loss>
void run_lbfgs(const Loss& loss, Image<double>& s, int iterations, Way& way,
               const Bounds<double>& bounds = {}) {
  LbfgsOptions<double> options;
  options.max_iterations = iterations;
  options.bounds = bounds;
  options.callback = way.recorder(s.shape());
  lbfgs<double>(objective<double>(loss, s.shape()), parameters(s), options);
}

// The losses of estimate() as a curve.
inline report::Curve loss_curve(const std::string& name, const std::vector<EstimateStep>& trace) {
  report::Curve curve{name, {}, {}};
  for (const EstimateStep& step : trace) {
    curve.x.push_back(step.iteration);
    curve.y.push_back(step.loss);
  }
  return curve;
}

// Curves of losses; what is below 1e-16 of the greatest is rounding, and drawn there.
inline report::Panel loss_panel(std::vector<report::Curve> curves, const std::string& caption) {
  double most = 0;
  for (const report::Curve& curve : curves)
    most = std::max(most, *std::ranges::max_element(curve.y));
  for (report::Curve& curve : curves) {
    for (double& loss : curve.y) loss = std::max(loss, 1e-16 * most);
  }
  report::Axes axes{"iteration", "loss"};
  axes.log_y = true;
  return report::curve_panel(curves, axes, caption);
}

// main() of an example called as NAME OUT [--quick]: runs it, ends its page with the outcomes,
// writes OUT/index.html, prints the outcomes and fails if one is missed.
using Study = void (*)(report::Page& page, Outcomes& outcomes, const std::string& out, bool quick);
inline int run_study(int argc, char** argv, const char* name, report::Page page, Study study) try {
  const bool quick = argc == 3 && std::string(argv[2]) == "--quick";
  if (argc != 2 && !quick) {
    std::fprintf(stderr, "usage: %s OUT [--quick]\n", name);
    return 2;
  }
  const std::string out = argv[1];
  std::filesystem::create_directories(out);
  Outcomes outcomes;
  study(page, outcomes, out, quick);
  page.section("Outcomes");
  page.table(outcomes.rows());
  save_text(out + "/index.html", page.html());
  for (const auto& row : outcomes.rows()) {
    std::printf("%-72s %-18s %-12s %s\n", row[0].c_str(), row[1].c_str(), row[2].c_str(),
                row[3].c_str());
  }
  require(outcomes.missed().empty(), "outcome missed", outcomes.missed());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", name, error.what());
  return 1;
}

}  // namespace blurfield::examples
