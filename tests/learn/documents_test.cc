// SPDX-License-Identifier: BSD-3-Clause
// The recoveries of documents 000, 001 and 002 on the originals' own inputs: oned.npz and
// recover.npz hold signals, targets, every loss on the originals' way, and parameters.
#include <gtest/gtest.h>

#include "blurfield/autodiff/blur.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/objective.h"
#include "blurfield/learn/estimate.h"
#include "blurfield/ops/covariance.h"
#include "blurfield/ops/uniform_blur.h"
#include "blurfield/optim/adamax.h"
#include "blurfield/optim/gradient_descent.h"
#include "blurfield/optim/lbfgs.h"
#include "tests/support/images.h"
#include "tests/support/npz.h"

namespace blurfield {
namespace {

using Loss = std::function<Var<double>(const Var<double>&)>;

struct Recording {
  std::vector<double> losses;  // of every iterate, the start's first
  Image<double> parameters;
};

// The originals' optimiser, from 0.
Recording run_adamax(const Loss& loss, const Shape& shape, int iterations) {
  Recording run{{}, Image<double>(shape)};
  AdamaxOptions<double> options;
  options.rate = 0.1;
  options.max_iterations = iterations;
  options.callback = [&](const Iterate<double>& iterate) {
    run.losses.push_back(iterate.value);
    return true;
  };
  adamax<double>(objective<double>(loss, shape),
                 {run.parameters.data(), static_cast<std::size_t>(shape.elements())}, options);
  return run;
}

void expect_losses(const std::vector<double>& got, const test::Array& expected) {
  ASSERT_EQ(got.size(), expected.values.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], expected.values[i], 1e-6 * expected.values[i]) << "iteration " << i;
  }
}

double least(const std::vector<double>& values) { return *std::ranges::min_element(values); }

// Document 002: one sigma, 1-D.

BlurOptions scale_options(double sigma) {
  BlurOptions options;
  options.extension.mode = Mode::constant;
  options.radius = {std::max(1, static_cast<int>(std::ceil(3 * sigma)))};
  return options;
}

TEST(LearnScale1d, TakesTheOriginalsWay) {
  const test::Npz data("oned.npz");
  const auto x = data["oned/x"].image<double>({1, 1, 100});
  const auto target = data["oned/xf"].image<double>({1, 1, 100});
  const auto loss = [&](const Var<double>& s) {
    const Var<double> sigma = soft_maximum(s);
    const auto blurred = uniform_blur(borrow(x), sigma, scale_options(sigma.item()));
    return 0.5 * sum(square(blurred - borrow(target)));
  };
  for (std::size_t i = 0; i < data["oned/s"].values.size(); ++i) {
    const auto at = value_and_grad(loss, Var<double>(data["oned/s"].values[i]));
    EXPECT_NEAR(at.value, data["oned/loss"].values[i], 1e-11);
    EXPECT_NEAR(at.gradient[0].data()[0], data["oned/dloss_ds"].values[i], 1e-11);
  }
  std::vector<double> s{0.0};
  const auto& expected = data["oned/gd_trace_s_loss"].values;  // s and loss of iterates 0 to 99
  GradientDescentOptions<double> options;
  options.rate = 0.1;
  options.max_iterations = 100;
  options.callback = [&](const Iterate<double>& iterate) {
    const auto row = static_cast<std::size_t>(2 * iterate.iteration);
    if (row == expected.size()) return true;
    EXPECT_NEAR(iterate.x[0], expected.at(row), 1e-9);
    EXPECT_NEAR(iterate.value, expected.at(row + 1), 1e-9);
    return true;
  };
  gradient_descent<double>(objective<double>(loss, {1}), s, options);
  EXPECT_NEAR(soft_maximum(s[0]), data["oned/final_sigma"].number(), 1e-9);
  EXPECT_NEAR(soft_maximum(s[0]), 3.0, 0.01);
}

// Document 001: the weight between two blurs, of sigma 3 and 9.

Image<double> two_sigmas() {
  Image<double> sigmas({2});
  sigmas.data()[0] = 3.0;
  sigmas.data()[1] = 9.0;
  return sigmas;
}

