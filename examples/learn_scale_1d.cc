// SPDX-License-Identifier: BSD-3-Clause
// Learning the scale of a filter by the derivative of a Gaussian by its sigma, on a 1-D signal:
//   learn_scale_1d OUT [--quick]
// It checks what it claims, writes OUT/index.html and its drawings, and exits with 1 and a message
// where a claim is not met. --quick changes nothing: all is done within a second.
#include <numeric>

#include "blurfield/autodiff/blur.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/base/random.h"
#include "blurfield/ops/gaussian_kernel.h"
#include "blurfield/ops/uniform_blur.h"
#include "blurfield/optim/gradient_descent.h"
#include "examples/study.h"

namespace {

using namespace blurfield;
using namespace blurfield::examples;
using namespace blurfield::report;

constexpr double kTrueSigma = 3.0;
constexpr Index kLength = 100;
const Axes kSignalAxes{"", "", 480, 220};

// The support grows with the filter: three sigmas to each side.
int radius_of(double sigma) { return std::max(1, static_cast<int>(std::ceil(3 * sigma))); }

// Zeros beyond the ends.
BlurOptions options_of(double sigma) {
  BlurOptions options;
  options.extension.mode = Mode::constant;
  options.radius = {radius_of(sigma)};
  return options;
}

// A signal and what the true filter makes of it.
struct Task {
  Image<double> x{{1, 1, kLength}};
  Image<double> target{{1, 1, kLength}};
};

Task make_task() {
  Task task;
  Random random(1337);
  for (double* v = task.x.data(); v != task.x.data() + kLength; ++v) *v = random.normal();
  task.target = uniform_blur<double>(task.x, std::array{kTrueSigma}, options_of(kTrueSigma));
  return task;
}

// What is learned: all that the optimisers are told.
auto loss_of(const Task& task) {
  return [&task](const Var<double>& s) {
    const Var<double> sigma = soft_maximum(s);
    const auto blurred = uniform_blur(borrow(task.x), sigma, options_of(sigma.item()));
    return 0.5 * sum(square(blurred - borrow(task.target)));
  };
}

// The same by hand: the filter forward, then the chain rule backwards.
ValueAndGrad<double, 1> forward_backward(const Task& task, double s) {
  const std::array sigma{soft_maximum(s)};
  const BlurOptions options = options_of(sigma[0]);
  Image<double> error = uniform_blur<double>(task.x, sigma, options);
  double loss = 0;
  for (Index i = 0; i < kLength; ++i) {
    error.data()[i] -= task.target.data()[i];
    loss += 0.5 * error.data()[i] * error.data()[i];
  }
  std::array by_sigma{0.0};
  uniform_blur_vjp<double>(task.x, sigma, error, {}, by_sigma, options);
  ValueAndGrad<double, 1> result{loss, {Image<double>({1})}};
  result.gradient[0].data()[0] = by_sigma[0] * soft_maximum_derivative(s);
  return result;
}

Curve signal_curve(const std::string& name, const Image<double>& signal, bool broad = false) {
  Curve curve{name, {}, {}, broad};
  for (Index i = 0; i < signal.elements(); ++i) {
    curve.x.push_back(static_cast<double>(i));
    curve.y.push_back(signal.data()[i]);
  }
  return curve;
}

Curve kernel_curve(const std::string& name, const std::vector<double>& taps) {
  Curve curve{name, {}, taps};
  const int radius = static_cast<int>(taps.size() / 2);
  for (int k = -radius; k <= radius; ++k) curve.x.push_back(k);
  return curve;
}

void filter_chapter(Page& page) {
  page.section("The filter, and its derivative by sigma");
  const int radius = radius_of(kTrueSigma);
  const Axes taps{"tap", "weight", 360, 240};
  page.paragraph(
      "The sampled Gaussian is divided by its sum, so its derivative sums to 0: more sigma moves "
      "weight from the middle outwards.");
  page.figure(
      {curve_panel({kernel_curve("weight", gaussian_kernel1d(kTrueSigma, radius))}, taps,
                   "The filter, sigma 3."),
       curve_panel({kernel_curve("derivative", gaussian_kernel1d_dsigma(kTrueSigma, radius))}, taps,
                   "Its derivative by sigma."),
       curve_panel(
           {kernel_curve("weight", gaussian_kernel1d(soft_maximum(0), radius_of(soft_maximum(0))))},
           taps,
           message("The filter that learning starts with: s = 0, sigma ", number(soft_maximum(0)),
                   "."))});
  page.paragraph(
      "A parameter s of any real value stands for sigma: the soft maximum log(e^0.3 + e^(s - 3)) "
      "is never below 0.3, and at s = 0 the filter hardly blurs.");
  Curve sigma{"sigma", {}, {}};
  Curve slope{"d sigma / d s", {}, {}};
  for (double s = -6; s <= 9; s += 0.1) {
    sigma.x.push_back(s);
    sigma.y.push_back(soft_maximum(s));
    slope.x.push_back(s);
    slope.y.push_back(soft_maximum_derivative(s));
  }
  page.figure({curve_panel({sigma, slope}, {"s", "", 560, 260}, "The soft maximum.")});
}

void gradient_chapter(Page& page, Outcomes& outcomes, const Task& task) {
  constexpr double kStep = 1e-5;
  page.section("Forward and backward");
  page.paragraph(
      "The gradient of half the sum of squared errors by s, at 10 random s: by hand, by automatic "
      "differentiation of the loss, and by differences of losses.");
  const auto loss = loss_of(task);
  Rows rows{{"s", "sigma", "by hand", "automatic", "differences"}};
  double apart = 0;
  double error = 0;
  Random random(10);
  for (int i = 0; i < 10; ++i) {
    const double s = 3 * random.normal();
    const double by_hand = forward_backward(task, s).gradient[0].data()[0];
    const double automatic = grad(loss, Var<double>(s))[0].data()[0];
    const double numeric = (loss(s + kStep).item() - loss(s - kStep).item()) / (2 * kStep);
    rows.push_back({number(s), number(soft_maximum(s)), number(by_hand, 8), number(automatic, 8),
                    number(numeric, 8)});
    apart = std::max(apart, std::abs(automatic - by_hand));
    error = std::max(error, std::abs(automatic - numeric));
  }
  page.table(rows);
  outcomes.at_most("gradient by hand and automatic, greatest difference", 1e-10, apart);
  outcomes.at_most("gradient check at 10 random s, greatest difference", 10 * kStep, error);
}

// From s = 0, at a fixed rate.
double learn_by_descent(const Task& task, Way& way) {
  Image<double> s({1});
  GradientDescentOptions<double> options;
  options.rate = 0.1;
  options.max_iterations = 100;
  options.callback = way.recorder(s.shape());
  gradient_descent<double>(objective<double>(loss_of(task), s.shape()), parameters(s), options);
  return soft_maximum(s.data()[0]);
}

double learn_by_lbfgs(const Task& task, Way& way) {
  Image<double> s({1});
  run_lbfgs(loss_of(task), s, 30, way);
  return soft_maximum(s.data()[0]);
}

// Without a loss of one's own: estimate() has Gauss-Newton, which knows the residuals one by one.
double learn_by_gauss_newton(const Task& task, Curve& losses) {
  EstimateOptions options;
  options.model = BlurModel::uniform;
  options.parameter = SigmaParameter::soft_maximum;
  options.blur.extension.mode = Mode::constant;
  options.blur.truncate = 3;
  options.noise = 1.0;
  options.tolerance = 1e-12;
  options.max_iterations = 30;
  Image<double> start({1, 1, 1});
  start.data()[0] = soft_maximum(0);
  const auto found = estimate<double>(task.x, task.target, options, {}, start);
  losses = loss_curve("Gauss-Newton", found.trace);
  for (double& loss : losses.y) loss *= 0.5 * static_cast<double>(kLength);
  return found.field.data()[0];
}

// Signals of the kept iterations beside the target, and sigma over all iterations.
std::vector<Panel> recovered_panels(const Task& task, const Way& way) {
  std::vector<Panel> panels;
  for (std::size_t i = 0; i < way.kept.size(); ++i) {
    const int iteration = way.kept_at[i];
    if (iteration != 0 && iteration != 4 && iteration != 16 && iteration != 100) continue;
    const double sigma = soft_maximum(way.kept[i].data()[0]);
    const auto blurred = uniform_blur<double>(task.x, std::array{sigma}, options_of(sigma));
    panels.push_back(
        curve_panel({signal_curve("target", task.target, true), signal_curve("recovered", blurred)},
                    kSignalAxes, message("Iteration ", iteration, ": sigma ", number(sigma), ".")));
  }
  return panels;
}

Panel sigma_panel(const Way& way) {
  Curve sigmas{"sigma", {}, {}};
  for (std::size_t i = 0; i < way.kept.size(); ++i) {
    sigmas.x.push_back(way.kept_at[i]);
    sigmas.y.push_back(soft_maximum(way.kept[i].data()[0]));
  }
  return curve_panel({sigmas}, {"iteration", "sigma"},
                     "Sigma over the iterations of gradient descent.");
}

// The iterations that a method took to a loss.
double iterations_to(const Curve& losses, double loss) {
  for (std::size_t i = 0; i < losses.y.size(); ++i) {
    if (losses.y[i] <= loss) return losses.x[i];
  }
  return INFINITY;
}

void recovery_chapter(Page& page, Outcomes& outcomes, const Task& task, const std::string& out) {
  page.section("Recovering a blur");
  page.paragraph(
      "A random signal was smoothed with sigma 3. From the two alone, s is learned by gradient "
      "descent, step 0.1, from s = 0.");
  page.figure(
      {curve_panel({signal_curve("signal", task.x)}, kSignalAxes, "The signal."),
       curve_panel({signal_curve("smoothed", task.target)}, kSignalAxes, "The signal, smoothed.")});
  std::vector<int> all(101);
  std::iota(all.begin(), all.end(), 0);
  Way descent("gradient descent", all);
  Way quasi("L-BFGS");
  Curve newton;
  const double sigma = learn_by_descent(task, descent);
  const double by_lbfgs = learn_by_lbfgs(task, quasi);
  const double by_newton = learn_by_gauss_newton(task, newton);
  const std::vector<Panel> shown = recovered_panels(task, descent);
  page.figure({shown[0], shown[1]});
  page.figure({shown[2], shown[3]});
  const Panel losses = loss_panel({descent.values, quasi.values, newton}, "The loss.");
  page.figure({losses, sigma_panel(descent)});
  page.paragraph(
      "The same loss falls faster where the optimiser builds up curvature (L-BFGS), or takes it "
      "from the derivative of the filtered signal (Gauss-Newton).");
  save_text(out + "/losses.svg", svg_file(losses));
  save_text(out + "/recovered.svg", svg_file(shown.back()));
  outcomes.near("sigma after 100 steps of gradient descent", kTrueSigma, 0.01, sigma);
  outcomes.near("sigma by L-BFGS", kTrueSigma, 1e-6, by_lbfgs);
  outcomes.near("sigma by Gauss-Newton", kTrueSigma, 1e-6, by_newton);
  const double reached = descent.values.y.back();
  outcomes.tell("loss of gradient descent after 100 iterations", reached);
  outcomes.at_most("iterations of L-BFGS to that loss", 20, iterations_to(quasi.values, reached));
  outcomes.at_most("iterations of Gauss-Newton to that loss", 12, iterations_to(newton, reached));
}

void study(Page& page, Outcomes& outcomes, const std::string& out, bool) {
  const Task task = make_task();
  filter_chapter(page);
  gradient_chapter(page, outcomes, task);
  recovery_chapter(page, outcomes, task, out);
}

}  // namespace

int main(int argc, char** argv) {
  return run_study(argc, argv, "learn_scale_1d",
                   Page("Learning the scale of a filter",
                        "Sigma of a Gaussian, recovered from a signal and its smoothed version."),
                   study);
}
