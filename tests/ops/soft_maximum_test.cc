// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/soft_maximum.h"

#include "tests/support/derivatives.h"
#include "tests/support/npz.h"

namespace blurfield {
namespace {

TEST(SoftMaximum, MatchesTheReference) {
  const test::Npz data("oned.npz");
  const auto& s = data["param/s"].values;
  for (std::size_t i = 0; i < s.size(); ++i) {
    EXPECT_NEAR(soft_maximum(s[i]), data["param/sigma"].values[i], 1e-12);
    EXPECT_NEAR(soft_maximum_derivative(s[i]), data["param/dsigma_ds"].values[i], 1e-12);
  }
}

TEST(SoftMaximum, IsSafeForAnyNumber) {
  EXPECT_EQ(soft_maximum(-1e300), 0.3);
  EXPECT_EQ(soft_maximum(1e300), 1e300);
  EXPECT_EQ(soft_maximum_derivative(-1e300), 0.0);
  EXPECT_EQ(soft_maximum_derivative(1e300), 1.0);
}

TEST(SoftMaximum, InverseAndDerivativeAgree) {
  const SoftMaximum options{0.5, -1.0};
  for (double s : {-9.0, -1.0, 0.0, 2.5, 40.0, 900.0}) {
    const double sigma = soft_maximum(s, options);
    EXPECT_NEAR(soft_maximum_inverse(sigma, options), s, 1e-11 * std::exp(std::max(0.0, -s)));
    test::expect_slope([&](double t) { return soft_maximum(s + t, options); },
                       soft_maximum_derivative(s, options));
  }
  EXPECT_THROW(soft_maximum_inverse(0.5, options), Error);
  EXPECT_THROW(soft_maximum_inverse(NAN, options), Error);
}

}  // namespace
}  // namespace blurfield
