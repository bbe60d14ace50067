// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/report/page.h"

#include <gtest/gtest.h>

#include <cmath>

#include "blurfield/report/blur_section.h"
#include "blurfield/report/curve.h"
#include "blurfield/report/ellipses.h"

namespace blurfield::report {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Stands for a PNG encoder: tells the shape and the first value it was given.
std::vector<std::uint8_t> encode(const View<const float>& picture) {
  return {static_cast<std::uint8_t>(picture.height()), static_cast<std::uint8_t>(picture.width()),
          static_cast<std::uint8_t>(255 * picture.at(0, 0, 0, 0))};
}

Image<float> ramp(Index channels, Index height, Index width) {
  Image<float> image({1, channels, height, width});
  for (Index i = 0; i < image.elements(); ++i) {
    image.data()[i] = static_cast<float>(i) / static_cast<float>(image.elements());
  }
  return image;
}

TEST(Page, IsOneSelfContainedFile) {
  Page page("a < b", "sub & title");
  page.section("Heading");
  page.paragraph("1 < 2");
  page.link("more & more", "sub/index.html");
  page.table({{"name", "value"}, {"sigma", "1.5"}});
  page.code("blurfield blur 'a b.png' out.png");
  const std::string html = page.html();
  EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(html.ends_with("</html>\n"));
  EXPECT_TRUE(has(html, "<title>a &lt; b</title>"));
  EXPECT_TRUE(has(html, "sub &amp; title"));
  EXPECT_TRUE(has(html, "<a href=\"sub/index.html\">more &amp; more</a>"));
  EXPECT_TRUE(has(html, "<th>name</th>"));
  EXPECT_TRUE(has(html, "<td>sigma</td><td class=\"number\">1.5</td>"));
  EXPECT_TRUE(has(html, "<pre><code>blurfield blur &#39;a b.png&#39; out.png</code></pre>"));
  EXPECT_TRUE(has(html, "prefers-color-scheme: dark"));
  EXPECT_FALSE(has(html, "<script"));
  EXPECT_FALSE(has(html, "http"));
}

TEST(Panel, ShrinksOnlyLargePictures) {
  const Image<float> small = ramp(1, 4, 6);
  EXPECT_EQ(png_address(small.view(), encode), "data:image/png;base64,BAYA");
  const Image<float> large = ramp(1, 2, 2 * kLargestSide);
  // 2 x 2 blocks of a linear ramp: their mean is the ramp's own.
  Index width = 0;
  Index height = 0;
  float first = 0;
  png_address(large.view(), [&](const View<const float>& picture) {
    height = picture.height();
    width = picture.width();
    first = picture.at(0, 0, 0, 0);
    return std::vector<std::uint8_t>{0};
  });
  EXPECT_EQ(height, 1);
  EXPECT_EQ(width, kLargestSide);
  EXPECT_NEAR(first, 0.25 + 0.5 / 4096, 1e-4);
}

TEST(Panel, CropIsAWindow) {
  const Image<float> image = ramp(3, 5, 7);
  const View<const float> part = crop(image.view(), {1, 2, 3, 4});
  EXPECT_EQ(part.shape, (Shape{1, 3, 3, 4}));
  EXPECT_EQ(part.at(0, 2, 2, 3), image.view().at(0, 2, 3, 5));
  EXPECT_THROW(crop(image.view(), {3, 2, 3, 4}), Error);
}

TEST(Panel, MostChangedFindsTheChange) {
  const Image<float> a = ramp(1, 40, 50);
  Image<float> b(a.view());
  b.view().at(0, 0, 31, 9) += 1;
  const Crop window = most_changed(a.view(), b.view(), 16);
  EXPECT_LE(window.y, 31);
  EXPECT_GT(window.y + window.height, 31);
  EXPECT_LE(window.x, 9);
  EXPECT_GT(window.x + window.width, 9);
  const Crop all = most_changed(a.view(), b.view(), 1000);
  EXPECT_EQ(all.height, 40);
  EXPECT_EQ(all.width, 50);
}

TEST(Panel, MapHasALabelledColourBar) {
  const Image<float> map = ramp(1, 4, 5);  // 0 .. 0.95
  const Panel panel = map_panel(map.view(), 0, ColourMap::viridis, "px", encode, "Sigma.");
  EXPECT_TRUE(has(panel.html, "linear-gradient(to right, #440154"));
  EXPECT_TRUE(has(panel.html, "<span>0</span>"));
  EXPECT_TRUE(has(panel.html, "<span>0.95 px</span>"));
}

TEST(Ellipses, AxesAndOrientation) {
  // 3 along x, 1 along y, turned by 30 degrees towards +y (clockwise on the screen).
  const double t = std::acos(-1) / 6;
  const double yy = 9 * std::sin(t) * std::sin(t) + std::cos(t) * std::cos(t);
  const double yx = 8 * std::sin(t) * std::cos(t);
  const double xx = 9 * std::cos(t) * std::cos(t) + std::sin(t) * std::sin(t);
  const Ellipse ellipse = covariance_ellipse(yy, yx, xx);
  EXPECT_NEAR(ellipse.major, 3, 1e-12);
  EXPECT_NEAR(ellipse.minor, 1, 1e-12);
  EXPECT_NEAR(ellipse.degrees, 30, 1e-9);
  EXPECT_NEAR(std::abs(covariance_ellipse(4, 0, 1).degrees), 90, 1e-9);
}

TEST(Ellipses, CoverTheField) {
  const Image<float> picture = ramp(1, 30, 40);
  Image<float> cov({1, 3, 30, 40});
  for (Index i = 0; i < 1200; ++i) cov.data()[i] = cov.data()[2400 + i] = 4;
  const Panel panel = ellipses_panel(picture.view(), cov.view(), encode, "Field.", 4);
  EXPECT_EQ(count(panel.html, "<ellipse"), 12u);  // every 10 pixels
  EXPECT_TRUE(has(panel.html, "rx=\"4.80\" ry=\"4.80\""));
  EXPECT_TRUE(has(panel.caption, "2.4 times"));
  EXPECT_THROW(ellipses_panel(picture.view(), ramp(3, 3, 3).view(), encode, "Field."), Error);
}

TEST(Curve, DrawsFinitePiecesWithinItsAxes) {
  const double nan = std::nan("");
  const Panel panel =
      curve_panel({{"one & two", {0, 1, 2, 3}, {0, 10, nan, 5}}}, {"x", "y"}, "Caption.");
  EXPECT_TRUE(has(panel.html, "one &amp; two"));
  EXPECT_EQ(count(panel.html, "viewBox=\"0 0 560 300\""), 1u);
  EXPECT_TRUE(has(panel.html, "M80.0 "));   // x = 0 at the left edge of the axes
  EXPECT_TRUE(has(panel.html, "M540.0 "));  // x = 3, after the gap, at the right edge
  EXPECT_FALSE(has(panel.html, "nan"));
  EXPECT_THROW(curve_panel({{"bad", {0, 1}, {0}}}, {}, ""), Error);
  EXPECT_THROW(curve_panel({{"none", {nan}, {0}}}, {}, ""), Error);
}

TEST(Curve, LogarithmicAxesGiveDecadesEqualRoom) {
  Axes axes{"x", "y"};
  axes.log_x = axes.log_y = true;
  const Curve curve{"one", {1, 10, 100, 200, 10000}, {1, 10, 100, 0, 10000}};
  const Panel panel = curve_panel({curve}, axes, "Caption.");
  // From 80 to 540 over four decades, and a gap where y is 0.
  EXPECT_TRUE(has(panel.html, "M80.0 "));
  EXPECT_TRUE(has(panel.html, "L195.0 "));
  EXPECT_TRUE(has(panel.html, "L310.0 "));
  EXPECT_TRUE(has(panel.html, "M540.0 "));
  EXPECT_TRUE(has(panel.html, ">1000</text>"));
  EXPECT_THROW(curve_panel({{"none", {1, -1}, {0, 5}}}, axes, ""), Error);
}

TEST(Curve, BroadLinesAreDrawnBroad) {
  const Curve narrow{"narrow", {0, 1}, {0, 1}};
  Curve broad = narrow;
  broad.broad = true;
  EXPECT_EQ(count(curve_panel({narrow, narrow}, {}, "").html, "stroke-width=\"8\""), 0u);
  EXPECT_EQ(count(curve_panel({broad, narrow}, {}, "").html, "stroke-width=\"8\""), 2u);
}

TEST(Curve, FileStandsAlone) {
  const std::string file = svg_file(curve_panel({{"one", {0, 1}, {0, 1}}}, {}, "Caption."));
  EXPECT_TRUE(file.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "));
  EXPECT_TRUE(file.ends_with("</svg>\n"));
  EXPECT_TRUE(has(file, "viewBox=\"0 0 560 300\""));
  EXPECT_THROW(svg_file({"<img>", ""}), Error);
}

TEST(BlurSection, HoldsPanelsAndCommand) {
  const Image<float> input = ramp(3, 32, 32);
  const Image<float> result = ramp(3, 32, 32);
  const Image<float> field = ramp(2, 32, 32);
  BlurSection section;
  section.heading = "Blur";
  section.input = input;
  section.result = result;
  section.field = field;
  section.field_caption = "Sigma.";
  section.command = "blurfield blur a b --sigma-map c";
  Page page("title");
  add_blur_section(page, section, encode);
  const std::string html = page.html();
  EXPECT_EQ(count(html, "data:image/png"), 6u);  // input, two sigmas, result, two crops
  EXPECT_EQ(count(html, "class=\"bar\""), 2u);
  EXPECT_EQ(count(html, "<svg"), 1u);
  EXPECT_TRUE(has(html, section.command));
}

}  // namespace
}  // namespace blurfield::report