struct MixTask {
  explicit MixTask(const std::string& name) : target(data["mixes/" + name].image<double>()) {
    options.extension.mode = Mode::constant;
    options.radius = {6, 18};
    std::array<Image<double>*, 2> both{&sharper, &blurrier};
    for (std::size_t i = 0; i < 2; ++i) {
      BlurOptions own = options;
      own.radius = {options.radius[i]};
      *both[i] = uniform_blur<double>(x, {&sigmas.data()[i], 1}, own);
    }
  }
  Var<double> loss(const Var<double>& weight) const {
    return mean(square(mix(borrow(x), borrow(sigmas), weight, options) - borrow(target)));
  }
  // The weights between 0 and 1 of least loss, which is quadratic in them: those of single pixels,
  // or the one for all.
  Image<double> best(const Shape& shape) const {
    Image<double> up(shape);
    Image<double> down(shape);
    for (Index i = 0; i < x.elements(); ++i) {
      const double d = sharper.data()[i] - blurrier.data()[i];
      up.data()[i % shape.elements()] += d * (target.data()[i] - blurrier.data()[i]);
      down.data()[i % shape.elements()] += d * d;
    }
    for (Index i = 0; i < shape.elements(); ++i) {
      up.data()[i] = std::clamp(up.data()[i] / down.data()[i], 0.0, 1.0);
    }
    return up;
  }
  // L-BFGS on the weights themselves, within 0 and 1, from 1/2.
  Image<double> by_lbfgs(const Shape& shape) const {
    auto weights = test::constant_image<double>(shape, 0.5);
    const auto count = static_cast<std::size_t>(shape.elements());
    const std::vector<double> lower(count, 0.0);
    const std::vector<double> upper(count, 1.0);
    LbfgsOptions<double> settings;
    settings.max_iterations = 200;
    settings.bounds = {lower, upper};
    lbfgs<double>(objective<double>([&](const Var<double>& m) { return loss(m); }, shape),
                  {weights.data(), count}, settings);
    return weights;
  }
  test::Npz data{"recover.npz"};
  Image<double> x{data["mixes/x"].image<double>()};
  Image<double> target;
  Image<double> sigmas{two_sigmas()};
  BlurOptions options;
  Image<double> sharper;
  Image<double> blurrier;
};

TEST(MixMinMax, OneWeightTakesTheOriginalsWay) {
  const MixTask task("global");
  const Loss loss = [&](const Var<double>& s) { return task.loss(sigmoid(s)); };
  const Recording run = run_adamax(loss, {1, 1, 1, 1}, 1000);
  expect_losses(run.losses, task.data["mix_global/loss_trace"]);
  EXPECT_NEAR(run.parameters.data()[0], task.data["mix_global/param_after_1000"].number(), 1e-6);
}

TEST(MixMinMax, WeightsPerPixelTakeTheOriginalsWay) {
  const MixTask task("local");
  const Loss loss = [&](const Var<double>& s) { return task.loss(sigmoid(s)); };
  const Recording run = run_adamax(loss, task.x.shape(), 1000);
  expect_losses(run.losses, task.data["mix_local/loss_trace"]);
}

// The best weight of the one target is 1, at the bound; of the other within.
TEST(MixMinMax, OneWeightReachesTheMinimum) {
  const Shape one{1, 1, 1, 1};
  for (const std::string name : {"global", "local"}) {
    const MixTask task(name);
    const Image<double> best = task.best(one);
    EXPECT_NEAR(task.by_lbfgs(one).data()[0], best.data()[0], 1e-8) << name;
    EstimateOptions options;
    options.model = BlurModel::mix;
    options.scalar_weight = true;
    options.sigmas = {3.0, 9.0};
    static_cast<BlurOptions&>(options.blur) = task.options;
    options.tolerance = 1e-12;
    const auto found = estimate<double>(task.x, task.target, options);
    EXPECT_NEAR(found.loss, task.loss(borrow(best)).item(), 1e-8) << name;
  }
}

TEST(MixMinMax, WeightsPerPixelReachTheMinimum) {
  const MixTask task("local");
  const double best = task.loss(borrow(task.best(task.x.shape()))).item();
  const double original = least(task.data["mix_local/loss_trace"].values);
  EXPECT_LT(best, original);
  EXPECT_NEAR(task.loss(borrow(task.by_lbfgs(task.x.shape()))).item(), best, 1e-3 * best);
  EstimateOptions options;
  options.model = BlurModel::mix;
  options.sigmas = {3.0, 9.0};
  options.prior = FieldPrior::none;
  static_cast<BlurOptions&>(options.blur) = task.options;
  const auto found = estimate<double>(task.x, task.target, options);
  EXPECT_NEAR(found.loss, best, 1e-2 * best);
  EXPECT_LT(found.loss, original);
}

