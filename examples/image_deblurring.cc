// SPDX-License-Identifier: BSD-3-Clause
// Image deblurring by optimisation: the objective is written by its value alone, the derivatives
// come by themselves, and two optimisers find the sharp image:
//   image_deblurring OUT [--quick]
// Run it in the project's folder. It checks what it claims, writes OUT/index.html and its pictures
// as PNG, and exits with 1 and a message where a claim is not met. --quick deblurs a smaller
// photograph at the end.
#include "blurfield/autodiff/convolution.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/reduce.h"
#include "blurfield/autodiff/slice.h"
#include "blurfield/base/random.h"
#include "blurfield/deblur/deblur.h"
#include "blurfield/deblur/objective.h"
#include "blurfield/deblur/psf_operator.h"
#include "blurfield/optim/newton_cg.h"
#include "blurfield/report/panel.h"
#include "examples/deblurring_problem.h"
#include "examples/study.h"

namespace {

using namespace blurfield;
using namespace blurfield::examples;
using namespace blurfield::report;
using blurfield::io::encode_png;

constexpr double kMu = 0.2;
constexpr double kObjective = 2.058532;  // to be reached, in 171 x 171
constexpr double kPsnr = 24.047;         // of the minimum
constexpr double kBlurredPsnr = 19.9307841;
constexpr int kZoom = 2;

constexpr const char* kTyped = R"(const auto loss = [&](const Var<double>& x) {
  const auto misfit = sum(square(convolve(x, psf, zeros_beyond()) - y)) / 2;
  const auto rough = (sum(square(difference_y(x))) + sum(square(difference_x(x)))) / 2;
  return sqrt(misfit) + 0.2 * sqrt(rough);
};)";

// What kTyped shows.
auto typed_objective(const DeblurringProblem& problem) {
  return [psf = borrow(problem.psf), y = borrow(problem.blurred)](const Var<double>& x) {
    const auto misfit = sum(square(convolve(x, psf, zeros_beyond()) - y)) / 2;
    const auto rough = (sum(square(difference_y(x))) + sum(square(difference_x(x)))) / 2;
    return sqrt(misfit) + kMu * sqrt(rough);
  };
}

// The same by what the library has built in.
class BuiltIn {
 public:
  BuiltIn(const View<const double>& blurred, const View<const double>& psf)
      : blur_(psf_operator<double>(blurred.shape, psf, {false, Mode::constant})),
        fidelity_(blurred, {.kind = Fidelity::norm}),
        prior_(blurred.shape, {.kind = Prior::norm}) {}
  Objective<double> objective() const {
    return deblur_objective<double>(*blur_, fidelity_, prior_, kMu);
  }

 private:
  std::unique_ptr<BlurOperator<double>> blur_;
  FidelityTerm<double> fidelity_;
  PriorTerm<double> prior_;
};

// How one optimiser went on one objective.
struct Solution {
  std::string name;
  Image<double> x;
  MinimiseResult result;
  Way way;
};

enum class Solver { newton_cg, lbfgs };

Solution solve(const std::string& name, Solver solver, const Objective<double>& objective,
               const Image<double>& start) {
  Solution solution{name, Image<double>(start.view()), {}, Way(name)};
  const auto settle = [&](auto options) {
    options.max_iterations = 1000;
    options.change_tolerance = 1e-9;
    options.callback = solution.way.recorder(start.shape());
    return options;
  };
  solution.result =
      solver == Solver::newton_cg
          ? newton_cg<double>(objective, parameters(solution.x), settle(NewtonCgOptions<double>{}))
          : lbfgs<double>(objective, parameters(solution.x), settle(LbfgsOptions<double>{}));
  return solution;
}

Image<double> random_start(const Shape& shape) {
  Random random(1337);
  Image<double> x(shape);
  for (double& v : parameters(x)) v = random.normal() / 10;
  return x;
}

Panel panel(const Image<double>& image, const std::string& caption, int zoom = kZoom) {
  return picture_panel(grey(image, 0, 1).view(), encode_png, caption, zoom);
}

// How far the objective is above the least value found, iteration by iteration.
Panel excess_panel(const std::vector<Solution>& solutions) {
  double least = solutions[0].result.value;
  for (const Solution& s : solutions) least = std::min(least, s.result.value);
  std::vector<Curve> curves;
  for (const Solution& s : solutions) {
    curves.push_back(s.way.values);
    for (double& value : curves.back().y) value -= least;
  }
  Axes axes{"iteration", "objective - least"};
  axes.log_y = true;
  return curve_panel(curves, axes, "The same above the least value found.");
}

Rows solution_rows(const std::vector<Solution>& solutions, const Image<double>& sharp) {
  Rows rows{{"", "objective", "PSNR, dB", "iterations", "evaluations", "Hessian products", "ms"}};
  for (const Solution& s : solutions) {
    rows.push_back({s.name, number(s.result.value, 10), number(psnr(s.x, sharp), 5),
                    std::to_string(s.result.iterations), std::to_string(s.result.evaluations),
                    std::to_string(s.result.products), number(1e3 * s.result.seconds, 3)});
  }
  return rows;
}

