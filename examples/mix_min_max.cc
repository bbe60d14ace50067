// SPDX-License-Identifier: BSD-3-Clause
// A reckless approximation of adaptive blur: mixes of a sharper and a blurrier image, with weights
// that are learned:
//   mix_min_max OUT [--quick]
// Run it in the project's folder. It checks what it claims, writes OUT/index.html and its pictures
// as PNG, and exits with 1 and a message where a claim is not met. --quick measures fewer levels.
#include "blurfield/autodiff/blur.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/slice.h"
#include "blurfield/base/random.h"
#include "blurfield/ops/uniform_blur.h"
#include "blurfield/report/panel.h"
#include "examples/level_errors.h"
#include "examples/study.h"

namespace {

using namespace blurfield;
using namespace blurfield::examples;
using namespace blurfield::report;
using blurfield::io::encode_png;

constexpr MixSigmas kSigmas{3.0, 9.0};
constexpr Index kSide = 64;
constexpr int kZoom = 3;
const Shape kOneWeight{1, 1, 1, 1};
const Shape kWeights{1, 1, kSide, kSide};

// Two sigmas to each side, zeros beyond the border.
BlurOptions blur_options() {
  BlurOptions options;
  options.extension.mode = Mode::constant;
  options.truncate = 2;
  return options;
}

Image<double> blurred(const Image<double>& x, double sigma) {
  return uniform_blur<double>(x, {&sigma, 1}, blur_options());
}

Image<double> mixed(const Image<double>& x, const MixSigmas& sigmas, const Image<double>& weight) {
  Image<double> out(x.shape());
  mix<double>(x, sigmas, weight, out, blur_options());
  return out;
}

Image<double> constant_image(const Shape& shape, double value) {
  Image<double> image(shape);
  std::fill_n(image.data(), image.elements(), value);
  return image;
}

Image<double> noise_image() {
  Random random(1337);
  Image<double> x(kWeights);
  for (double& v : parameters(x)) v = random.normal();
  return x;
}

Image<double> sigmoid_of(const Image<double>& s) {
  Image<double> m(s.shape());
  std::transform(s.data(), s.data() + s.elements(), m.data(),
                 [](double v) { return 1 / (1 + std::exp(-v)); });
  return m;
}

// What is learned: weights between the two blurs of x that come closest to the target.
struct Task {
  const Image<double>& x;
  Image<double> target;
  Image<double> sigmas{Image<double>({2})};

  Task(const Image<double>& signal, Image<double>&& wanted) : x(signal), target(std::move(wanted)) {
    std::copy(kSigmas.begin(), kSigmas.end(), sigmas.data());
  }
  Var<double> loss(const Var<double>& weight) const {
    const auto out = mix(borrow(x), borrow(sigmas), weight, blur_options());
    return mean(square(out - borrow(target)));
  }
  // The loss by a parameter of any real value.
  auto loss_by_sigmoid() const {
    return [this](const Var<double>& s) { return loss(sigmoid(s)); };
  }
  double value(const Image<double>& weight) const { return loss(borrow(weight)).item(); }
};

// The loss is quadratic in the weights, so its minimum is known: <target - B, A - B> / |A - B|^2
// within 0..1, of the sharper A and the blurrier B, over all pixels or for each.
Image<double> best_weights(const Task& task, const Shape& shape) {
  const Image<double> a = blurred(task.x, kSigmas[0]);
  const Image<double> b = blurred(task.x, kSigmas[1]);
  Image<double> best(shape);
  Image<double> size(shape);
  for (Index i = 0; i < a.elements(); ++i) {
    const Index at = i % shape.elements();
    const double d = a.data()[i] - b.data()[i];
    best.data()[at] += d * (task.target.data()[i] - b.data()[i]);
    size.data()[at] += d * d;
  }
  for (Index i = 0; i < shape.elements(); ++i) {
    best.data()[i] = std::clamp(best.data()[i] / size.data()[i], 0.0, 1.0);
  }
  return best;
}

// L-BFGS on the weights themselves, held within 0..1.
Image<double> weights_by_lbfgs(const Task& task, const Shape& shape, Way& way) {
  Image<double> weights = constant_image(shape, 0.5);
  const std::vector<double> lower(parameters(weights).size(), 0.0);
  const std::vector<double> upper(parameters(weights).size(), 1.0);
  run_lbfgs([&](const Var<double>& m) { return task.loss(m); }, weights, 200, way, {lower, upper});
  return weights;
}

// Pictures that can be compared: all of one range.
class Pictures {
 public:
  explicit Pictures(const Image<double>& reference)
      : low_(*std::min_element(reference.data(), reference.data() + reference.elements())),
        high_(*std::max_element(reference.data(), reference.data() + reference.elements())) {}
  Image<float> of(const Image<double>& image) const { return grey(image, low_, high_); }
  void add(const Image<double>& image, const std::string& caption) {
    panels_.push_back(picture_panel(of(image).view(), encode_png, caption, kZoom));
  }
  const std::vector<Panel>& panels() const { return panels_; }

