// SPDX-License-Identifier: BSD-3-Clause
// Every function that returns a Var: the table below has a check for each, and a test compares the
// table with the headers.
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <regex>
#include <set>

#include "blurfield/autodiff/blur.h"
#include "blurfield/autodiff/convolution.h"
#include "blurfield/autodiff/gaussian.h"
#include "blurfield/autodiff/record.h"
#include "blurfield/autodiff/slice.h"
#include "tests/autodiff/checks.h"

namespace blurfield::test {
namespace {

// Of both signs, away from 0.
Images<double, 1> signed_field() {
  Images<double, 1> x = positive();
  for (Index i = 0; i < x[0].elements(); i += 2) x[0].data()[i] *= -1;
  return x;
}
// All pairs of shapes that broadcast, of every kind.
template <class F>
void expect_binary(const F& f) {
  for (const auto& [a, b] : std::vector<std::pair<Shape, Shape>>{{kShape, kShape},
                                                                 {kShape, {1}},
                                                                 {{1}, kShape},
                                                                 {{2, 1, 5, 7}, kShape},
                                                                 {kShape, {1, 3, 1, 1}},
                                                                 {{5, 1}, {7}},
                                                                 {{2, 3, 1, 7}, {5, 1}},
                                                                 {{1}, {1}}}) {
    SCOPED_TRACE(a.text() + " " + b.text());
    expect_derivatives(f, pair(a, b));
  }
  EXPECT_THROW(grad([&](auto a, auto b) { return sum(f(a, b)); }, Image<double>({2, 3}),
                    Image<double>({3, 2})),
               Error);
}

void check_norm() {
  expect_derivatives([](const auto& x) { return norm(x); }, normal());
  for (const double scale : {1e-200, 1e200}) {
    const Var<double> x(constant_image<double>({4}, scale));
    EXPECT_NEAR(norm(x).item() / scale, 2.0, 1e-15);
  }
  const auto f = [](const auto& x) { return norm(x); };
  const Image<double> zero({5});
  EXPECT_EQ(f(borrow(zero)).item(), 0.0);
  EXPECT_TRUE(same_bits(grad(f, zero)[0], zero));
  EXPECT_TRUE(same_bits(hvp(f, zero, constant_image<double>({5}, 1.0))[0], zero));
}

void check_sum_to() {
  for (const Shape& to : {Shape{1}, Shape{7}, Shape{5, 1}, Shape{2, 1, 5, 7}, Shape{1, 3, 1, 1},
                          Shape{1, 1, 5, 1}, Shape{2, 3, 1, 7}, kShape}) {
    SCOPED_TRACE(to.text());
    expect_derivatives([&](const auto& x) { return square(sum_to(x, to)); }, normal());
  }
  EXPECT_THROW(sum_to(Var<double>(Image<double>({2, 3})), {2}), Error);
  EXPECT_THROW(sum_to(Var<double>(Image<double>({3})), {1, 3}), Error);
}

void check_repeat() {
  for (const Shape& from : {Shape{1}, Shape{7}, Shape{5, 1}, Shape{2, 1, 5, 7}}) {
    expect_derivatives([&](const auto& x) { return square(repeat(x, kShape)); }, normal(from));
  }
  EXPECT_THROW(repeat(Var<double>(Image<double>({2})), {3}), Error);
  EXPECT_THROW(repeat(Var<double>(Image<double>({1, 2})), {2}), Error);
}

template <class F>
auto unary(const F& f, Images<double, 1> (*in)()) {
  return [=] { expect_derivatives(f, in()); };
}
Images<double, 1> any() { return normal(); }
Images<double, 1> above() { return positive(); }

std::map<std::string, std::function<void()>> table() {
  return {
      {"operator+", [] { expect_binary([](auto a, auto b) { return a + b; }); }},
      {"operator-",
       [] {
         expect_binary([](auto a, auto b) { return a - b; });
         expect_derivatives([](auto a) { return -a; }, normal());
       }},
      {"operator*", [] { expect_binary([](auto a, auto b) { return a * b; }); }},
      {"operator/", [] { expect_binary([](auto a, auto b) { return a / b; }); }},
      {"exp", unary([](auto a) { return exp(a); }, any)},
      {"log", unary([](auto a) { return log(a); }, above)},
      {"sqrt", unary([](auto a) { return sqrt(a); }, above)},
      {"square", unary([](auto a) { return square(a); }, any)},
      {"pow",
       [] {
         for (double p : {-1.5, 0.0, 0.5, 1.0, 2.0, 3.7}) {
           expect_derivatives([p](auto a) { return pow(a, p); }, positive());
         }
       }},
      {"abs", unary([](auto a) { return abs(a); }, signed_field)},
      {"tanh", unary([](auto a) { return tanh(a); }, any)},
      {"sigmoid", unary([](auto a) { return sigmoid(a); }, any)},
      {"softplus", unary([](auto a) { return softplus(a); }, any)},
      {"soft_maximum",
       unary([](auto a) { return soft_maximum(a, {.sigma_min = 0.4, .shift = 0.3}); }, any)},
      {"clamp", unary([](auto a) { return clamp(a, -0.4, 1.2); }, signed_field)},
      {"sum", unary([](auto a) { return sum(square(a)); }, any)},
      {"mean", unary([](auto a) { return mean(square(a)); }, any)},
      {"dot",
       [] {
         expect_derivatives([](auto a, auto b) { return dot(a, b); }, pair(kShape, kShape));
         expect_derivatives([](auto a) { return dot(a, a); }, normal());
       }},
      {"norm", check_norm},
      {"sum_to", check_sum_to},
      {"repeat", check_repeat},
      {"slice",
       [] {
         const auto f = [](auto a) { return square(slice(a, {0, 1, 1, 2}, {2, 2, 5, 4})); };
         expect_derivatives(f, normal());
         expect_derivatives([](auto a) { return slice(slice(a, {1}, {6}), {0}, {2}); },
                            normal({7}));
       }},
      {"embed", unary(
                    [](auto a) {
                      return square(embed(a, {1, 0, 2, 0}, {4, 3, 9, 7}));
                    },
                    any)},
      {"difference", unary([](auto a) { return square(difference(a, 1)); }, any)},
      {"difference_adjoint",
       [] {
         for (int axis : {0, 1, 2, -1}) {
           expect_derivatives([=](auto a) { return square(difference_adjoint(a, axis)); },
                              normal());
         }
       }},
      {"difference_y", unary([](auto a) { return square(difference_y(a)); }, any)},
      {"difference_x", unary([](auto a) { return square(difference_x(a)); }, any)},
      {"reshape",
       [] {
         expect_derivatives([](auto a) { return square(reshape(a, {6, 35})); }, normal());
         expect_derivatives(
             [](auto a) {
               return reshape(slice(a, {0, 1}, {3, 3}), {6});
             },
             normal({3, 4}));
       }},
      {"adaptive_blur", check_adaptive_blur},
      {"uniform_blur", check_uniform_blur},
      {"mix", check_mix},
      {"correlate", [] { check_correlate(false); }},
      {"convolve", [] { check_correlate(true); }},
      {"local_filter", check_local_filter},
      {"im2col", [] { check_columns(true); }},
      {"col2im", [] { check_columns(false); }},
      {"gaussian_kernel1d",
       [] {
         for (int order : {0, 1, 2}) {
           expect_derivatives([=](auto s) { return gaussian_kernel1d(s, 5, order); }, positive({1}),
                              "gaussian_kernel1d: no second derivative by the sigma");
         }
       }},
      {"gaussian_kernel2d",
       [] {
         for (Index count : {1, 2}) {
           expect_derivatives(
               [](auto s) {
                 return gaussian_kernel2d(s, {4, 5}, {0, 1});
               },
               positive({count}), "gaussian_kernel1d: no second derivative by the sigma");
         }
       }},
      {"gaussian_kernel2d_logchol",
       [] {
         expect_derivatives(
             [](auto p) {
               return gaussian_kernel2d_logchol(p, {4, 5});
             },
             normal({3}), "gaussian_kernel2d_logchol: no second derivative by the parameters");
       }},
      {"logchol_to_cov",
       [] {
         expect_derivatives([](auto p) { return logchol_to_cov(p); }, normal({2, 3, 4, 5}),
                            "logchol_to_cov: no second derivative by the parameters");
       }},
      {"cov_to_logchol",
       [] {
         Images<double, 1> cov = positive({2, 3, 4, 5});
         const View<double> v = cov[0];
         for (Index i = 0; i < 20; ++i) v.at(0, 1, i / 5, i % 5) = v.at(1, 1, i / 5, i % 5) = 0.2;
         expect_derivatives([](auto c) { return cov_to_logchol(c); }, cov,
                            "cov_to_logchol: no second derivative by the covariance");
       }},
      {"apply_operation", check_operation},
      {"borrow",
       [] {
         const auto x = random_image<float>({3, 4}, 1);
         EXPECT_EQ(borrow(x, 2).value().data, x.data());
         EXPECT_EQ(borrow(x, 2).threads(), 2);
       }},
      {"constant",
       [] {
         const auto g = grad([](auto a) { return sum(a * constant(a)); }, normal()[0]);
         EXPECT_TRUE(same_bits(g[0], normal()[0]));
       }},
      {"input",
       [] {
         const Var<double> x(constant_image<double>({3}, 2.0));
         EXPECT_FALSE((x + 1).needs_gradient());
         EXPECT_TRUE((input(x) + 1).needs_gradient());
       }},
      {"edge",
       [] {
         const Var<double> x = input(Var<double>(2.0));
         EXPECT_TRUE(edge(x).empty());
         EXPECT_EQ(edge(x).node(), x.node());
       }},
      {"record",
       [] {  // a rule of one's own: twice the true slope
         const auto f = [](const Var<double>& a) {
           return record(constant(a) * 3, std::array{edge(a)},
                         [](const Pull<double, 1>& p) { return std::array{6 * p.cotangent}; });
         };
         EXPECT_EQ(grad(f, constant_image<double>({1}, 1.0))[0].data()[0], 6.0);
       }},
      {"record_with_output",
       [] {
         const auto f = [](const Var<double>& a) {
           return record_with_output(constant(a) * 3, std::array{edge(a)},
                                     [](const Pull<double, 1>& p) { return std::array{p.output}; });
         };
         EXPECT_EQ(grad(f, constant_image<double>({1}, 5.0))[0].data()[0], 15.0);
       }},
  };
}

class Function : public ::testing::TestWithParam<std::string> {};
TEST_P(Function, HasItsDerivatives) { table().at(GetParam())(); }

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& entry : table()) all.push_back(entry.first);
  return all;
}
std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  const std::map<std::string, std::string> operators{{"operator+", "plus"},
                                                     {"operator-", "minus"},
                                                     {"operator*", "times"},
                                                     {"operator/", "divided_by"}};
  const auto found = operators.find(info.param);
  return found == operators.end() ? info.param : found->second;
}
INSTANTIATE_TEST_SUITE_P(Table, Function, ::testing::ValuesIn(names()), test_name);

// What the headers declare outside of detail namespaces.
std::set<std::string> declared() {
  const std::string folder = std::string(BLURFIELD_TEST_DATA) + "/../../src/blurfield/autodiff/";
  std::set<std::string> all;
  for (const auto& header : std::filesystem::directory_iterator(folder)) {
    if (header.path().extension() != ".h") continue;
    std::ifstream file(header.path());
    std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_FALSE(text.empty()) << header.path();
    for (std::size_t begin; (begin = text.find("\nnamespace detail {")) != std::string::npos;) {
      const std::size_t end = text.find("}  // namespace detail", begin);
      text.erase(begin, end - begin);
    }
    const std::regex function(R"(\n(?:inline )?Var<T> (\w+)\(|friend Var (operator.)\()");
    for (std::sregex_iterator found(text.begin(), text.end(), function), none; found != none;
         ++found) {
      all.insert((*found)[1].matched ? (*found)[1] : (*found)[2]);
    }
  }
  return all;
}

TEST(Functions, AreAllInTheTable) {
  const auto all = names();
  EXPECT_EQ(declared(), std::set<std::string>(all.begin(), all.end()));
}

}  // namespace
}  // namespace blurfield::test
