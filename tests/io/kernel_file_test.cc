// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/kernel_file.h"

#include <cstring>

#include "tests/io/files.h"

namespace blurfield::io {
namespace {

class KernelFile : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& bytes) {
    const std::string path = folder_ / name;
    write_bytes(path, bytes);
    return path;
  }
  void expect(const std::string& path, const Shape& shape, const std::vector<double>& expected) {
    const Image<double> kernel = load_kernel(path);
    EXPECT_EQ(kernel.shape(), shape) << path;
    EXPECT_EQ(values(kernel), expected) << path;
  }
  // The error must name the file, which is not repeated in `expected`.
  void expect_refused(const std::string& path, const std::string& expected) {
    const std::string error = error_of([&] { load_kernel(path); });
    EXPECT_EQ(error, path + ": " + expected);
  }
  void expect_text_refused(const std::string& text, const std::string& expected) {
    expect_refused(file("k.txt", text), expected);
  }

  Folder folder_;
};

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xff);
  return text;
}

std::string npy(const std::string& header, const std::string& numbers, char version = 1) {
  return std::string("\x93NUMPY") + version + '\0' + little(header.size(), version == 1 ? 2 : 4) +
         header + numbers;
}

std::string header(const std::string& type, const std::string& shape,
                   const std::string& fortran = "False") {
  return "{'descr': " + type + ", 'fortran_order': " + fortran + ", 'shape': " + shape + ", }   \n";
}

template <class T>
std::string raw(const std::vector<T>& numbers, bool big_endian = false) {
  std::string bytes;
  for (T number : numbers) {
    std::string one(sizeof(T), '\0');
    std::memcpy(one.data(), &number, sizeof(T));
    if (big_endian) std::reverse(one.begin(), one.end());
    bytes += one;
  }
  return bytes;
}

const std::vector<double> kSix = {1, -2.5, 3, 4e-3, 5, 6};

TEST_F(KernelFile, TextWithBlanksCommasAndComments) {
  expect(file("a.txt", "1 -2.5 3\n4e-3 5 6\n"), {2, 3}, kSix);
  expect(file("b.csv", "# a kernel\r\n1,-2.5, 3\r\n\r\n.004 , 5,6 # the last row"), {2, 3}, kSix);
  expect(file("c", "\xef\xbb\xbf\t+1\t-25e-1 \t3\n  # 7 8\n  4e-3 5 +6"), {2, 3}, kSix);
  expect(file("one.txt", "7"), {1, 1}, {7});
  expect(file("row.txt", "1 2 3 4"), {1, 4}, {1, 2, 3, 4});
  expect(file("column.txt", "1\n2\n"), {2, 1}, {1, 2});
  expect(file("cr.txt", "# a kernel\r1 2\r3 4\r"), {2, 2}, {1, 2, 3, 4});
  expect(file("tiny.txt", "1e-400 -1e-400 1e-310 +1e-999"), {1, 4}, {0, 0, 1e-310, 0});
}

TEST_F(KernelFile, TextErrorsNameTheLine) {
  expect_text_refused("1 2 3\n\n# x\n4 5 6\n7 8 9 10\n",
                      "row 3 on line 5 has 4 numbers, expected 3");
  expect_text_refused("1 2\n3\n", "row 2 on line 2 has 1 number, expected 2");
  expect_text_refused("1 2\n3 four\n", "line 2: expected a number, got 'four'");
  expect_text_refused("1 2\n3 4x", "line 2: expected a number, got '4x'");
  expect_text_refused("1 0x10", "line 1: expected a number, got '0x10'");
  expect_text_refused("1;2", "line 1: expected a number, got '1;2'");
  expect_text_refused("+-1", "line 1: expected a number, got '+-1'");
  expect_text_refused("1 nan\n", "line 1: expected a finite number, got 'nan'");
  expect_text_refused("\n1 -inf\n", "line 2: expected a finite number, got '-inf'");
  expect_text_refused("1e999\n", "line 1: expected a number that fits a double, got '1e999'");
  expect_text_refused("1\r2\r\n3x\r", "line 3: expected a number, got '3x'");
  expect_text_refused("-1e999\n", "line 1: expected a number that fits a double, got '-1e999'");
  expect_text_refused("1,,2\n", "line 1: expected a number before ','");
  expect_text_refused(",1\n", "line 1: expected a number before ','");
  expect_text_refused("1, 2, # 3\n", "line 1: expected a number after ','");
  expect_text_refused("# nothing\n\n", "expected rows of numbers, got none on 2 lines");
  expect_text_refused("", "the file is empty");
  expect_text_refused("\x01\x02" + std::string(40, 'a'),
                      "line 1: expected a number, got '??" + std::string(22, 'a') + "...'");
}

