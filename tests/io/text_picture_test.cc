// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/text_picture.h"

#include <numeric>

#include "tests/io/files.h"

namespace blurfield::io {
namespace {

double ink(const Image<float>& text) {
  return std::accumulate(text.data(), text.data() + text.elements(), 0.0);
}

TEST(TextPicture, TextsShareTheirHeightWhateverTheirLetters) {
  const Index height = text_picture("box", 16).shape()[2];
  for (const char* text : {"gaussian-peak", ".", "0.5 + v / 3.2", "Sobel"}) {
    const Image<float> picture = text_picture(text, 16);
    EXPECT_EQ(picture.shape()[2], height) << text;
    for (float v : values(picture)) EXPECT_TRUE(v >= 0 && v <= 1);
  }
  EXPECT_GT(text_picture("box", 32).shape()[2], height + 8);
}

TEST(TextPicture, CoversAsMuchAsItsLetters) {
  const double one = ink(text_picture("n", 16));
  EXPECT_GT(one, 10);
  EXPECT_NEAR(ink(text_picture("nnnn", 16)), 4 * one, 0.1 * one);
  EXPECT_GT(ink(text_picture("n", 16, true)), 1.2 * one);
  EXPECT_EQ(ink(text_picture(" ", 16)), 0);
}

TEST(TextPicture, MarkupAndBrokenBytesAreText) {
  const Index plain = text_picture("b", 16).shape()[3];
  EXPECT_GT(text_picture("<b>b</b>", 16).shape()[3], 4 * plain);
  EXPECT_GT(ink(text_picture("a & \xff\n<", 16)), ink(text_picture("a", 16)));
  EXPECT_THROW(text_picture("", 16), Error);
  EXPECT_THROW(text_picture("a", 0), Error);
}

}  // namespace
}  // namespace blurfield::io