// Document 000: a Gaussian for every pixel, by log-Cholesky parameters or log sigma.

struct Recovery {
  std::string name;
  std::string target;
  Index channels;
  int radius;  // of the kernels that the target was made with
};
void PrintTo(const Recovery& recovery, std::ostream* out) { *out << recovery.name; }

class LocalFiltering : public ::testing::TestWithParam<Recovery> {
 protected:
  Shape shape() const { return {1, GetParam().channels, 32, 32}; }
  const test::Array& original(const std::string& what) const {
    return data_[GetParam().name + "/" + what];
  }
  // The originals' one radius per axis for all pixels, ceil(2 max sigma).
  AdaptiveBlurOptions common_radius(const View<const double>& field) const {
    const Index pixels = x_.elements();
    std::array<double, 2> most{};
    for (Index i = 0; i < pixels; ++i) {
      const double* const at = field.data + i;
      const auto sigma = field.channels() == 1
                             ? std::array{at[0], at[0]}
                             : logchol_to_sigma({at[0], at[pixels], at[2 * pixels]});
      for (std::size_t axis = 0; axis < 2; ++axis) most[axis] = std::max(most[axis], sigma[axis]);
    }
    AdaptiveBlurOptions options;
    options.extension.mode = Mode::constant;
    for (double sigma : most) options.radius.push_back(static_cast<int>(std::ceil(2 * sigma)));
    return options;
  }
  Loss loss() const {
    return [this](const Var<double>& s) {
      const Var<double> field = GetParam().channels == 1 ? exp(s) : s;
      const auto blurred = adaptive_blur(borrow(x_), field, common_radius(field.value()));
      return mean(square(blurred - borrow(target_)));
    };
  }
  // 12 iterations of Gauss-Newton on each pixel by itself.
  double by_gauss_newton(const View<const double>& start) const {
    EstimateOptions options;
    options.model = GetParam().channels == 1 ? BlurModel::sigma : BlurModel::logchol;
    options.blur.extension.mode = Mode::constant;
    options.blur.radius = {GetParam().radius};
    options.prior = FieldPrior::none;
    options.noise = 1.0;
    options.tolerance = 0.0;
    options.max_iterations = 12;
    const auto found = estimate<double>(x_, target_, options, {}, start);
    EXPECT_LE(found.result.iterations, 12);
    return found.loss;
  }
  test::Npz data_{"recover.npz"};
  Image<double> x_{data_["fields/x"].image<double>()};
  Image<double> target_{data_["fields/" + GetParam().target].image<double>()};
};

TEST_P(LocalFiltering, TakesTheOriginalsWay) {
  const Recording run = run_adamax(loss(), shape(), 100);
  expect_losses(run.losses, original("loss_trace"));
  // Pixel by pixel there, with y upwards.
  const Index pixels = x_.elements();
  const Index channels = GetParam().channels;
  for (Index i = 0; i < pixels * channels; ++i) {
    const Index k = i % channels;
    const double sign = k == 1 ? -1.0 : 1.0;
    EXPECT_NEAR(run.parameters.data()[k * pixels + i / channels],
                sign * original("param_after_100").values[static_cast<std::size_t>(i)], 1e-6);
  }
}

TEST_P(LocalFiltering, GaussNewtonIsLowerAfterTwelveIterations) {
  const double adamax = least(original("loss_trace").values);
  EXPECT_LT(by_gauss_newton({}), adamax);
  // From where the originals start: sigma 1 everywhere.
  EXPECT_LT(
      by_gauss_newton(test::constant_image<double>(shape(), GetParam().channels == 1 ? 1.0 : 0.0)),
      adamax);
}

INSTANTIATE_TEST_SUITE_P(Recoveries, LocalFiltering,
                         ::testing::Values(Recovery{"full", "full", 3, 5},
                                           Recovery{"sphere", "sphere", 1, 4},
                                           Recovery{"full_for_sphere", "sphere", 3, 4}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace blurfield