void document_chapter(Page& page, Outcomes& outcomes, const DeblurringProblem& problem,
                      const std::string& out) {
  const Shape& shape = problem.sharp.shape();
  const Image<double> start = random_start(shape);
  const auto typed = objective<double>(typed_objective(problem), shape);
  const BuiltIn built_in(problem.blurred, problem.psf);
  std::vector<Solution> solutions;
  solutions.push_back(solve("Newton-CG", Solver::newton_cg, typed, start));
  solutions.push_back(solve("L-BFGS", Solver::lbfgs, typed, start));
  const Panel values =
      loss_panel({solutions[0].way.values, solutions[1].way.values}, "The objective.");
  const Panel excess = excess_panel(solutions);
  solutions.push_back(solve("Newton-CG, built in", Solver::newton_cg, built_in.objective(), start));
  solutions.push_back(solve("L-BFGS, built in", Solver::lbfgs, built_in.objective(), start));

  page.section("The document's problem");
  page.paragraph(
      "A photograph is blurred by a known point-spread function, wider than high. The sharp image "
      "is what minimises the misfit of its blur, plus 0.2 times the size of its differences "
      "between neighbours. Only this value is typed; gradient and Hessian products come by "
      "automatic differentiation, in double:");
  page.code(kTyped);
  page.figure({panel(problem.sharp, "Original."),
               panel(problem.blurred,
                     "Blurred, " + number(psnr(problem.blurred, problem.sharp), 5) + " dB."),
               panel(solutions[0].x,
                     "Deblurred, " + number(psnr(solutions[0].x, problem.sharp), 5) + " dB.")});
  page.paragraph(
      "Both optimisers start from noise and find the same minimum. The library also has this "
      "objective built in, its derivatives written by hand.");
  page.table(solution_rows(solutions, problem.sharp));
  page.figure({values, excess});
  save_png(out + "/deblurred.png", montage({grey(problem.sharp, 0, 1), grey(problem.blurred, 0, 1),
                                            grey(solutions[0].x, 0, 1)},
                                           3));
  // The reference's: image, point-spread function and blur are its own to the last digits.
  outcomes.near("PSNR of the blurred image, dB", kBlurredPsnr, 1e-6,
                psnr(problem.blurred, problem.sharp));
  for (const Solution& s : solutions) {
    outcomes.at_most(s.name + ": objective", kObjective, s.result.value);
    outcomes.near(s.name + ": PSNR, dB", kPsnr, 0.002, psnr(s.x, problem.sharp));
  }
}

// The part of a picture that a frame `edge` pixels narrower on each side shows.
View<const double> inside(const Image<double>& image, Index edge) {
  View<const double> view = image.view();
  view.data += edge * view.y_stride() + edge * view.x_stride();
  view.shape[2] -= 2 * edge;
  view.shape[3] -= 2 * edge;
  return view;
}

void frame_chapter(Page& page, Outcomes& outcomes, const DeblurringProblem& problem,
                   const std::string& out) {
  constexpr Index kEdge = 20;
  constexpr double kNoise = 0.005;
  const Image<double> sharp(inside(problem.sharp, kEdge));
  Image<double> seen(inside(problem.blurred, kEdge));
  Random random(1);
  for (double& v : parameters(seen)) v += kNoise * random.normal();
  const Image<double> start = random_start(seen.shape());
  const Solution zeros =
      solve("as the document does", Solver::lbfgs, BuiltIn(seen, problem.psf).objective(), start);
  const auto found = deblur<double>(*psf_operator<double>(seen.shape(), problem.psf), seen);

  page.section("A photograph as it comes");
  page.paragraph(
      "A camera's frame does not end in black: light from beyond it is blurred into it. And there "
      "is noise, here of 0.5 % of white. deblur() knows only the point-spread function. It "
      "estimates the noise and a margin of scene around the frame, takes a prior that keeps edges, "
      "and chooses that prior's weight by itself:");
  std::string why;
  for (const std::string& sentence : found.why) why += sentence + "\n";
  page.code(why);
  page.figure(
      {panel(seen, "The frame, " + number(psnr(seen, sharp), 4) + " dB.", 1),
       panel(zeros.x,
             "By the document's objective, " + number(psnr(zeros.x, sharp), 4) +
                 " dB: zeros beyond the frame ring.",
             1),
       panel(found.image, "By deblur(), " + number(psnr(found.image, sharp), 4) + " dB.", 1)});
  save_png(out + "/frame.png", montage({grey(seen, 0, 1), grey(found.image, 0, 1)}, 2));
  outcomes.tell("frame: PSNR blurred and noisy, dB", psnr(seen, sharp));
  outcomes.tell("frame: PSNR by the document's objective, dB", psnr(zeros.x, sharp));
  outcomes.tell("frame: PSNR by deblur(), dB", psnr(found.image, sharp));
  outcomes.at_least("frame: PSNR gained by deblur(), dB", 4,
                    psnr(found.image, sharp) - psnr(seen, sharp));
}

void study(Page& page, Outcomes& outcomes, const std::string& out, bool quick) {
  const Image<double> photograph = grey_photograph("examples/images/astronaut.png");
  const DeblurringProblem small(a_third(photograph));
  document_chapter(page, outcomes, small, out);
  if (quick) return frame_chapter(page, outcomes, small, out);
  frame_chapter(page, outcomes, DeblurringProblem(Image<double>(photograph.view())), out);
}

}  // namespace

int main(int argc, char** argv) {
  return run_study(argc, argv, "image_deblurring",
                   Page("Image deblurring by optimisation",
                        "The objective typed by its value alone, minimised by Newton-CG and by "
                        "L-BFGS; and a photograph deblurred with nothing but its blur known."),
                   study);
}
