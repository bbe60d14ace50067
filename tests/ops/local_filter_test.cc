// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/local_filter.h"

#include <limits>

#include "tests/reference/local_filter_reference.h"
#include "tests/support/blur_options.h"
#include "tests/support/derivatives.h"
#include "tests/support/targets.h"

namespace blurfield {
namespace {

struct Case {
  Shape x;
  Shape weights;
  LocalFilterOptions options;
  std::string text;
};

Case make_case(const Shape& x, const std::vector<Index>& window, Index sets, Mode mode) {
  Case c;
  c.x = x;
  c.weights = x;
  c.weights[0] = sets;
  c.weights[1] = window.size() == 2 ? window[0] * window[1] : window[0];
  c.options.window = window;
  c.options.extension = {mode, mode == Mode::constant ? 0.7 : 0.0};
  c.text = message("x ", x.text(), " weights ", c.weights.text(), " window ", window.front(), " ",
                   window.back(), " ", mode_name(mode));
  return c;
}

// Odd and even windows, larger than the image, 1xN and Nx1, several channels and batches, own and
// shared weights, signals: all modes. Images wider and higher than a tile.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (Mode mode : test::kModes) {
    for (Index sets : {1, 2}) {
      all.push_back(make_case({2, 3, 11, 13}, {3, 5}, sets, mode));
      all.push_back(make_case({2, 9, 7, 6}, {4, 2}, sets, mode));
      all.push_back(make_case({2, 3, 40}, {6}, sets, mode));
    }
    all.push_back(make_case({1, 1, 5, 4}, {9, 14}, 1, mode));
    all.push_back(make_case({1, 2, 1, 9}, {3, 3}, 1, mode));
    all.push_back(make_case({1, 1, 9, 1}, {2, 3}, 1, mode));
    all.push_back(make_case({1, 1, 1, 1}, {5, 4}, 1, mode));
    all.push_back(make_case({1, 1, 6, 7}, {1, 1}, 1, mode));
    all.push_back(make_case({1, 1, 19, 1300}, {2, 11}, 1, mode));
    all.push_back(make_case({1, 1, 2100}, {17}, 1, mode));
  }
  return all;
}

template <class T>
class LocalFilter : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(LocalFilter, Types);

template <class T>
constexpr double kTolerance = sizeof(T) == 8 ? 1e-12 : 1e-5;

TYPED_TEST(LocalFilter, MatchesTheSlowTwin) {
  using T = TypeParam;
  for (const Case& c : cases()) {
    const auto x = test::random_image<T>(c.x, 1);
    const auto weights = test::random_image<T>(c.weights, 2);
    const auto u = test::random_image<T>(c.x, 3);
    const auto out = local_filter<T>(x, weights, c.options);
    EXPECT_LT(test::distance(out, test::local_filter_reference<T>(x, weights, c.options)),
              kTolerance<T>)
        << c.text;
    Image<T> grad_x(c.x);
    Image<T> grad_weights(c.weights);
    local_filter_vjp<T>(x, weights, u, grad_x, grad_weights, c.options);
    const auto expected = test::local_filter_gradients<T>(x, weights, u, c.options);
    EXPECT_LT(test::distance(grad_x, expected.x), kTolerance<T>) << c.text;
    EXPECT_LT(test::distance(grad_weights, expected.weights), kTolerance<T>) << c.text;
  }
}

TYPED_TEST(LocalFilter, EverySimdTargetMatchesTheSlowTwin) {
  using T = TypeParam;
  const Case c = make_case({1, 2, 9, 45}, {3, 10}, 1, Mode::mirror);
  const auto x = test::random_image<T>(c.x, 1);
  const auto weights = test::random_image<T>(c.weights, 2);
  const auto expected = test::local_filter_reference<T>(x, weights, c.options);
  test::for_each_target([&] {
    EXPECT_LT(test::distance(local_filter<T>(x, weights, c.options), expected), kTolerance<T>);
  });
}

// A view of these pixels that is not contiguous on any axis.
template <class T>
struct Scattered {
  explicit Scattered(const Image<T>& image)
      : store({image.shape()[3], image.shape()[1], image.shape()[2] + 1, 2 * image.shape()[0]}) {
    view = store.view();
    view.shape = image.shape();
    std::swap(view.stride[0], view.stride[3]);
    view.stride[0] *= 2;
    copy<T>(image, view);
  }
  Image<T> packed() const { return Image<T>(View<const T>(view)); }
  Image<T> store;
  View<T> view;
};

