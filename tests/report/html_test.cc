// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/report/html.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace blurfield::report {
namespace {

std::string encoded(std::string_view text) {
  return base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

TEST(Html, EscapesMarkup) {
  EXPECT_EQ(escape("<a b=\"c&d'\">"), "&lt;a b=&quot;c&amp;d&#39;&quot;&gt;");
}

TEST(Html, Base64IsThatOfRfc4648) {
  EXPECT_EQ(encoded(""), "");
  EXPECT_EQ(encoded("f"), "Zg==");
  EXPECT_EQ(encoded("fo"), "Zm8=");
  EXPECT_EQ(encoded("foobar"), "Zm9vYmFy");
  EXPECT_EQ(encoded("\xff\xfe\x00"), "//4=");  // the literal ends at its NUL
}

TEST(Html, NumbersAreShort) {
  EXPECT_EQ(number(0.25), "0.25");
  EXPECT_EQ(number(2.0), "2");
  EXPECT_EQ(number(123456.0, 3), "1.23e+05");
}

TEST(Html, ShellReadsAQuotedWordBack) {
  EXPECT_EQ(shell_quote("examples/a-b_c.png"), "examples/a-b_c.png");
  for (const std::string word : {"", "two words", "it's", "$HOME `x` \"y\" \\ *?", "a;b&c|d"}) {
    const std::string command = "test " + shell_quote(word) + " = \"$WORD\"";
    ASSERT_EQ(setenv("WORD", word.c_str(), 1), 0);
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
  }
}

TEST(Html, TicksAreRoundAndWithin) {
  EXPECT_EQ(round_ticks(0, 10, 5), (std::vector<double>{0, 2, 4, 6, 8, 10}));
  EXPECT_EQ(round_ticks(3, 3, 5), (std::vector<double>{3}));
  for (const double high : {1e-7, 0.37, 4.0, 511.0, 2.5e9}) {
    const auto ticks = round_ticks(-0.3 * high, high, 6);
    EXPECT_GE(ticks.size(), 2u);
    EXPECT_LE(ticks.size(), 8u);
    EXPECT_GE(ticks.front(), -0.3 * high * (1 + 1e-9));
    EXPECT_LE(ticks.back(), high * (1 + 1e-9));
  }
}

TEST(Html, LogarithmicTicksAreRoundAndWithin) {
  EXPECT_EQ(log_ticks(3, 127, 7), (std::vector<double>{5, 10, 20, 50, 100}));
  EXPECT_EQ(log_ticks(0.5, 2000, 5), (std::vector<double>{1, 10, 100, 1000}));
  EXPECT_EQ(log_ticks(1, 1e12, 5), (std::vector<double>{1, 1e3, 1e6, 1e9, 1e12}));
  for (const double high : {1.1, 1.9, 7.0, 300.0, 1e30}) {
    const auto ticks = log_ticks(1, high, 6);
    EXPECT_GE(ticks.size(), 2u) << high;
    EXPECT_LE(ticks.size(), 8u) << high;
    EXPECT_GE(ticks.front(), 1 - 1e-9);
    EXPECT_LE(ticks.back(), high * (1 + 1e-9));
  }
}

}  // namespace
}  // namespace blurfield::report
