// SPDX-License-Identifier: BSD-3-Clause
// FITS against files written byte by byte.
#include <cmath>

#include "tests/io/files.h"
#include "tests/io/raw_files.h"

namespace blurfield::io {
namespace {

std::vector<std::string> cards(int bitpix, std::vector<int> axes,
                               const std::vector<std::string>& more = {}) {
  char line[81];
  const auto number = [&](const std::string& key, int value) {
    std::snprintf(line, sizeof line, "%-8s= %20d", key.c_str(), value);
    return std::string(line);
  };
  std::vector<std::string> all = {"SIMPLE  =                    T", number("BITPIX", bitpix)};
  all.push_back(number("NAXIS", static_cast<int>(axes.size())));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    all.push_back(number(message("NAXIS", i + 1), axes[i]));
  }
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string int16_data(const std::vector<int>& numbers) {
  std::string data;
  for (int n : numbers) append_big_endian(data, static_cast<std::int16_t>(n));
  return data;
}

std::string float_data(const std::vector<float>& numbers) {
  std::string data;
  for (float n : numbers) append_big_endian(data, n);
  return data;
}

// Row 1 of FITS is y = 0; a TIFF map of the same rows reads the same.
TEST(Fits, FirstRowIsTheTopAsInTiff) {
  const Folder folder;
  const std::vector<float> rows = {1, 2, 3, 4, 5, 6};
  write_bytes(folder / "a.fits", fits_bytes(cards(-32, {3, 2}), float_data(rows)));
  TiffPage page{3, 2, 1, 32, 1, {}, {{339, 3, {3}}}};
  for (float v : rows) append(page.pixels, v);
  write_bytes(folder / "a.tif", tiff_bytes({page}));
  const auto fits = load_map<double>(folder / "a.fits", false);
  EXPECT_EQ(fits.pixels.shape(), Shape({1, 1, 2, 3}));
  EXPECT_EQ(fits.pixels.view().at(0, 0, 0, 2), 3.0);
  EXPECT_EQ(fits.pixels.view().at(0, 0, 1, 0), 4.0);
  EXPECT_EQ(values(fits.pixels), values(load_map<double>(folder / "a.tif", false).pixels));
}

TEST(Fits, BzeroMakesUnsigned16) {
  const Folder folder;
  const std::string path = folder / "a.fits";
  write_bytes(path, fits_bytes(cards(16, {4}, {"BZERO   =                32768"}),
                               int16_data({-32768, -1, 0, 32767})));
  const auto picture = load_picture<double>(path);
  EXPECT_EQ(picture.info.sample, Sample::u16);
  EXPECT_TRUE(picture.info.physical);
  EXPECT_EQ(picture.info.white, 65535.0);
  EXPECT_EQ(values(picture.pixels), (std::vector<double>{0, 32767, 32768, 65535}));
  EXPECT_EQ(values(load_map<double>(path, false).pixels), values(picture.pixels));
  EXPECT_EQ(load_map<double>(path, true).pixels.data()[1], 32767.0 / 65535);
  // Saved again, the bytes are the same.
  save<double>(folder / "b.fits", picture.pixels,
               {.sample = Sample::u16, .metadata = picture.metadata});
  const std::string copy = read_bytes(folder / "b.fits");
  EXPECT_EQ(copy.substr(copy.size() - 2880), read_bytes(path).substr(2880));
  EXPECT_NE(copy.find("BZERO   =                32768"), std::string::npos);
  EXPECT_NE(copy.find("NAXIS   =                    1"), std::string::npos) << "stays 1-D";
}

TEST(Fits, BscaleMakesPhysicalFloats) {
  const Folder folder;
  write_bytes(
      folder / "a.fits",
      fits_bytes(
          cards(16, {3, 1}, {"BSCALE  =                  0.5", "BZERO   =                 10.0"}),
          int16_data({-2, 0, 3})));
  const auto picture = load_picture<double>(folder / "a.fits");
  EXPECT_TRUE(is_float(picture.info.sample));
  EXPECT_EQ(values(picture.pixels), (std::vector<double>{9, 10, 11.5}));
}

TEST(Fits, BlankIsNotANumber) {
  const Folder folder;
  write_bytes(folder / "a.fits", fits_bytes(cards(16, {3, 1}, {"BLANK   =                   -7"}),
                                            int16_data({5, -7, 6})));
  const auto picture = load_picture<float>(folder / "a.fits");
  EXPECT_EQ(picture.info.sample, Sample::f32);
  EXPECT_EQ(picture.pixels.data()[0], 5.0F);
  EXPECT_TRUE(std::isnan(picture.pixels.data()[1]));
}

TEST(Fits, PhysicalIntegersClipAndRound) {
  const Folder folder;
  write_bytes(folder / "a.fits", fits_bytes(cards(16, {3, 1}), int16_data({1, 2, 3})));
  auto picture = load_picture<double>(folder / "a.fits");
  const double blurred[] = {1.6, -40000, 40000};
  std::copy(std::begin(blurred), std::end(blurred), picture.pixels.data());
  save<double>(folder / "b.fits", picture.pixels,
               {.sample = Sample::i16, .metadata = picture.metadata});
  EXPECT_EQ(values(load_picture<double>(folder / "b.fits").pixels),
            (std::vector<double>{2, -32768, 32767}));
  save<double>(folder / "b.tif", picture.pixels,
               {.sample = Sample::f32, .metadata = picture.metadata});
  EXPECT_EQ(load_picture<double>(folder / "b.tif").pixels.data()[2], 40000.0);
}

// White of one integer type becomes white of another outside FITS.
TEST(Fits, IntegersScaleToPhotographs) {
  const Folder folder;
  write_bytes(folder / "a.fits", fits_bytes(cards(16, {3, 1}, {"BZERO   =                32768"}),
                                            int16_data({-32768, 0, 32767})));
  const auto picture = load_picture<double>(folder / "a.fits");
  save<double>(folder / "b.png", picture.pixels, {.metadata = picture.metadata});
  EXPECT_EQ(values(load_map<double>(folder / "b.png", false).pixels),
            (std::vector<double>{0, 128, 255}));
  save<double>(folder / "c.png", picture.pixels,
               {.sample = Sample::u16, .metadata = picture.metadata});
  EXPECT_EQ(values(load_map<double>(folder / "c.png", false).pixels), values(picture.pixels));
}

TEST(Fits, CubesAreChannelsAndFourthAxisPages) {
  const Folder folder;
  const std::vector<float> numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  write_bytes(folder / "a.fits", fits_bytes(cards(-32, {2, 2, 3}), float_data(numbers)));
  const auto cube = load_picture<float>(folder / "a.fits");
  EXPECT_EQ(cube.pixels.shape(), Shape({1, 3, 2, 2}));
  EXPECT_EQ(values(cube.pixels), numbers);
  EXPECT_FALSE(cube.alpha);
  write_bytes(folder / "b.fits", fits_bytes(cards(-32, {2, 1, 2, 3}), float_data(numbers)));
  EXPECT_EQ(load_picture<float>(folder / "b.fits").pixels.shape(), Shape({3, 2, 1, 2}));
}

TEST(Fits, AxesOfLengthOneStay) {
  const Folder folder;
  write_bytes(folder / "a.fits", fits_bytes(cards(-32, {2, 1, 1}), float_data({1, 2})));
  const auto picture = load_picture<float>(folder / "a.fits");
  save<float>(folder / "b.fits", picture.pixels,
              {.sample = Sample::f32, .metadata = picture.metadata});
  EXPECT_NE(read_bytes(folder / "b.fits").find("NAXIS   =                    3"),
            std::string::npos);
}

TEST(Fits, HeaderCardsSurviveButNotTheLayout) {
  const Folder folder;
  write_bytes(folder / "a.fits",
              fits_bytes(cards(-32, {2, 1},
                               {"CRPIX1  =                  1.5 / pixel", "CTYPE1  = 'RA---TAN'",
                                "OBJECT  = 'M31     '", "COMMENT seen twice", "COMMENT seen twice",
                                "HIERARCH ESO TEL ALT = 57.5", "DATAMAX = 2.0",
                                "CHECKSUM= 'abcdefghijklmnop'"}),
                         float_data({1, 2})));
  const auto picture = load_picture<float>(folder / "a.fits");
  save<float>(folder / "b.fits", picture.pixels,
              {.sample = Sample::f64, .metadata = picture.metadata});
  const std::string header = read_bytes(folder / "b.fits").substr(0, 2880);
  for (const char* kept :
       {"CRPIX1  =                  1.5 / pixel", "CTYPE1  = 'RA---TAN'", "OBJECT  = 'M31     '",
        "HIERARCH ESO TEL ALT = 57.5", "BITPIX  =                  -64"}) {
    EXPECT_NE(header.find(kept), std::string::npos) << kept;
  }
  const auto count = [&](const std::string& word) {
    int n = 0;
    for (auto at = header.find(word); at != std::string::npos; at = header.find(word, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("seen twice"), 2);
  EXPECT_EQ(count("BITPIX"), 1);
  EXPECT_EQ(count("NAXIS1"), 1);
  EXPECT_EQ(count("SIMPLE"), 1);
  EXPECT_EQ(count("DATAMAX"), 0);
  EXPECT_EQ(count("CHECKSUM"), 0);
  // A second generation adds nothing.
  const auto again = load_picture<float>(folder / "b.fits");
  save<float>(folder / "c.fits", again.pixels, {.sample = Sample::f64, .metadata = again.metadata});
  EXPECT_EQ(read_bytes(folder / "c.fits"), read_bytes(folder / "b.fits"));
}

TEST(Fits, TheImageMayStandInAnExtension) {
  const Folder folder;
  std::vector<std::string> extension = cards(
      -32, {2, 1},
      {"PCOUNT  =                    0", "GCOUNT  =                    1", "EXTNAME = 'SCI     '"});
  extension[0] = "XTENSION= 'IMAGE   '";
  write_bytes(folder / "a.fits", fits_bytes(cards(8, {}, {"EXTEND  =                    T"}), "") +
                                     fits_bytes(extension, float_data({4, 5})));
  EXPECT_EQ(values(load_picture<float>(folder / "a.fits").pixels), (std::vector<float>{4, 5}));
}

TEST(Fits, PhotographsKeepTheirLevels) {
  const Folder folder;
  const auto image = random_picture<double>({1, 3, 4, 4}, Sample::u8, 1);
  save<double>(folder / "a.png", image, {});
  const auto picture = load_picture<double>(folder / "a.png");
  save<double>(folder / "a.fits", picture.pixels, {.metadata = picture.metadata});
  EXPECT_EQ(values(load_picture<double>(folder / "a.fits").pixels),
            values(load_map<double>(folder / "a.png", false).pixels));
}

TEST(Fits, BadFiles) {
  const Folder folder;
  const std::string path = folder / "a.fits";
  const auto fails = [&](const std::string& bytes, const char* reason) {
    write_bytes(path, bytes);
    const std::string text = error_of([&] { load_picture<float>(path); });
    EXPECT_EQ(text.find(path), 0U) << text;
    EXPECT_NE(text.find(reason), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  };
  fails(fits_bytes(cards(8, {}), ""), "no image");
  fails(fits_bytes(cards(8, {0, 3}), ""), "zero size");
  const std::string good = fits_bytes(cards(-32, {50, 50}), float_data(std::vector<float>(2500)));
  fails(good.substr(0, 2880), "cannot decode");
  fails(good.substr(0, good.size() - 2880), "cannot decode");
  fails(good.substr(0, 1000), "cannot");
  fails("SIMPLE  = nonsense", "cannot");
  fails("\x1f\x8b nonsense", "cannot");
}

}  // namespace
}  // namespace blurfield::io