TYPED_TEST(LocalFilter, ReadsAndWritesViewsOfAnyStrides) {
  using T = TypeParam;
  const Case c = make_case({2, 2, 9, 10}, {3, 4}, 2, Mode::reflect);
  const auto x = test::random_image<T>(c.x, 1);
  const auto weights = test::random_image<T>(c.weights, 2);
  const auto u = test::random_image<T>(c.x, 3);
  Scattered<T> out{Image<T>(c.x)};
  local_filter<T>(Scattered<T>(x).view, Scattered<T>(weights).view, out.view, c.options);
  EXPECT_TRUE(test::same_bits(out.packed(), local_filter<T>(x, weights, c.options)));
  Image<T> grad_x(c.x);
  Image<T> grad_weights(c.weights);
  local_filter_vjp<T>(x, weights, u, grad_x, grad_weights, c.options);
  Scattered<T> other_x{Image<T>(c.x)};
  Scattered<T> other_weights{Image<T>(c.weights)};
  local_filter_vjp<T>(Scattered<T>(x).view, Scattered<T>(weights).view, Scattered<T>(u).view,
                      other_x.view, other_weights.view, c.options);
  EXPECT_TRUE(test::same_bits(other_x.packed(), grad_x));
  EXPECT_TRUE(test::same_bits(other_weights.packed(), grad_weights));
}

TYPED_TEST(LocalFilter, ThreadsDoNotChangeABit) {
  using T = TypeParam;
  Case c = make_case({2, 3, 60, 70}, {5, 6}, 1, Mode::reflect);
  const auto x = test::random_image<T>(c.x, 1);
  const auto weights = test::random_image<T>(c.weights, 2);
  c.options.execution.threads = 1;
  const auto one = local_filter<T>(x, weights, c.options);
  Image<T> grad_x(c.x);
  Image<T> grad_weights(c.weights);
  local_filter_vjp<T>(x, weights, one, grad_x, grad_weights, c.options);
  for (int threads : {2, 5}) {
    c.options.execution.threads = threads;
    EXPECT_TRUE(test::same_bits(local_filter<T>(x, weights, c.options), one));
    Image<T> other_x(c.x);
    Image<T> other_weights(c.weights);
    local_filter_vjp<T>(x, weights, one, other_x, other_weights, c.options);
    EXPECT_TRUE(test::same_bits(other_x, grad_x));
    EXPECT_TRUE(test::same_bits(other_weights, grad_weights));
  }
}

// Long sums of one sign lose at most 1e-6.
TEST(LocalFilterFloat, KeepsLongSumsAccurate) {
  const Case c = make_case({1, 1, 9, 8}, {63, 65}, 1, Mode::reflect);
  const auto x = test::random_field<float>(c.x, 0.5, 1.5, 1);
  const auto weights = test::random_field<float>(c.weights, 0.5, 1.5, 2);
  const auto out = local_filter<float>(x, weights, c.options);
  const auto expected = test::local_filter_reference<float>(x, weights, c.options);
  for (Index i = 0; i < out.elements(); ++i) {
    ASSERT_NEAR(static_cast<double>(out.data()[i]) / expected.data()[i], 1.0, 1e-6);
  }
}

TEST(LocalFilterDerivatives, AdjointIsExact) {
  for (Case& c : cases()) {
    SCOPED_TRACE(c.text);
    c.options.extension.cval = 0.0;
    const auto x = test::random_image<double>(c.x, 7);
    const auto weights = test::random_image<double>(c.weights, 8);
    test::expect_adjoint<double>(
        c.x, c.x,
        [&](const auto& image) { return local_filter<double>(image, weights, c.options); },
        [&](const auto& u) {
          Image<double> grad(c.x);
          local_filter_vjp<double>(x, weights, u, grad, {}, c.options);
          return grad;
        });
    test::expect_adjoint<double>(
        c.weights, c.x, [&](const auto& w) { return local_filter<double>(x, w, c.options); },
        [&](const auto& u) {
          Image<double> grad(c.weights);
          local_filter_vjp<double>(x, weights, u, {}, grad, c.options);
          return grad;
        });
  }
}

TEST(LocalFilterDerivatives, MatchDifferences) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.text);
    const auto x = test::random_image<double>(c.x, 1);
    const auto weights = test::random_image<double>(c.weights, 2);
    const auto x_dot = test::random_image<double>(c.x, 3);
    const auto weights_dot = test::random_image<double>(c.weights, 4);
    const auto u = test::random_image<double>(c.x, 5);
    Image<double> grad_x(c.x);
    Image<double> grad_weights(c.weights);
    local_filter_vjp<double>(x, weights, u, grad_x, grad_weights, c.options);
    const double slope = test::inner(grad_x, x_dot) + test::inner(grad_weights, weights_dot);
    const auto f = [&](double t) {
      return test::inner(local_filter<double>(test::moved(x, t, x_dot),
                                              test::moved(weights, t, weights_dot), c.options),
                         u);
    };
    test::expect_slope(f, slope);
    Image<double> out_dot(c.x);
    local_filter_jvp<double>(x, weights, x_dot, weights_dot, out_dot, c.options);
    EXPECT_NEAR(test::inner(out_dot, u), slope, 1e-12 * test::norm(out_dot) * test::norm(u));
    // Each direction alone.
    Image<double> by_x(c.x);
    Image<double> by_weights(c.x);
    local_filter_jvp<double>(x, weights, x_dot, {}, by_x, c.options);
    local_filter_jvp<double>(x, weights, {}, weights_dot, by_weights, c.options);
    EXPECT_LT(test::distance(test::moved(by_x, 1.0, by_weights), out_dot), 1e-13);
    EXPECT_NEAR(test::inner(by_x, u), test::inner(grad_x, x_dot),
                1e-12 * test::norm(by_x) * test::norm(u));
  }
}

