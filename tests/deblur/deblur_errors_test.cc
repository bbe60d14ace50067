// SPDX-License-Identifier: BSD-3-Clause
// What deblur() refuses, and what it must survive.
#include <gmock/gmock.h>

#include "blurfield/deblur/deblur.h"
#include "blurfield/deblur/psf.h"
#include "tests/support/blur_operators.h"

namespace blurfield {
namespace {

using ::testing::HasSubstr;

const Shape kFrame{1, 2, 20, 23};

struct Asked {
  Image<double> y = test::random_field<double>(kFrame, 0.1, 1.0, 1);
  DeblurOptions<double> options;
  Image<double> weight;
  Image<double> start;
};

// The error of deblurring what `change` makes of a good request; empty: none.
template <class Change>
std::string error_of(const Change& change, bool uniform = true) {
  const auto field = test::constant_image<double>({1, 1, 20, 23}, 1.2);
  const auto blur = uniform ? psf_operator<double>(kFrame, gaussian_psf(1.2))
                            : adaptive_operator<double>(kFrame, field);
  Asked asked;
  asked.options.max_iterations = 2;
  change(asked);
  const auto view = [](const Image<double>& image) {
    return image.empty() ? View<const double>{} : image.view();
  };
  return test::error_of([&] {
    deblur<double>(*blur, asked.y, asked.options, view(asked.weight), view(asked.start));
  });
}

TEST(DeblurErrors, NameOptionsOutOfRange) {
  using Options = DeblurOptions<double>;
  const auto error = [](const auto& change) {
    return error_of([&](Asked& asked) { change(asked.options); });
  };
  EXPECT_EQ(error([](Options&) {}), "");
  EXPECT_EQ(error([](Options& o) { o.lambda = -1; }), "deblur: expected lambda >= 0, got -1");
  EXPECT_EQ(error([](Options& o) { o.noise = 0; }), "deblur: expected noise > 0, got 0");
  EXPECT_EQ(error([](Options& o) { o.noise = NAN; }), "deblur: expected noise > 0, got nan");
  EXPECT_EQ(error([](Options& o) { o.least_noise = -1; }),
            "deblur: expected least_noise >= 0, got -1");
  EXPECT_EQ(error([](Options& o) { o.prior_scale = 0; }),
            "deblur: expected prior_scale > 0, got 0");
  EXPECT_EQ(error([](Options& o) { o.tolerance = -1; }), "deblur: expected tolerance >= 0, got -1");
  EXPECT_EQ(error([](Options& o) { o.max_iterations = -1; }),
            "deblur: expected max_iterations >= 0, got -1");
  EXPECT_EQ(error([](Options& o) { o.max_seconds = 0; }),
            "deblur: expected max_seconds > 0, got 0");
  EXPECT_EQ(error([](Options& o) { o.lower = o.upper = 1; }),
            "deblur: expected lower < upper, got 1 and 1");
  EXPECT_THAT(error([](Options& o) { o.lower = NAN; }), HasSubstr("lower bounds that are numbers"));
  EXPECT_THAT(error([](Options& o) { o.fidelity.threshold = 0; }), HasSubstr("threshold > 0"));
  EXPECT_THAT(error([](Options& o) {
                o.fidelity.kind = Fidelity::poisson;
                o.fidelity.gain = -1;
              }),
              HasSubstr("gain > 0, got -1"));
}

TEST(DeblurErrors, NameContradictions) {
  const auto error = [](DeblurMethod method, const auto& change, bool uniform = true) {
    return error_of(
        [&](Asked& asked) {
          asked.options.method = method;
          change(asked);
        },
        uniform);
  };
  const auto nothing = [](Asked&) {};
  for (DeblurMethod closed : {DeblurMethod::wiener, DeblurMethod::tikhonov}) {
    const auto name = message("deblur: ", deblur_method_name(closed));
    EXPECT_EQ(error(closed, nothing), "");
    EXPECT_EQ(error(closed, nothing, false), name + " needs the same blur everywhere");
    EXPECT_EQ(error(closed, [](Asked& a) { a.options.fidelity.kind = Fidelity::huber; }),
              name + " needs gaussian fidelity");
    EXPECT_EQ(error(closed, [](Asked& a) { a.options.lower = 0; }), name + " knows no bounds");
    EXPECT_EQ(error(closed, [](Asked& a) { a.weight = test::constant_image<double>(kFrame, 1.0); }),
              name + " knows no weights");
    EXPECT_EQ(error(closed, [](Asked& a) { a.options.rule = LambdaRule::gcv; }), "");
    EXPECT_EQ(error(closed, [](Asked& a) { a.options.rule = LambdaRule::sure; }),
              name + " chooses lambda by gcv");
  }
  const DeblurMethod rl = DeblurMethod::richardson_lucy;
  EXPECT_EQ(error(rl, [](Asked& a) { a.options.lower = 0; }), "");
  EXPECT_EQ(error(rl, [](Asked& a) { a.options.upper = 1; }), "deblur: rl knows no upper bound");
  EXPECT_EQ(error(rl, [](Asked& a) { a.options.lower = 0.1; }),
            "deblur: rl knows no lower bound but 0");
  for (Fidelity fidelity : {Fidelity::huber, Fidelity::norm}) {
    EXPECT_EQ(error(rl, [&](Asked& a) { a.options.fidelity.kind = fidelity; }),
              message("deblur: rl is for poisson fidelity, got ", fidelity_name(fidelity)));
  }
  EXPECT_EQ(error(DeblurMethod::newton_cg, [](Asked& a) { a.options.lower = 0; }),
            "deblur: newton-cg knows no bounds");
  const DeblurMethod tv = DeblurMethod::primal_dual;
  for (Prior prior : {Prior::tv, Prior::huber_tv, Prior::hessian, Prior::none}) {
    EXPECT_EQ(error(tv, [&](Asked& a) { a.options.prior.kind = prior; }), "");
  }
  for (Prior prior : {Prior::tv2, Prior::gradient, Prior::tikhonov, Prior::norm}) {
    EXPECT_EQ(error(tv, [&](Asked& a) { a.options.prior.kind = prior; }),
              message("deblur: tv takes the priors tv, huber-tv, hessian and none, got ",
                      prior_name(prior)));
  }
  const auto norm_misfit = [](Asked& a) { a.options.fidelity.kind = Fidelity::norm; };
  const auto norm_prior = [](Asked& a) { a.options.prior.kind = Prior::norm; };
  EXPECT_EQ(error(tv, norm_misfit), "deblur: tv takes gaussian, huber or poisson fidelity");
  for (const auto& change :
       {std::function<void(Asked&)>(norm_misfit), std::function<void(Asked&)>(norm_prior)}) {
    EXPECT_EQ(error(DeblurMethod::fista, change),
              "deblur: fista needs bounded curvature, which a norm has not");
    for (DeblurMethod method :
         {DeblurMethod::automatic, DeblurMethod::lbfgs, DeblurMethod::newton_cg}) {
      EXPECT_EQ(error(method, change), "deblur: a norm needs a lambda");
      EXPECT_EQ(error(method,
                      [&](Asked& a) {
                        change(a);
                        a.options.lambda = 0.01;
                      }),
                "");
    }
  }
}

TEST(DeblurErrors, NameWrongImages) {
  EXPECT_THAT(error_of([](Asked& a) {
                a.y = Image<double>({1, 2, 20, 22});
              }),
              HasSubstr("deblur: expected image shaped (1, 2, 20, 23), got (1, 2, 20, 22)"));
  EXPECT_THAT(error_of([](Asked& a) { a.y.data()[25] = NAN; }),
              HasSubstr("deblur: expected finite pixels in image, got nan at (0, 0, 1, 2)"));
  for (const Shape& shape : {Shape{1, 3, 20, 23}, Shape{2, 2, 20, 23}, Shape{1, 1, 20, 22}}) {
    EXPECT_EQ(error_of([&](Asked& a) { a.weight = Image<double>(shape); }),
              message("deblur: expected a weight (N or 1, C or 1, H, W) of the image (1, 2, 20, "
                      "23), got ",
                      shape.text()));
  }
  const auto weighted = [](double one, double rest) {
    return error_of([&](Asked& a) {
      a.weight = test::constant_image<double>({1, 1, 20, 23}, rest);
      a.weight.data()[25] = one;
    });
  };
  EXPECT_EQ(weighted(1, 1), "");
  EXPECT_EQ(weighted(-1, 1), "deblur: expected weights >= 0, got -1 at (0, 0, 1, 2)");
  EXPECT_THAT(weighted(NAN, 1), HasSubstr("weight"));
  EXPECT_EQ(weighted(0, 0), "deblur: expected pixels of weight > 0, got none");
  EXPECT_EQ(error_of([](Asked& a) {
              a.weight = test::constant_image<double>({1, 1, 20, 23}, 1);
              a.y.data()[25] = INFINITY;
            }),
            "deblur: expected finite pixels where the weight is not 0, got inf at (0, 0, 1, 2)");
  EXPECT_THAT(error_of([](Asked& a) { a.start = Image<double>(kFrame); }), HasSubstr("start"));
  EXPECT_THAT(error_of([](Asked& a) {
                a.start = Image<double>({1, 2, 30, 33});
                a.start.data()[0] = NAN;
              }),
              HasSubstr("finite pixels in start"));
  EXPECT_EQ(error_of([](Asked& a) {
              a.options.fidelity = {.kind = Fidelity::poisson, .gain = 0, .offset = 2};
              a.y = test::constant_image<double>(kFrame, 1.5);
            }),
            "deblur: expected a frame brighter than its offset 2 on average, got 1.5");
}

template <class T>
class DeblurOf : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(DeblurOf, Types);

// Non-negative images that strain a method: dark, flat, a bright pixel, noise, an edge.
template <class T>
Image<T> straining(int kind, const Shape& shape, double scale) {
  if (kind == 0) return Image<T>(shape);
  if (kind == 1) return test::constant_image<T>(shape, scale);
  if (kind == 2) return test::random_field<T>(shape, 0.0, scale, 3);
  Image<T> image(shape);
  const Index width = shape[3];
  for (Index i = 0; i < shape.elements(); ++i) {
    const bool bright = kind == 3 ? i == shape.elements() / 2 : i % width > width / 2;
    image.data()[i] = bright ? static_cast<T>(scale) : T{0};
  }
  return image;
}

template <class T>
void expect_numbers(const BlurOperator<T>& blur, const Image<T>& y,
                    const DeblurOptions<T>& options) {
  const auto found = deblur<T>(blur, y, options);
  EXPECT_TRUE(std::all_of(found.image.data(), found.image.data() + found.image.elements(),
                          [](T v) { return std::isfinite(v); }));
  for (double value : {found.residual, found.noise, found.lambda, found.prior_scale, found.freedom,
                       found.result.value}) {
    EXPECT_TRUE(std::isfinite(value));
  }
}

TYPED_TEST(DeblurOf, GivesNumbersForAnyImage) {
  using T = TypeParam;
  const Shape shape{1, 1, 11, 12};
  const auto blur = psf_operator<T>(shape, gaussian_psf(1.0));
  for (double scale : {1.0, 1e-30, 1e20}) {
    if (sizeof(T) == 8 && scale != 1.0) continue;
    for (int kind = 0; kind < 5; ++kind) {
      const Image<T> y = straining<T>(kind, shape, scale);
      DeblurOptions<T> options;
      options.threads = 1;
      options.max_iterations = 3;
      for (DeblurMethod method :
           {DeblurMethod::wiener, DeblurMethod::tikhonov, DeblurMethod::richardson_lucy,
            DeblurMethod::primal_dual, DeblurMethod::fista, DeblurMethod::lbfgs,
            DeblurMethod::newton_cg}) {
        options.method = method;
        options.fidelity = {};
        options.prior.kind = method == DeblurMethod::primal_dual ? Prior::tv : Prior::tv2;
        SCOPED_TRACE(message(deblur_method_name(method), ", ", scale, ", ", kind));
        expect_numbers(*blur, y, options);
        const bool closed = method == DeblurMethod::wiener || method == DeblurMethod::tikhonov;
        if (closed || method == DeblurMethod::richardson_lucy) continue;
        options.fidelity.kind = Fidelity::poisson;
        options.fidelity.gain = 0;
        expect_numbers(*blur, y, options);
        options.fidelity = {.kind = Fidelity::huber};
        options.prior.kind = Prior::hessian;
        expect_numbers(*blur, y, options);
      }
    }
  }
}

// Powers of two change no digit: far from 1 all is done in the image's own units.
TYPED_TEST(DeblurOf, KnowsNoUnitOfBrightness) {
  using T = TypeParam;
  const Shape shape{1, 1, 24, 25};
  const auto blur = psf_operator<T>(shape, gaussian_psf(1.0));
  const Image<T> y = test::random_field<T>(shape, 0.0, 1.0, 3);
  const auto found_at = [&](DeblurOptions<T> options, int exponent) {
    const double unit = std::exp2(exponent);
    Image<T> scaled(shape);
    for (Index i = 0; i < y.elements(); ++i) {
      scaled.data()[i] = static_cast<T>(unit * static_cast<double>(y.data()[i]));
    }
    options.lower = 0.0;
    options.upper = 0.875 * unit;
    options.fidelity.gain = 0.0625 * unit;
    options.fidelity.background = 0.125 * unit;
    std::vector<DeblurStep<T>> told;
    Image<T> last;
    options.callback = [&](const DeblurStep<T>& step) {
      told.push_back(step);
      last = Image<T>(step.image);
      return true;
    };
    auto found = deblur<T>(*blur, scaled, options);
    EXPECT_TRUE(test::same_bits(last, found.image));
    EXPECT_EQ(told.back().lambda, found.trace.back().lambda);
    EXPECT_EQ(told.back().value, found.trace.back().value);
    for (Index i = 0; i < y.elements(); ++i) {
      found.image.data()[i] = static_cast<T>(static_cast<double>(found.image.data()[i]) / unit);
    }
    found.noise /= unit;
    found.prior_scale /= unit;
    return found;
  };
  for (Fidelity fidelity : {Fidelity::gaussian, Fidelity::poisson, Fidelity::norm}) {
    for (Prior prior : {Prior::tv2, Prior::gradient}) {
      SCOPED_TRACE(message(fidelity_name(fidelity), ", ", prior_name(prior)));
      const bool norm = fidelity == Fidelity::norm;
      const int degree = prior == Prior::gradient ? 2 : 1;
      // The weight that an exponent needs for the same balance.
      const auto weight = [&](int exponent) {
        return std::exp2(-exponent * (degree - (norm ? 1 : 0)));
      };
      const auto at = [&](int exponent) {
        DeblurOptions<T> options;
        options.fidelity.kind = fidelity;
        options.prior.kind = prior;
        if (norm) options.lambda = 0.03125 * weight(exponent);
        return found_at(std::move(options), exponent);
      };
      const auto dim = at(-90);
      const auto bright = at(60);
      const auto usual = at(0);
      EXPECT_TRUE(test::same_bits(dim.image, bright.image));
      EXPECT_EQ(dim.noise, bright.noise);
      EXPECT_EQ(dim.prior_scale, bright.prior_scale);
      EXPECT_EQ(dim.residual, bright.residual);
      EXPECT_EQ(dim.lambda / weight(-90), bright.lambda / weight(60));
      // Where L-BFGS stops depends on its first step, which has a unit.
      EXPECT_NEAR(dim.lambda / weight(-90), usual.lambda, 0.1 * usual.lambda);
      EXPECT_LE(test::distance(dim.image, usual.image), 0.1);
      EXPECT_NEAR(dim.residual, usual.residual, 0.05 * usual.residual);
    }
  }
}

}  // namespace
}  // namespace blurfield