TEST_F(KernelFile, NpyOfBothTypesBothOrdersAndAllVersions) {
  std::vector<float> floats(kSix.begin(), kSix.end());
  std::vector<double> rounded(floats.begin(), floats.end());
  const std::string shape = "(2, 3)";
  expect(file("a.npy", npy(header("'<f8'", shape), raw(kSix))), {2, 3}, kSix);
  expect(file("b.npy", npy(header("'>f8'", shape), raw(kSix, true))), {2, 3}, kSix);
  expect(file("c.npy", npy(header("'<f4'", shape), raw(floats), 2)), {2, 3}, rounded);
  expect(file("d.npy", npy(header("'>f4'", shape), raw(floats, true), 3)), {2, 3}, rounded);
  expect(file("e", npy(header("'<f8'", "(6,)"), raw(kSix))), {1, 6}, kSix);
}

TEST_F(KernelFile, NpyErrorsSayWhatIsExpected) {
  const std::string data = raw(kSix);
  const auto refused = [&](const std::string& bytes, const std::string& expected) {
    expect_refused(file("k.npy", bytes), expected);
  };
  const std::string types = "expected float32 or float64 ('<f4', '>f4', '<f8' or '>f8'), got ";
  refused(npy(header("'<i8'", "(2, 3)"), data), types + "'<i8'");
  refused(npy(header("'|b1'", "(2, 3)"), data), types + "'|b1'");
  refused(npy(header("[('a', '<f8')]", "(2, 3)"), data), types + "'[('a', '<f8')], 'fortran...'");
  refused(npy(header("'<f8'", "(2, 3)", "True"), data),
          "expected C order, got Fortran order (numpy.ascontiguousarray changes it)");
  refused(npy(header("'<f8'", "(1, 2, 3)"), data),
          "expected an array of 1 or 2 axes, got 3: shape '(1, 2, 3)'");
  refused(npy(header("'<f8'", "()"), raw<double>({1})),
          "expected an array of 1 or 2 axes, got 0: shape '()'");
  refused(npy(header("'<f8'", "(2, 0)"), ""), "the kernel has zero size: shape '(2, 0)'");
  refused(npy(header("'<f8'", "(2, -3)"), data), "damaged .npy file: got shape '(2, -3)'");
  refused(npy(header("'<f8'", "(2, 3"), data), "damaged .npy file: got shape '(2, 3, }   ?'");
  refused(npy(header("'<f8'", "(2, 99999999999999999999)"), data),
          "damaged .npy file: got shape '(2, 99999999999999999999...'");
  refused(npy(header("'<f8'", "(4611686018427387904, 4)"), data),
          "truncated or damaged .npy file: expected 4611686018427387904 x 4 numbers of 8 bytes, "
          "got 48 bytes");
  refused(npy(header("'<f8'", "(2, 3)"), data + "x"),
          "truncated or damaged .npy file: expected 2 x 3 numbers of 8 bytes, got 49 bytes");
  refused(npy("{}", data), "damaged .npy file: expected 'descr' in its header");
  refused(npy(header("'<f8'", "(2, 3)"), data, 4),
          "expected a .npy file of version 1, 2 or 3, got 4");
  refused("hello", "not a .npy file: expected \\x93NUMPY first");
  refused(std::string("\x93NUMPY\x02\0", 8) + little(0xffffffff, 4) + "{}",
          "truncated .npy file: expected a header of 4294967295 bytes, got 2");
  refused(npy(header("'<f8'", "(1, 2)"), raw<double>({1, NAN})),
          "expected finite numbers, got nan at (y, x) = (0, 1)");
}

