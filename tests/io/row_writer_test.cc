// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/rows/row_writer.h"

#include "tests/io/files.h"
#include "tests/io/raw_files.h"

namespace blurfield::io {
namespace {

template <class T>
void write_in_bands(const std::string& path, const Image<T>& image, const SaveOptions& options,
                    Index band) {
  const auto writer = write_rows<T>(path, image.shape(), options);
  const View<const T> all = image;
  for (Index page = 0; page < all.batch(); ++page) {
    for (Index y = 0; y < all.height(); y += band) {
      View<const T> rows = all;
      rows.data = all.row(page, 0, y);
      rows.shape[0] = 1;
      rows.shape[2] = std::min(band, all.height() - y);
      writer->write(rows);
    }
  }
  writer->finish();
}

struct Kind {
  const char* extension;
  Sample sample;
};

class RowWriters : public testing::TestWithParam<Kind> {};

// More rows and columns than a tile of TIFF has, in bands that are no tiles.
TEST_P(RowWriters, WriteWhatIsSaved) {
  const auto [extension, sample] = GetParam();
  const Folder folder;
  for (const bool alpha : {false, true}) {
    for (const Index colours : {1, 3}) {
      const Index channels = colours + (alpha ? 1 : 0);
      const auto image = random_picture<double>({1, channels, 300, 270}, sample, 1);
      const SaveOptions options{.sample = sample, .alpha = alpha, .overwrite = true};
      save<double>(folder / (std::string("a") + extension), image, options);
      write_in_bands<double>(folder / (std::string("b") + extension), image, options, 77);
      const auto saved = load_picture<double>(folder / (std::string("a") + extension));
      const auto written = load_picture<double>(folder / (std::string("b") + extension));
      EXPECT_EQ(written.info.sample, sample);
      EXPECT_EQ(written.alpha, saved.alpha);
      EXPECT_EQ(written.info.colour_space, saved.info.colour_space);
      ASSERT_EQ(written.pixels.shape(), saved.pixels.shape());
      EXPECT_EQ(values(written.pixels), values(saved.pixels));
    }
  }
}

std::vector<Kind> kinds() {
  std::vector<Kind> all = {{".png", Sample::u8}, {".png", Sample::u16}};
  for (Sample sample : {Sample::u8, Sample::u16, Sample::u32, Sample::i8, Sample::i16, Sample::i32,
                        Sample::f32, Sample::f64}) {
    all.insert(all.end(), {{".tif", sample}, {".fits", sample}});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Lossless, RowWriters, testing::ValuesIn(kinds()), [](const auto& test) {
  return std::string(test.param.extension + 1) + sample_name(test.param.sample);
});

TEST(RowWriter, WritesJpegAsItIsSaved) {
  const Folder folder;
  const auto image = random_picture<float>({1, 3, 90, 60}, Sample::u8, 2);
  save<float>(folder / "a.jpg", image, {});
  write_in_bands<float>(folder / "b.jpg", image, {}, 13);
  EXPECT_TRUE(read_bytes(folder / "b.jpg") == read_bytes(folder / "a.jpg"));
}

TEST(RowWriter, WritesPages) {
  const Folder folder;
  const auto image = random_picture<double>({3, 2, 90, 11}, Sample::f64, 3);
  for (const char* name : {"a.tif", "a.fits"}) {
    write_in_bands<double>(folder / name, image, {.sample = Sample::f64}, 40);
    const auto loaded = load_picture<double>(folder / name);
    EXPECT_EQ(loaded.pixels.shape(), image.shape());
    EXPECT_EQ(values(loaded.pixels), values(image));
  }
}

// Resolution, description, XMP and the like, as save() keeps them.
TEST(RowWriter, KeepsMetadata) {
  const Folder folder;
  TiffPage page{3, 2, 1, 8, 1, "abcdef", {{282, 5, {300, 1}}, {283, 5, {150, 1}}, {296, 3, {2}}}};
  page.tags.push_back({270, 2, text_values(std::string("a scene\0", 8))});
  page.tags.push_back({700, 1, text_values("<x:xmpmeta hello=\"1\"/>")});
  write_bytes(folder / "in.tif", tiff_bytes({page}));
  const auto in = load_picture<float>(folder / "in.tif");
  for (const char* extension : {".tif", ".png"}) {
    const std::string saved = folder / (std::string("a") + extension);
    const std::string written = folder / (std::string("b") + extension);
    save<float>(saved, in.pixels, {.metadata = in.metadata});
    write_in_bands<float>(written, in.pixels, {.metadata = in.metadata}, 1);
    for (const char* text : {"a scene", "<x:xmpmeta hello=\"1\"/>"}) {
      EXPECT_EQ(read_bytes(written).find(text) == std::string::npos,
                read_bytes(saved).find(text) == std::string::npos)
          << written << " " << text;
    }
    // Saved once more as PNG, the resolution is there in bytes that can be compared.
    save<float>(saved + ".png", in.pixels, {.metadata = load_picture<float>(saved).metadata});
    save<float>(written + ".png", in.pixels, {.metadata = load_picture<float>(written).metadata});
    const auto resolution = [](const std::string& path) {
      const std::string bytes = read_bytes(path);
      return bytes.substr(bytes.find("pHYs"), 13);
    };
    EXPECT_EQ(resolution(written + ".png"), resolution(saved + ".png"));
  }
}

TEST(RowWriter, LeavesNothingUnlessFinished) {
  const Folder folder;
  const auto image = random_picture<float>({1, 1, 300, 20}, Sample::f32, 4);
  write_bytes(folder / "old.tif", "old");
  for (const char* name : {"a.tif", "a.fits", "old.tif"}) {
    const auto writer =
        write_rows<float>(folder / name, image.shape(), {.sample = Sample::f32, .overwrite = true});
    writer->write(image);
  }
  const auto picture = random_picture<float>({1, 1, 300, 20}, Sample::u8, 4);
  write_rows<float>(folder / "a.png", picture.shape(), {})->write(picture);
  EXPECT_EQ(folder.files(), 1u);
  EXPECT_EQ(read_bytes(folder / "old.tif"), "old");
}

TEST(RowWriter, TellsWhatIsWrong) {
  const Folder folder;
  const auto failing = [&](const char* name, const SaveOptions& options) {
    return error_of([&] { write_rows<float>(folder / name, {1, 1, 9, 9}, options); });
  };
  write_bytes(folder / "old.tif", "old");
  EXPECT_NE(failing("old.tif", {}).find("exists already"), std::string::npos);
  EXPECT_NE(failing("a.png", {.sample = Sample::f32}).find("float32"), std::string::npos);
  EXPECT_NE(failing("a.webp", {}).find("WebP"), std::string::npos);
  EXPECT_NE(failing("no/a.tif", {}).find("no folder"), std::string::npos);
  const auto writer = write_rows<float>(folder / "a.tif", {1, 1, 9, 9}, {});
  writer->write(Image<float>({1, 1, 8, 9}));
  EXPECT_NE(error_of([&] { writer->finish(); }).find("rows are missing"), std::string::npos);
  EXPECT_EQ(folder.files(), 2u) << "the old file, and the writer's";
}

}  // namespace
}  // namespace blurfield::io
