// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/covariance.h"

#include "tests/support/derivatives.h"
#include "tests/support/npz.h"

namespace blurfield {
namespace {

using Vector3 = std::array<double, 3>;

const std::array<Logchol, 3> kExamples{{{0.3, -0.8, 0.1}, {-1.2, 0.0, 1.5}, {2.0, 3.0, -2.0}}};

Vector3 step(const Vector3& at, double t, int i) {
  Vector3 moved = at;
  moved[static_cast<std::size_t>(i)] += t;
  return moved;
}

template <class Function, class Jacobian>
void expect_jacobian(const Vector3& at, const Function& f, const Jacobian& jacobian) {
  for (std::size_t out = 0; out < jacobian.size(); ++out) {
    for (int in = 0; in < 3; ++in) {
      test::expect_slope([&](double t) { return f(step(at, t, in))[out]; }, jacobian[out][in],
                         1e-4);
    }
  }
}

TEST(Covariance, MatchesTheReference) {
  const test::Npz data("kernels.npz");
  for (const char* name : {"logchol", "logchol2sigma"}) {
    const auto& params = data[std::string(name) + "/params"].values;
    const auto& sigma = data[std::string(name) + "/sigma"].values;
    for (std::size_t i = 0; i < params.size() / 3; ++i) {
      const Logchol logchol{params[3 * i], params[3 * i + 1], params[3 * i + 2]};
      const Cov cov{sigma[4 * i], sigma[4 * i + 1], sigma[4 * i + 3]};
      const Cov got = logchol_to_cov(logchol);
      const Logchol back = cov_to_logchol(cov);
      const double scale = std::max({1.0, cov[0], cov[2]});
      for (int k = 0; k < 3; ++k) {
        EXPECT_NEAR(got[k], cov[k], 1e-12 * scale);
        EXPECT_NEAR(back[k], logchol[k], 1e-10 * scale);
      }
    }
  }
}

TEST(Covariance, JacobiansMatchDifferences) {
  for (const Logchol& logchol : kExamples) {
    expect_jacobian(
        logchol, [](const Logchol& at) { return logchol_to_cov(at); },
        logchol_to_cov_jacobian(logchol));
    expect_jacobian(logchol, logchol_to_sigma, logchol_to_sigma_jacobian(logchol));
  }
  for (const Cov& cov : {Cov{2, 0.5, 1}, Cov{1, -0.9, 3}}) {
    expect_jacobian(
        cov, [](const Cov& at) { return cov_to_logchol(at); }, cov_to_logchol_jacobian(cov));
  }
  const auto slope = sigma_to_logchol_derivative(2.0, 0.5);
  test::expect_slope([](double t) { return sigma_to_logchol(2.0 + t, 0.5)[0]; }, slope[0]);
  test::expect_slope([](double t) { return sigma_to_logchol(2.0, 0.5 + t)[2]; }, slope[1]);
}

TEST(Covariance, RefusesWhatIsNoCovariance) {
  EXPECT_THROW(cov_to_logchol({1, 1, 1}), Error);
  EXPECT_THROW(cov_to_logchol({-1, 0, 1}), Error);
  EXPECT_THROW(cov_to_logchol({1, NAN, 1}), Error);
  EXPECT_THROW(sigma_to_logchol(0, 1), Error);
}

template <class T>
class CovarianceField : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CovarianceField, Types);

TYPED_TEST(CovarianceField, EveryPixelIsConverted) {
  using T = TypeParam;
  const auto logchol = test::random_image<T>({2, 3, 3, 5}, 1);
  Image<T> cov(logchol.shape());
  Image<T> back(logchol.shape());
  logchol_to_cov<T>(logchol, cov);
  cov_to_logchol<T>(cov, back);
  EXPECT_LT(test::distance(back, logchol), sizeof(T) == 4 ? 1e-3 : 1e-11);
  const View<const T> in = logchol.view();
  const Cov expected =
      logchol_to_cov(Logchol{in.at(1, 0, 2, 4), in.at(1, 1, 2, 4), in.at(1, 2, 2, 4)});
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(cov.view().at(1, i, 2, 4), expected[i], 1e-5 * std::abs(expected[i]));
  }
}

TEST(CovarianceField, DerivativesAreAdjointAndRight) {
  const auto logchol = test::random_image<double>({2, 3, 3, 5}, 1);
  const auto dot = test::random_image<double>(logchol.shape(), 2);
  const auto cotangent = test::random_image<double>(logchol.shape(), 3);
  Image<double> cov(logchol.shape());
  logchol_to_cov<double>(logchol, cov);
  for (bool forwards : {true, false}) {
    Image<double> grad(logchol.shape());
    Image<double> out_dot(logchol.shape());
    Image<double> value(logchol.shape());
    if (forwards) {
      logchol_to_cov_vjp<double>(logchol, cotangent, grad);
      logchol_to_cov_jvp<double>(logchol, dot, out_dot);
    } else {
      cov_to_logchol_vjp<double>(cov, cotangent, grad);
      cov_to_logchol_jvp<double>(cov, dot, out_dot);
    }
    const double slope = test::inner(grad, dot);
    EXPECT_NEAR(test::inner(out_dot, cotangent), slope, 1e-9 * std::abs(slope));
    test::expect_slope(
        [&](double t) {
          if (forwards) {
            logchol_to_cov<double>(test::moved(logchol, t, dot), value);
          } else {
            cov_to_logchol<double>(test::moved(cov, t, dot), value);
          }
          return test::inner(value, cotangent);
        },
        slope, forwards ? 1e-4 : 1e-6, 1e-5);
  }
}

TEST(CovarianceField, ErrorsNameThePixel) {
  auto cov = test::constant_image<double>({1, 3, 4, 4}, 1.0);
  Image<double> out(cov.shape());
  try {
    cov_to_logchol<double>(cov, out);
    FAIL() << "a singular cov passed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("(0, 0, 0)"), std::string::npos) << error.what();
  }
  const Image<double> two({1, 2, 4, 4});
  EXPECT_THROW(logchol_to_cov<double>(two, out), Error);
}

}  // namespace
}  // namespace blurfield
