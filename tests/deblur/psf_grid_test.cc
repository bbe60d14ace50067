// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/psf_grid.h"

#include "tests/reference/psf_grid_reference.h"
#include "tests/support/blur_operators.h"

namespace blurfield {
namespace {

constexpr std::array kOrders{GridOrder::mask_first, GridOrder::conv_first};

// Random, without symmetry, each of sum 1.
Image<double> random_psfs(const Shape& shape) {
  Image<double> psfs = test::random_field<double>(shape, 0.1, 1.0, 4);
  const Index taps = shape[2] * shape[3];
  for (Index k = 0; k < shape[0] * shape[1]; ++k) {
    double sum = 0.0;
    for (Index i = 0; i < taps; ++i) sum += psfs.data()[k * taps + i];
    for (Index i = 0; i < taps; ++i) psfs.data()[k * taps + i] /= sum;
  }
  return psfs;
}

View<const double> cell(const Image<double>& psfs, Index i, Index j) {
  const Shape& s = psfs.shape();
  return {psfs.data() + (i * s[1] + j) * s[2] * s[3], {s[2], s[3]}};
}

template <class T>
class PsfGrid : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PsfGrid, Types);

TYPED_TEST(PsfGrid, IsProductConvolutionByDefinition) {
  using T = TypeParam;
  struct Case {
    Shape frame;
    Shape psfs;
  };
  for (const Case& c : {Case{{2, 2, 17, 23}, {3, 4, 5, 7}}, Case{{1, 1, 12, 9}, {1, 1, 3, 3}},
                        Case{{1, 1, 6, 21}, {2, 5, 5, 9}}, Case{{1, 1, 5, 7}, {5, 7, 5, 7}},
                        Case{{1, 2, 16, 15}, {1, 3, 1, 15}}}) {
    const Image<double> psfs = random_psfs(c.psfs);
    for (const Border& border : test::all_borders()) {
      for (GridOrder order : kOrders) {
        const auto blur = psf_grid_operator<T>(c.frame, psfs, order, border);
        const auto x = test::random_image<T>(blur->scene(), 1);
        const auto expected =
            test::psf_grid_reference(test::converted<double>(x), c.frame, psfs, order, border);
        EXPECT_LE(test::distance(test::forward(*blur, x), expected), sizeof(T) == 8 ? 1e-13 : 3e-6)
            << c.frame.text() << c.psfs.text() << order_name(order) << " "
            << test::border_text(border);
      }
    }
  }
}

// Whatever the order, cells that agree are one point-spread function everywhere.
TEST(PsfGrid, OfOnePsfIsThatPsf) {
  const Image<double> one = random_psfs({1, 1, 5, 7});
  Image<double> psfs({3, 2, 5, 7});
  for (Index k = 0; k < 6; ++k) std::copy_n(one.data(), 35, psfs.data() + 35 * k);
  const Shape frame{1, 2, 20, 25};
  for (const Border& border : test::all_borders()) {
    const auto single = psf_operator<double>(frame, cell(one, 0, 0), border);
    const auto x = test::random_image<double>(single->scene(), 1);
    for (GridOrder order : kOrders) {
      const auto blur = psf_grid_operator<double>(frame, psfs, order, border);
      ASSERT_EQ(blur->scene(), single->scene());
      EXPECT_LE(test::distance(test::forward(*blur, x), test::forward(*single, x)), 1e-13);
    }
  }
}

// At the centre of a cell the blur is that cell's, in its orientation; cells are numbered from the
// top left, rows first.
TEST(PsfGrid, DrawsEachCellsPsfAtItsCentre) {
  const Image<double> psfs = random_psfs({2, 3, 5, 3});
  const Shape frame{1, 1, 42, 45};  // cells of 21 x 15 pixels: centres at pixels
  const auto blur = psf_grid_operator<double>(frame, psfs, GridOrder::mask_first);
  for (Index i = 0; i < 2; ++i) {
    for (Index j = 0; j < 3; ++j) {
      const auto seen = test::impulse_response(*blur, 21 * i + 10, 15 * j + 7);
      EXPECT_LE(test::distance(test::around(seen, 21 * i + 10, 15 * j + 7, 5, 3),
                               Image<double>(cell(psfs, i, j))),
                1e-14);
    }
  }
}

// Halfway between two cells: a source whose light is masked first draws the mean of both, all its
// light; a record that is masked last weighs each pixel by its own place.
TEST(PsfGrid, OrdersDiffer) {
  const Image<double> psfs = random_psfs({1, 2, 3, 9});
  const Shape frame{1, 1, 9, 40};
  const auto mask_first = psf_grid_operator<double>(frame, psfs, GridOrder::mask_first);
  const auto conv_first = psf_grid_operator<double>(frame, psfs, GridOrder::conv_first);
  const auto sourced = test::impulse_response(*mask_first, 4, 19);
  const auto recorded = test::impulse_response(*conv_first, 4, 19);
  const double at_source = test::raised_cosine(0, 2, 19, 40);
  EXPECT_GT(at_source, 0.5);
  EXPECT_LT(at_source, 0.54);
  double sum = 0.0;
  double gap = 0.0;
  for (Index dx = -4; dx <= 4; ++dx) {
    const double left = cell(psfs, 0, 0).data[9 + dx + 4];
    const double right = cell(psfs, 0, 1).data[9 + dx + 4];
    const double at_record = test::raised_cosine(0, 2, 19 + dx, 40);
    EXPECT_NEAR(sourced.view().at(0, 0, 4, 19 + dx), at_source * left + (1 - at_source) * right,
                1e-15);
    EXPECT_NEAR(recorded.view().at(0, 0, 4, 19 + dx), at_record * left + (1 - at_record) * right,
                1e-15);
    gap = std::max(
        gap, std::abs(sourced.view().at(0, 0, 4, 19 + dx) - recorded.view().at(0, 0, 4, 19 + dx)));
  }
  for (Index i = 0; i < sourced.elements(); ++i) sum += sourced.data()[i];
  EXPECT_NEAR(sum, 1.0, 1e-14);
  EXPECT_GT(gap, 1e-3);
}

// A flat scene stays flat where each record's weights sum to 1; the light of each source stays
// whole where its weights do.
TEST(PsfGrid, WeightsSumToOne) {
  const Image<double> psfs = random_psfs({4, 3, 5, 5});
  const Shape frame{1, 1, 30, 31};
  const auto conv_first =
      psf_grid_operator<double>(frame, psfs, GridOrder::conv_first, {false, Mode::reflect});
  EXPECT_LE(test::distance(test::forward(*conv_first, test::constant_image<double>(frame, 1.0)),
                           test::constant_image<double>(frame, 1.0)),
            1e-14);
  const auto mask_first =
      psf_grid_operator<double>(frame, psfs, GridOrder::mask_first, {false, Mode::wrap});
  EXPECT_LE(test::distance(test::adjoint(*mask_first, test::constant_image<double>(frame, 1.0)),
                           test::constant_image<double>(frame, 1.0)),
            1e-14);
}

TEST(PsfGrid, BoundsNegativePsfsToo) {
  Image<double> psfs = random_psfs({2, 2, 3, 3});
  for (Index k = 0; k < 4; ++k) psfs.data()[9 * k + k] = -0.8;
  for (GridOrder order : kOrders) {
    const auto blur = psf_grid_operator<double>({1, 1, 20, 20}, psfs, order);
    EXPECT_GE(blur->norm_bound(), test::largest_singular_value(*blur, 300));
  }
}

// About four convolutions, however many cells.
TEST(PsfGrid, CostsAboutFourConvolutions) {
  const Shape frame{1, 1, 240, 240};
  const double one = psf_operator<double>(frame, test::lopsided_psf(9, 9))->multiply_adds();
  for (Index cells : {4, 8, 12}) {
    const auto blur =
        psf_grid_operator<double>(frame, random_psfs({cells, cells, 9, 9}), GridOrder::mask_first);
    EXPECT_LT(blur->multiply_adds(), 4.5 * one) << cells;
    EXPECT_GT(blur->multiply_adds(), 2.5 * one) << cells;
  }
}

TEST(PsfGrid, NamesItsOrders) {
  for (GridOrder order : kOrders) EXPECT_EQ(parse_order(order_name(order)), order);
  EXPECT_EQ(order_name(GridOrder::mask_first), "mask-first");
  EXPECT_FALSE(parse_order("mask").has_value());
}

TEST(PsfGrid, RefusesWhatDoesNotFit) {
  const Shape frame{1, 1, 20, 30};
  const auto error = [&](const Image<double>& psfs) {
    return test::error_of([&] { psf_grid_operator<double>(frame, psfs, GridOrder::mask_first); });
  };
  Image<double> psfs = random_psfs({2, 3, 3, 3});
  psfs.data()[5 * 9 + 2] = NAN;
  EXPECT_EQ(error(psfs), "psf grid: cell (1, 2): psf: expected finite values, got nan at (0, 2)");
  std::fill_n(psfs.data() + 9, 9, 0.0);
  EXPECT_EQ(error(psfs), "psf grid: cell (0, 1): psf: expected values with a sum > 0, got 0");
  EXPECT_EQ(error(random_psfs({2, 3, 3, 31})),
            "psf grid: expected point-spread functions no larger than the image of 20 x 30 pixels, "
            "got 3 x 31");
  EXPECT_EQ(error(random_psfs({21, 3, 3, 3})),
            "psf grid: expected no more cells than pixels, 20 x 30, got 21 x 3");
  EXPECT_EQ(error(test::lopsided_psf(3, 3)),
            "psf grid: expected point-spread functions (ny, nx, H, W), got shape (3, 3)");
}

}  // namespace
}  // namespace blurfield
