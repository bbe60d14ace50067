// SPDX-License-Identifier: BSD-3-Clause
// The drivers and the objective: what they return, refuse and repeat.
#include "blurfield/autodiff/grad.h"

#include "blurfield/autodiff/blur.h"
#include "blurfield/autodiff/convolution.h"
#include "blurfield/autodiff/objective.h"
#include "blurfield/autodiff/slice.h"
#include "tests/support/autodiff.h"

namespace blurfield::test {
namespace {

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Grad, GivesOneArrayPerInput) {
  const auto a = random_image<double>({2, 3}, 1);
  const auto b = random_image<double>({3}, 2);
  const auto f = [](const auto& x, const auto& y) { return sum(square(x) * y); };
  const auto [value, gradient] = value_and_grad(f, a, b.view());
  double expected = 0.0;
  for (Index i = 0; i < 6; ++i) expected += a.data()[i] * a.data()[i] * b.data()[i % 3];
  EXPECT_NEAR(value, expected, 1e-14);
  for (Index i = 0; i < 6; ++i) {
    EXPECT_NEAR(gradient[0].data()[i], 2 * a.data()[i] * b.data()[i % 3], 1e-15);
  }
  EXPECT_EQ(gradient[1].shape(), b.shape());
  EXPECT_TRUE(same_bits(grad(f, a, b)[1], gradient[1]));
  const auto product = hvp(f, a, b, a, b);
  EXPECT_NEAR(product[0].data()[0], 4 * a.data()[0] * b.data()[0], 1e-14);
  const auto along = jvp([](const auto& x, const auto& y) { return x * y; }, a, b, a, b);
  EXPECT_NEAR(along.data()[4], 2 * a.data()[4] * b.data()[1], 1e-15);
  const auto pulled = vjp([](const auto& x) { return 2 * x; }, a, a);
  EXPECT_NEAR(pulled[0].data()[5], 2 * a.data()[5], 1e-15);
}

TEST(Grad, OfAnUnusedInputIsZero) {
  const auto x = random_image<float>({4}, 1);
  const auto unused = random_image<float>({2, 2}, 2);
  const auto f = [](const auto& a, const auto&) { return sum(square(a)); };
  EXPECT_TRUE(same_bits(grad(f, x, unused)[1], Image<float>({2, 2})));
  EXPECT_TRUE(same_bits(hvp(f, x, unused, x, unused)[1], Image<float>({2, 2})));
  const auto fixed = [](const auto&) { return Var<float>(3); };
  EXPECT_EQ(value_and_grad(fixed, x).value, 3.0);
  EXPECT_TRUE(same_bits(grad(fixed, x)[0], Image<float>({4})));
  EXPECT_TRUE(same_bits(hvp(fixed, x, x)[0], Image<float>({4})));
  EXPECT_TRUE(same_bits(jvp(fixed, x, x), Image<float>({1})));
  EXPECT_TRUE(same_bits(grad([](const auto& a) { return a; }, Image<float>({1, 1}))[0],
                        constant_image<float>({1, 1}, 1)));
}

TEST(Grad, RefusesWhatItCannotDo) {
  const auto x = random_image<double>({2, 3}, 1);
  EXPECT_NE(error_of([&] {
              grad([](const auto& a) { return 2 * a; }, x);
            }).find("expected f to return one element, got shape (2, 3)"),
            std::string::npos);
  EXPECT_NE(error_of([&] { grad([](const auto&) { return Var<double>(); }, x); }), "");
  EXPECT_NE(error_of([&] {
              vjp([](const auto& a) { return 2 * a; }, Image<double>({3, 2}), x);
            }),
            "");
  EXPECT_NE(error_of([&] { hvp([](const auto& a) { return sum(a); }, x, Image<double>({3})); }),
            "");
  EXPECT_NE(error_of([&] { borrow(x).item(); }), "");
  EXPECT_NE(error_of([&] { clamp(borrow(x), 2, 1); }), "");
  EXPECT_NE(error_of([&] { difference_y(Var<double>(Image<double>({1, 4}))); }), "");
  EXPECT_NE(error_of([&] { difference_y(Var<double>(Image<double>({4}))); }), "");
  EXPECT_NE(error_of([&] { slice(borrow(x), {0, 0}, {2, 4}); }), "");
  EXPECT_NE(error_of([&] { slice(borrow(x), {0}, {2}); }), "");
  EXPECT_NE(error_of([&] { embed(borrow(x), {0, 1}, {2, 3}); }), "");
  EXPECT_NE(error_of([&] { reshape(borrow(x), {5}); }), "");
  EXPECT_NE(error_of([&] { dot(borrow(x), Var<double>(1)); }), "");
}

TEST(Grad, LetsNotANumberPass) {
  const auto x = constant_image<double>({3}, -1.0);
  const auto [value, gradient] = value_and_grad([](const auto& a) { return sum(log(a)); }, x);
  EXPECT_TRUE(std::isnan(value));
  EXPECT_EQ(gradient[0].data()[0], -1.0);
}

TEST(Kinks, HaveTheDerivativesThatTheHeadersName) {
  const Image<double> zero({1});
  const auto slope = [](const auto& f, const Image<double>& x) {
    return grad([&](const auto& a) { return f(a); }, x)[0].data()[0];
  };
  EXPECT_EQ(slope([](auto a) { return abs(a); }, zero), 0.0);
  EXPECT_EQ(slope([](auto a) { return sqrt(a); }, zero), 0.0);
  EXPECT_EQ(slope([](auto a) { return norm(a); }, zero), 0.0);
  EXPECT_EQ(slope([](auto a) { return pow(a, 0.0); }, zero), 0.0);
  EXPECT_EQ(slope([](auto a) { return clamp(a, 0.0, 1.0); }, zero), 1.0);
  EXPECT_EQ(slope([](auto a) { return clamp(a, 0.5, 1.0); }, zero), 0.0);
}

TEST(Extremes, DoNotOverflow) {
  for (double v : {-1e300, -800.0, 800.0, 1e300}) {
    const auto x = constant_image<double>({1}, v);
    const auto at = [&](const auto& f) { return value_and_grad(f, x); };
    const double high = v > 0 ? 1 : 0;
    EXPECT_EQ(at([](auto a) { return sigmoid(a); }).value, high);
    EXPECT_EQ(at([](auto a) { return sigmoid(a); }).gradient[0].data()[0], 0.0);
    EXPECT_EQ(at([](auto a) { return softplus(a); }).value, v * high);
    EXPECT_EQ(at([](auto a) { return softplus(a); }).gradient[0].data()[0], high);
    EXPECT_EQ(at([](auto a) { return soft_maximum(a); }).gradient[0].data()[0], high);
    EXPECT_EQ(at([](auto a) { return tanh(a); }).gradient[0].data()[0], 0.0);
    EXPECT_EQ(hvp([](auto a) { return softplus(a); }, x, x)[0].data()[0], 0.0);
  }
}

// log of a sum of exponentials, made safe by hand, and the entropy of its softmax.
TEST(Compositions, SoftmaxLike) {
  const auto weights = random_image<double>({4, 6}, 9);
  const auto f = [&]<class T>(const Var<T>& x) {
    const Var<T> shifted = x - 3.0;
    const Var<T> mass = sum_to(exp(shifted), {4, 1});
    const Var<T> p = exp(shifted) / mass;
    return sum(log(mass)) - sum(p * log(p)) + sum(Var<T>(converted<T>(weights)) * p);
  };
  expect_derivatives(f, Images<double, 1>{random_image<double>({4, 6}, 1)});
}

// Cotangents of a sum are numbers, those of its neighbours arrays: they meet at y.
TEST(Compositions, SumsBesideProducts) {
  const auto f = [](const auto& x) {
    const auto y = exp(x);
    const auto z = square(y - 1);
    return sum(z) * sum(y) + sum(z) + dot(y, z) + sum(tanh(sum(y * z) / 100));
  };
  expect_derivatives(f, Images<double, 1>{random_image<double>({3, 4}, 1)});
  expect_derivatives(f, Images<double, 1>{random_image<double>({1, 1}, 1)});
}

// Values are shared, never changed: a Var that is used again shows what it showed.
TEST(Values, AreNeverOverwritten) {
  Var<double> a(constant_image<double>({1000}, 2.0));
  const Var<double> same = a;
  const Var<double> window = slice(a, {0}, {10});
  const Var<double> b = exp(std::move(a)) + 1;
  EXPECT_EQ(same.value().data[3], 2.0);
  EXPECT_EQ(window.value().data[3], 2.0);
  EXPECT_EQ(b.value().data[3], std::exp(2.0) + 1);
  const Image<double> mine = constant_image<double>({1000}, 5.0);
  EXPECT_EQ((-borrow(mine)).value().data[0], -5.0);
  EXPECT_EQ(mine.data()[0], 5.0);
}

TEST(Threads, DoNotChangeABit) {
  const auto x = random_image<float>({2, 3, 120, 150}, 1);
  const auto field = random_field<float>({1, 1, 120, 150}, 0.5, 2.0, 2);
  const auto f = [&](const auto& a, const auto& s) {
    const auto y = adaptive_blur(a, constant(s)) * s - tanh(a);
    return norm(y) + sum(sqrt(square(difference_y(a)) + 0.1)) + dot(exp(s), softplus(s)) +
           mean(correlate(y, slice(reshape(s, {120, 150}), {1, 2}, {4, 5}))) * sum(s);
  };
  std::array<ValueAndGrad<float, 2>, 3> first;
  std::array<std::array<Image<float>, 2>, 3> second;
  const std::array<int, 3> threads{1, 2, 5};
  for (std::size_t i = 0; i < 3; ++i) {
    const Var<float> a = borrow(x, threads[i]);
    const Var<float> s = borrow(field, threads[i]);
    EXPECT_EQ((exp(a) * s + 1).threads(), threads[i]);
    first[i] = value_and_grad(f, a, s);
    second[i] = hvp(f, a, s, a, s);
    EXPECT_EQ(first[i].value, first[0].value);
    for (std::size_t k = 0; k < 2; ++k) {
      EXPECT_TRUE(same_bits(first[i].gradient[k], first[0].gradient[k]));
      EXPECT_TRUE(same_bits(second[i][k], second[0][k]));
    }
  }
}

TEST(Objectives, GiveTheOptimisersWhatTheyAsk) {
  const Shape shape{1, 1, 5, 6};
  const auto x = random_image<double>(shape, 1);
  const auto v = random_image<double>(shape, 2);
  int calls = 0;
  const auto f = [&](const auto& a) {
    ++calls;
    return sum(exp(a) * square(a));
  };
  const auto problem = objective<double>(f, shape, 1);
  const std::span<const double> at(x.data(), 30);
  Image<double> gradient(shape);
  Image<double> product(shape);
  const double value = problem.evaluate(at, {});
  EXPECT_EQ(problem.evaluate(at, {gradient.data(), 30}), value);
  EXPECT_TRUE(same_bits(gradient, grad(f, x)[0]));
  calls = 0;
  for (int i = 0; i < 3; ++i) problem.hessian_product(at, {v.data(), 30}, {product.data(), 30});
  EXPECT_EQ(calls, 1);  // one graph for all products
  EXPECT_TRUE(same_bits(product, hvp(f, x, v)[0]));
  calls = 0;
  Image<double> moved_x = moved(x, 0.5, v);
  const std::span<const double> there(moved_x.data(), 30);
  EXPECT_EQ(problem.evaluate(there, {gradient.data(), 30}), value_and_grad(f, moved_x).value);
  problem.hessian_product(there, {v.data(), 30}, {product.data(), 30});
  EXPECT_EQ(calls, 2);  // one of them is value_and_grad's here
  EXPECT_TRUE(same_bits(product, hvp(f, moved_x, v)[0]));
  moved_x.data()[3] += 1;  // the same memory, another x
  problem.hessian_product(there, {v.data(), 30}, {product.data(), 30});
  EXPECT_TRUE(same_bits(product, hvp(f, moved_x, v)[0]));
  EXPECT_THROW(problem.evaluate(at.first(29), {}), Error);
}

TEST(Objectives, HaveNoValueWhereAnOperationOverflows) {
  const auto x = random_image<double>({1, 1, 9, 9}, 1);
  const auto problem = objective<double>(
      [&](const Var<double>& s) { return sum(square(adaptive_blur(borrow(x), exp(s)))); },
      {1, 1, 9, 9}, 1);
  const Image<double> near({1, 1, 9, 9});
  const Image<double> far = constant_image<double>({1, 1, 9, 9}, 1000.0);
  EXPECT_NE(error_of([&] {
              problem.evaluate({far.data(), 81}, {});
            }).find("adaptive_blur"),
            std::string::npos);  // a start must have a value
  EXPECT_TRUE(std::isfinite(problem.evaluate({near.data(), 81}, {})));
  EXPECT_TRUE(std::isnan(problem.evaluate({far.data(), 81}, {})));
  const auto cancelled = objective<double>(
      [](const Var<double>& s) -> Var<double> {
        if (s.value().data[0] > 0) throw Cancelled("cancelled");
        return sum(s);
      },
      {1}, 1);
  const double low = 0.0;
  const double high = 1.0;
  EXPECT_EQ(cancelled.evaluate({&low, 1}, {}), 0.0);
  EXPECT_THROW(cancelled.evaluate({&high, 1}, {}), Cancelled);
}

}  // namespace
}  // namespace blurfield::test