// What an Error says when f throws one; a failure if it does not.
template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "expected an Error";
  return "";
}

TEST(LocalFilterErrors, NameWhatIsWrong) {
  const Case c = make_case({2, 1, 6, 7}, {3, 4}, 2, Mode::reflect);
  const auto x = test::random_image<float>(c.x, 1);
  const auto weights = test::random_image<float>(c.weights, 2);
  const auto run = [&](const Shape& weight_shape, const std::vector<Index>& window) {
    LocalFilterOptions options = c.options;
    options.window = window;
    return error_of([&] { local_filter<float>(x, Image<float>(weight_shape), options); });
  };
  EXPECT_EQ(run({2, 12, 6, 7}, {3}), "local_filter: expected a window of 2 extents, got 1");
  EXPECT_EQ(run({2, 12, 6, 7}, {3, 0}), "local_filter: expected window extents in 1..2^30, got 0");
  for (const Shape& shape : {Shape{3, 12, 6, 7}, Shape{2, 11, 6, 7}, Shape{2, 12, 6, 8},
                             Shape{2, 12, 42}, Shape{0, 12, 6, 7}}) {
    EXPECT_EQ(run(shape, {3, 4}),
              "local_filter: expected weights shaped (2, 12, 6, 7), or of batch 1, for an image "
              "(2, 1, 6, 7) and a window of 3 x 4, got " +
                  shape.text());
  }
  Image<float> out({2, 1, 6, 6});
  EXPECT_EQ(error_of([&] { local_filter<float>(x, weights, out, c.options); }),
            "local_filter: expected output shaped (2, 1, 6, 7), got (2, 1, 6, 6)");
  EXPECT_EQ(error_of([&] { local_filter<float>({}, weights, out, c.options); }),
            "local_filter: expected image shaped (N, C, L) or (N, C, H, W), got ()");
}

// Every weight must be finite, also one that sees only pixels beyond the border.
TEST(LocalFilterErrors, NotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (Mode mode : test::kModes) {
    const Case c = make_case({1, 2, 6, 7}, {3, 4}, 1, mode);
    Image<float> x = test::random_image<float>(c.x, 1);
    Image<float> weights = test::random_image<float>(c.weights, 2);
    Image<float> u = test::random_image<float>(c.x, 3);
    Image<float> out(c.x);
    Image<float> grad(c.weights);
    weights.data()[0] = nan;  // tap (-1, -2) of pixel (0, 0)
    const std::string bad = ": expected finite pixels in weights, got nan at (0, 0, 0, 0)";
    EXPECT_EQ(error_of([&] { local_filter<float>(x, weights, out, c.options); }),
              "local_filter" + bad);
    for (bool by_x : {false, true}) {
      EXPECT_EQ(error_of([&] {
                  local_filter_vjp<float>(x, weights, u, by_x ? out.view() : View<float>(),
                                          by_x ? View<float>() : grad.view(), c.options);
                }),
                "local_filter_vjp" + bad);
    }
    EXPECT_EQ(error_of([&] {
                local_filter_jvp<float>(x, weights, {}, Image<float>(c.weights), out, c.options);
              }),
              "local_filter_jvp" + bad);
    weights.data()[0] = 0.0F;
    u.data()[8] = nan;
    EXPECT_EQ(error_of([&] { local_filter_vjp<float>(x, weights, u, out, {}, c.options); }),
              "local_filter_vjp: expected finite pixels in cotangent, got nan at (0, 0, 1, 1)");
    x.data()[8] = nan;
    EXPECT_EQ(error_of([&] { local_filter<float>(x, weights, out, c.options); }),
              "local_filter: expected finite pixels in image, got nan at (0, 0, 1, 1)");
  }
}

TEST(LocalFilterErrors, Cancels) {
  Case c = make_case({1, 1, 60, 70}, {3, 3}, 1, Mode::reflect);
  c.options.execution.progress = [](double) { return false; };
  const auto x = test::random_image<float>(c.x, 1);
  EXPECT_THROW(local_filter<float>(x, Image<float>(c.weights), c.options), Cancelled);
}

}  // namespace
}  // namespace blurfield