TEST_F(KernelFile, NpyCutAnywhereIsAnError) {
  const std::string whole = npy(header("'<f4'", "(2, 2)"), raw<float>({1, 2, 3, 4}));
  EXPECT_EQ(values(load_kernel(file("k.npy", whole))), (std::vector<double>{1, 2, 3, 4}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string path = file("k.npy", whole.substr(0, size));
    EXPECT_TRUE(error_of([&] { load_kernel(path); }).starts_with(path + ": ")) << size;
  }
}

TEST_F(KernelFile, NpyWithAnyByteChangedNeverCrashes) {
  const std::string whole = npy(header("'<f4'", "(2, 2)"), raw<float>({1, 2, 3, 4}));
  Random random(1);
  int errors = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(random.integer(0, 255));
    try {
      load_kernel(file("k.npy", bytes));
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("k.npy: "), std::string::npos);
      ++errors;
    }
  }
  EXPECT_GT(errors, 10);
}

TEST_F(KernelFile, ImagesOfOneChannel) {
  Image<double> picture({1, 1, 2, 3});
  const std::vector<double> levels = {0, 1, 51 / 255.0, 102 / 255.0, 0.6, 0.8};
  std::copy(levels.begin(), levels.end(), picture.data());
  save<double>(folder_ / "k.png", picture, {});
  const Image<double> kernel = load_kernel(folder_ / "k.png");
  EXPECT_EQ(kernel.shape(), (Shape{2, 3}));
  for (Index i = 0; i < 6; ++i) EXPECT_NEAR(kernel.data()[i], picture.data()[i], 1e-12);
  picture.data()[2] = -7.5;
  for (const char* name : {"k.tif", "k.fits"}) {
    save<double>(folder_ / name, picture, {.sample = Sample::f64});
    expect(folder_ / name, {2, 3}, values(picture));
  }
}

// Channels that are equal, and alpha 1 for even numbers of them.
Image<double> in_colour(Index channels) {
  Image<double> picture({1, channels, 2, 3});
  for (Index c = 0; c < channels; ++c) {
    for (Index i = 0; i < 6; ++i) {
      const bool alpha = channels % 2 == 0 && c + 1 == channels;
      picture.data()[c * 6 + i] = alpha ? 1 : static_cast<double>(i) / 5;
    }
  }
  return picture;
}

TEST_F(KernelFile, GreyImagesOfSeveralChannelsAndOpaqueOnes) {
  for (Index channels = 1; channels <= 4; ++channels) {
    for (const char* name : {"k.png", "k.tif"}) {
      save<double>(folder_ / name, in_colour(channels),
                   {.alpha = channels % 2 == 0, .overwrite = true});
      expect(folder_ / name, {2, 3}, {0, 0.2, 0.4, 0.6, 0.8, 1});
    }
  }
}

TEST_F(KernelFile, ColouredAndTransparentImagesAreErrors) {
  Image<double> colour = in_colour(4);
  colour.view().at(0, 2, 1, 0) = 0.2;
  save<double>(folder_ / "colour.png", colour, {.alpha = true});
  expect_refused(folder_ / "colour.png",
                 "expected a kernel in grey, its 3 channels equal, got 0.6 and 0.2 at (y, x) = "
                 "(1, 0)");
  Image<double> clear = in_colour(2);
  clear.view().at(0, 1, 0, 2) = 0.4;
  save<double>(folder_ / "clear.png", clear, {.alpha = true});
  expect_refused(folder_ / "clear.png",
                 "expected an opaque kernel, got alpha 0.4 at (y, x) = (0, 2)");
}

TEST_F(KernelFile, OtherImagesAreErrors) {
  save<double>(folder_ / "pages.tif", Image<double>({2, 1, 4, 5}), {.sample = Sample::f32});
  expect_refused(folder_ / "pages.tif", "expected a kernel of 1 page, got 2");
  Image<double> nan({1, 1, 3, 4});
  nan.data()[6] = INFINITY;
  save<double>(folder_ / "nan.tif", nan, {.sample = Sample::f32});
  expect_refused(folder_ / "nan.tif", "expected finite numbers, got inf at (y, x) = (1, 2)");
  const std::string whole = read_bytes(folder_ / "nan.tif");
  const std::string half = file("half.tif", whole.substr(0, whole.size() / 2));
  EXPECT_TRUE(error_of([&] { load_kernel(half); }).starts_with(half + ": "));
}

TEST_F(KernelFile, FilesThatAreNone) {
  expect_refused(folder_ / "none.txt", "cannot open: No such file or directory");
  std::filesystem::create_directory(folder_ / "folder");
  expect_refused(folder_ / "folder", "is a folder; expected a file");
}

}  // namespace
}  // namespace blurfield::io