 private:
  double low_;
  double high_;
  std::vector<Panel> panels_;
};

void rough_chapter(Page& page, Outcomes& outcomes, const Image<double>& x, const std::string& out) {
  page.section("How rough it is");
  const Image<double> exact = blurred(x, 3);
  const Image<double> rough = mixed(x, {1, 5}, constant_image(kOneWeight, 0.5));
  page.paragraph(
      "The even mix of blurs of sigma 1 and 5 is not the blur of sigma 3: the high frequencies of "
      "the sharper one come through.");
  Pictures pictures(rough);
  pictures.add(x, "The signal.");
  pictures.add(exact, "Sigma 3.");
  pictures.add(rough, "Half of sigma 1, half of sigma 5.");
  page.figure(pictures.panels());
  const auto left = magnify(pictures.of(exact), 4);
  const auto right = magnify(pictures.of(rough), 4);
  save_png(out + "/rough.png", montage({left, right}, 2));
  outcomes.tell("mean squared difference of the even mix from sigma 3", mean_square(exact, rough));
  outcomes.tell("mean square of the blur of sigma 3",
                mean_square(exact, Image<double>(exact.shape())));
}

// Iterations of Adamax as pictures.
std::vector<Panel> recovery_panels(const Task& task, const Way& way) {
  Pictures pictures(task.target);
  pictures.add(task.target, "The target.");
  for (std::size_t i = 0; i < way.kept.size(); ++i) {
    pictures.add(mixed(task.x, kSigmas, sigmoid_of(way.kept[i])),
                 message("Iteration ", way.kept_at[i], "."));
  }
  return pictures.panels();
}

// One weight for the whole image, by the document's way and by two that reach the minimum.
void one_weight(Page& page, Outcomes& outcomes, const Task& task, const std::string& target) {
  const Image<double> best = best_weights(task, kOneWeight);
  const double least = task.value(best);
  Image<double> s(kOneWeight);
  Way by_adamax("Adamax", {0, 4, 16, 1000});
  run_adamax(task.loss_by_sigmoid(), s, 1000, by_adamax);
  Way by_lbfgs("L-BFGS");
  const Image<double> weight = weights_by_lbfgs(task, kOneWeight, by_lbfgs);
  page.paragraph("The target: " + target + ".");
  page.figure(recovery_panels(task, by_adamax));
  page.figure({loss_panel({by_adamax.values, by_lbfgs.values}, "The loss.")});
  const double m = sigmoid_of(s).data()[0];
  outcomes.tell(target + ": weight after 1000 iterations of Adamax", m);
  outcomes.tell(target + ": sigma by that weight", m * kSigmas[0] + (1 - m) * kSigmas[1]);
  outcomes.tell(target + ": loss after them", by_adamax.values.y.back());
  outcomes.near(target + ": weight by L-BFGS", best.data()[0], 1e-8, weight.data()[0]);
  outcomes.at_most(target + ": loss by L-BFGS above the minimum", 1e-8, task.value(weight) - least);
}

void global_chapter(Page& page, Outcomes& outcomes, const Image<double>& x) {
  page.section("One weight");
  page.paragraph(
      "One weight mixes blurs of sigma 3 and 9. It is learned as the sigmoid of a parameter, from "
      "0, by Adamax of rate 0.1. The loss is convex in the weight, which the closed form and a "
      "bounded L-BFGS use.");
  one_weight(page, outcomes, Task(x, blurred(x, 3)), "sigma 3");
  one_weight(page, outcomes, Task(x, blurred(x, 5)), "sigma 5");
}

// 1 in the left half of every row.
Image<double> left_half(Index height) {
  Image<double> mask({1, 1, height, kSide});
  for (Index i = 0; i < mask.elements(); ++i) mask.data()[i] = i % kSide < kSide / 2 ? 1 : 0;
  return mask;
}

Panel weights_panel(const Image<double>& weights, const std::string& caption) {
  return map_panel(magnify(as_float(weights), kZoom), 0, ColourMap::viridis, "", encode_png,
                   caption, Range{0, 1});
}

void local_chapter(Page& page, Outcomes& outcomes, const Image<double>& x, const std::string& out) {
  constexpr double kOriginalMost = 4.9e-5;  // of what the original reaches over seeds
  page.section("A weight for every pixel");
  const Task task(x, mixed(x, {4, 7}, left_half(1)));
  Image<double> s(kWeights);
  Way by_adamax("Adamax", {0, 4, 16, 1000});
  run_adamax(task.loss_by_sigmoid(), s, 1000, by_adamax);
  Way by_lbfgs("L-BFGS");
  const Image<double> weights = weights_by_lbfgs(task, kWeights, by_lbfgs);
  EstimateOptions options;
  options.model = BlurModel::mix;
  options.sigmas = kSigmas;
  options.prior = FieldPrior::none;
  static_cast<BlurOptions&>(options.blur) = blur_options();
  const auto found = estimate<double>(x, task.target, options);
  const Image<double> best = best_weights(task, kWeights);
  page.paragraph(
      "The left half of the target is blurred with sigma 4, the right half with 7. The weights "
      "between 3 and 9 are learned for every pixel: as sigmoids by Adamax, by L-BFGS within 0..1, "
      "and by estimate().");
  page.figure(recovery_panels(task, by_adamax));
  page.figure({weights_panel(sigmoid_of(s), "Weights by Adamax."),
               weights_panel(found.field, "Weights by estimate()."),
               weights_panel(best, "The best there are, in closed form.")});
  page.figure({loss_panel(
      {by_adamax.values, by_lbfgs.values, loss_curve("Gauss-Newton", found.trace)}, "The loss.")});
  const Pictures pictures(task.target);
  const auto wanted = magnify(pictures.of(task.target), 4);
  const auto got = magnify(pictures.of(mixed(x, kSigmas, sigmoid_of(s))), 4);
  save_png(out + "/local.png", montage({wanted, got}, 2));
  const double least = task.value(best);
  outcomes.at_most("weights per pixel: loss after 1000 iterations of Adamax", kOriginalMost,
                   by_adamax.values.y.back());
  outcomes.tell("weights per pixel: the least loss, in closed form", least);
  outcomes.at_most("weights per pixel: loss by L-BFGS over the least", 1.01,
                   task.value(weights) / least);
  outcomes.at_most("weights per pixel: loss by estimate() over the least", 1.01,
                   found.loss / least);
}

// The sigmas are learned too: a weight per column and the logarithms of both sigmas in one vector.
void bounds_chapter(Page& page, Outcomes& outcomes, const Image<double>& x) {
  page.section("The two sigmas learned as well");
  const Image<double> target = mixed(x, {4, 7}, left_half(1));
  const auto loss = [&](const Var<double>& s) {
    const auto weights = sigmoid(slice(s, {0, 0, 0, 0}, {1, 1, 1, kSide}));
    const auto sigmas = exp(slice(s, {0, 0, 0, kSide}, {1, 1, 1, kSide + 2}));
    return mean(square(mix(borrow(x), sigmas, weights, blur_options()) - borrow(target)));
  };
  Image<double> s({1, 1, 1, kSide + 2});
  std::transform(kSigmas.begin(), kSigmas.end(), s.data() + kSide,
                 [](double sigma) { return std::log(sigma); });
  Image<double> start(s.view());
  Way by_adamax("Adamax");
  run_adamax(loss, start, 1000, by_adamax);
  std::vector<double> lower(parameters(s).size(), -12);  // logits, 0 and 1 for all that one sees
  std::vector<double> upper(parameters(s).size(), 12);
  std::fill(lower.end() - 2, lower.end(), std::log(0.5));
  std::fill(upper.end() - 2, upper.end(), std::log(16.0));
  Way by_lbfgs("L-BFGS");
  run_lbfgs(loss, s, 300, by_lbfgs, {lower, upper});
  Curve columns{"weight", {}, {}};
  for (Index i = 0; i < kSide; ++i) {
    columns.x.push_back(static_cast<double>(i));
    columns.y.push_back(sigmoid_of(s).data()[i]);
  }
  page.paragraph(
      "Both blurs can be differentiated by their sigmas. With one weight for each column, weights "
      "and sigmas are learned from 1/2, 3 and 9: the target's own 4 and 7 are found.");
  page.figure({loss_panel({by_adamax.values, by_lbfgs.values}, "The loss."),
               curve_panel({columns}, {"column", "weight"}, "Weights of the columns by L-BFGS.")});
  outcomes.near("sigmas learned: the sharper one", 4, 0.05, std::exp(s.data()[kSide]));
  outcomes.near("sigmas learned: the blurrier one", 7, 0.05, std::exp(s.data()[kSide + 1]));
  outcomes.at_most("sigmas learned: loss by L-BFGS", 1e-6, by_lbfgs.values.y.back());
}

void levels_chapter(Page& page, Outcomes& outcomes, const std::string& out, bool quick) {
  constexpr double kTolerance = 1e-3;
  page.section("More than two levels");
  const Ramp ramp;
  const auto sigmas = mix_level_sigmas(ramp.sigmas.low, ramp.sigmas.high, kTolerance);
  const auto enough = static_cast<int>(sigmas.size());
  const std::vector<Curve> errors = level_errors(ramp, quick ? enough : enough + 5);
  Axes axes{"levels K", "error"};
  axes.log_y = true;
  const Panel plot = curve_panel(errors, axes, "Errors of K levels, the photograph being 0..1.");
  page.paragraph(message(
      "A photograph under a ramp of sigma, from 1 at the left to 9 at the right. mix_levels() "
      "interpolates K uniform blurs by a polynomial in the logarithm of sigma, their sigmas its "
      "Chebyshev nodes. Two levels are reckless; each further one divides the error by about two, "
      "as its bound says, and ",
      enough, " levels keep a tolerance of ", kTolerance, "."));

  const auto levels_of = [&](int count) {
    return stack_blur(ramp.x, ramp.field,
                      mix_level_sigmas(ramp.sigmas.low, ramp.sigmas.high, count), whole_blurs());
  };
  const Image<double> two = levels_of(2);
  const Image<double> four = levels_of(4);
  BlurOptions loose;
  loose.tolerance = kTolerance;
  const Image<double> many = stack_blur(ramp.x, ramp.field, sigmas, loose);
  const auto picture = [](const Image<double>& image, const std::string& caption) {
    return picture_panel(grey(image, 0, 1).view(), encode_png, caption);
  };
  page.figure({picture(ramp.exact, "Exact."), picture(two, "Two levels."),
               picture(four, "Four levels."), picture(many, message(enough, " levels."))});
  const Range shown{0, largest(difference(two, ramp.exact))};
  const auto gap = [&](const Image<double>& got, const std::string& caption) {
    return map_panel(as_float(difference(got, ramp.exact)), 0, ColourMap::viridis, "", encode_png,
                     caption, shown);
  };
  page.figure({gap(two, "Error of two levels."), gap(four, "Error of four levels."),
               gap(many, message("Error of ", enough, " levels."))});
  page.figure({plot});
  save_png(out + "/levels.png",
           montage({grey(ramp.exact, 0, 1), grey(two, 0, 1), grey(many, 0, 1)}, 3));
  save_text(out + "/levels.svg", svg_file(plot));

  const std::vector<double>& worst = errors[1].y;
  outcomes.tell("ramp of sigma: largest error of 2 levels", worst[0]);
  double over = 0;
  for (std::size_t i = 0; i < worst.size(); ++i) over = std::max(over, worst[i] / errors[0].y[i]);
  outcomes.at_most("ramp of sigma: largest error over its bound, of 2 levels and more", 1, over);
  outcomes.at_most(message("ramp of sigma: largest error of ", enough, " levels"), kTolerance / 2,
                   worst[static_cast<std::size_t>(enough - 2)]);
  outcomes.at_most("ramp of sigma: the same, each blur to that tolerance", kTolerance,
                   largest(difference(many, ramp.exact)));
  outcomes.at_most("ramp of sigma: error of 10 levels over that of 5", 0.1, worst[8] / worst[3]);
}

void study(Page& page, Outcomes& outcomes, const std::string& out, bool quick) {
  const Image<double> x = noise_image();
  rough_chapter(page, outcomes, x, out);
  global_chapter(page, outcomes, x);
  local_chapter(page, outcomes, x, out);
  bounds_chapter(page, outcomes, x);
  levels_chapter(page, outcomes, out, quick);
}

}  // namespace

int main(int argc, char** argv) {
  return run_study(argc, argv, "mix_min_max",
                   Page("Adaptive blur by mixing two blurs",
                        "Weights between a sharper and a blurrier image, learned; and what more "
                        "levels than two gain."),
                   study);
}
