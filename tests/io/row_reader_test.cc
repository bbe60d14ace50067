// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/rows/row_reader.h"

#include "tests/io/files.h"
#include "tests/io/raw_files.h"

namespace blurfield::io {
namespace {

// All pages, `band` rows at a time.
template <class T>
std::vector<T> in_bands(RowReader<T>& reader, Index band) {
  Image<T> whole(reader.shape());
  const View<T> all = whole;
  for (Index page = 0; page < all.batch(); ++page) {
    for (Index y = 0; y < all.height(); y += band) {
      View<T> rows = all;
      rows.data = all.row(page, 0, y);
      rows.shape[0] = 1;
      rows.shape[2] = std::min(band, all.height() - y);
      reader.read(page, y, rows);
    }
  }
  return values(whole);
}

struct Kind {
  const char* extension;
  Sample sample;
};

class RowReaders : public testing::TestWithParam<Kind> {};

// Bands of rows are those of the whole image, in any order, of a photograph and of a map.
TEST_P(RowReaders, ReadWhatIsLoaded) {
  const auto [extension, sample] = GetParam();
  const Folder folder;
  for (const bool alpha : {false, true}) {
    const std::string path = folder / (message(alpha) + extension);
    const auto image = random_picture<double>({1, alpha ? 4 : 3, 201, 37}, sample, 1);
    save<double>(path, image, {.sample = sample, .alpha = alpha});
    const auto picture = load_picture<double>(path);
    const auto reader = read_picture_rows<double>(path);
    EXPECT_EQ(reader->shape(), picture.pixels.shape());
    EXPECT_EQ(reader->header().alpha, picture.alpha);
    EXPECT_EQ(reader->header().info.sample, sample);
    for (const Index band : {7, 64, 201}) {  // each begins the file again
      EXPECT_EQ(in_bands(*reader, band), values(picture.pixels)) << path << " " << band;
    }
    for (const bool normalise : {false, true}) {
      const auto map = load_map<double>(path, normalise);
      EXPECT_EQ(in_bands(*read_map_rows<double>(path, normalise), 50), values(map.pixels));
    }
  }
}

std::vector<Kind> lossless() {
  std::vector<Kind> all = {{".png", Sample::u8}, {".png", Sample::u16}};
  for (Sample sample :
       {Sample::u8, Sample::u16, Sample::u32, Sample::i16, Sample::f32, Sample::f64}) {
    all.insert(all.end(), {{".tif", sample}, {".fits", sample}});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Lossless, RowReaders, testing::ValuesIn(lossless()), [](const auto& test) {
  return std::string(test.param.extension + 1) + sample_name(test.param.sample);
});

TEST(RowReader, ReadsJpegAsItIsLoaded) {
  const Folder folder;
  save<float>(folder / "a.jpg", random_picture<float>({1, 3, 150, 40}, Sample::u8, 2), {});
  EXPECT_EQ(in_bands(*read_picture_rows<float>(folder / "a.jpg"), 33),
            values(load_picture<float>(folder / "a.jpg").pixels));
}

TEST(RowReader, SkipsRowsAndGoesBack) {
  const Folder folder;
  const auto image = random_picture<float>({1, 1, 400, 9}, Sample::f32, 3);
  for (const char* name : {"a.tif", "a.fits"}) {
    save<float>(folder / name, image, {.sample = Sample::f32});
    const auto reader = read_picture_rows<float>(folder / name);
    Image<float> rows({1, 1, 3, 9});
    for (const Index first : {300, 5, 6, 397, 0}) {
      reader->read(0, first, rows);
      EXPECT_TRUE(std::equal(rows.data(), rows.data() + 27, image.view().row(0, 0, first)))
          << name << " " << first;
    }
  }
}

TEST(RowReader, PagesAreABatchAndAMapsChannels) {
  const Folder folder;
  const auto image = random_picture<double>({3, 2, 90, 11}, Sample::f64, 4);
  for (const char* name : {"a.tif", "a.fits"}) {
    save<double>(folder / name, image, {.sample = Sample::f64});
    EXPECT_EQ(in_bands(*read_picture_rows<double>(folder / name), 40), values(image));
    const auto map = read_map_rows<double>(folder / name, false);
    EXPECT_EQ(map->shape(), Shape({1, 6, 90, 11}));
    EXPECT_EQ(in_bands(*map, 40), values(image));
  }
}

// One strip as high as the image: of planes one after another, of doubles, and compressed by none.
TEST(RowReader, ReadsTallStrips) {
  const Folder folder;
  Random random(5);
  for (const std::uint16_t bits : {std::uint16_t{32}, std::uint16_t{64}}) {
    TiffPage page{13, 150, 2, bits, 1, {}, {{339, 3, {3, 3}}, {338, 3, {0}}}};
    std::vector<double> expected;
    for (int i = 0; i < 2 * 13 * 150; ++i) {
      const auto value = static_cast<float>(random.normal());
      expected.push_back(static_cast<double>(value));
      if (bits == 32) append(page.pixels, value);
      if (bits == 64) append(page.pixels, static_cast<double>(value));
    }
    write_bytes(folder / "a.tif", tiff_bytes({page}));
    const auto reader = read_picture_rows<double>(folder / "a.tif");
    const std::vector<double> planes = in_bands(*reader, 41);
    ASSERT_EQ(planes.size(), expected.size());
    for (std::size_t i = 0; i < planes.size(); ++i) {
      ASSERT_EQ(planes[i], expected[i % (13 * 150) * 2 + i / (13 * 150)]) << bits << " " << i;
    }
  }
}

TEST(RowReader, MirrorsRowsButRefusesToTurnThem) {
  const Folder folder;
  for (std::uint32_t orientation = 1; orientation <= 8; ++orientation) {
    const TiffPage page{3, 2, 1, 8, 1, "abcdef", {{274, 3, {orientation}}}};
    write_bytes(folder / "a.tif", tiff_bytes({page}));
    if (orientation <= 2) {
      EXPECT_EQ(in_bands(*read_picture_rows<float>(folder / "a.tif"), 1),
                values(load_picture<float>(folder / "a.tif").pixels));
    } else {
      EXPECT_NE(error_of([&] { read_picture_rows<float>(folder / "a.tif"); }).find("orientation"),
                std::string::npos);
    }
  }
}

TEST(RowReader, RefusesWhatIsDecodedWhole) {
  const Folder folder;
  save<float>(folder / "a.webp", random_picture<float>({1, 3, 20, 20}, Sample::u8, 6), {});
  EXPECT_NE(error_of([&] { read_picture_rows<float>(folder / "a.webp"); }).find("a.webp: WebP"),
            std::string::npos);
}

TEST(RowReader, TellsWhatIsWrong) {
  const Folder folder;
  EXPECT_NE(error_of([&] { read_picture_rows<float>(folder / "no.tif"); }).find("no.tif"),
            std::string::npos);
  const auto image = random_picture<float>({1, 1, 300, 50}, Sample::f32, 7);
  save<float>(folder / "a.fits", image, {.sample = Sample::f32});
  std::filesystem::resize_file(folder / "a.fits", 30000);
  const auto reader = read_picture_rows<float>(folder / "a.fits");
  Image<float> rows({1, 1, 10, 50});
  reader->read(0, 0, rows);
  EXPECT_EQ(rows.data()[0], image.data()[0]);
  EXPECT_NE(error_of([&] { reader->read(0, 290, rows); }).find("a.fits: cannot decode"),
            std::string::npos);
  EXPECT_NE(error_of([&] { reader->read(0, 291, rows); }).find("expected rows"), std::string::npos);
  Image<float> wide({1, 1, 10, 51});
  EXPECT_NE(error_of([&] { reader->read(0, 0, wide); }).find("expected room"), std::string::npos);
}

}  // namespace
}  // namespace blurfield::io
