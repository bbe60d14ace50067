// SPDX-License-Identifier: BSD-3-Clause
// What stands in image files beyond plain grey and RGB: against files written byte by byte.
#include <cmath>

#include "tests/io/files.h"
#include "tests/io/raw_files.h"

namespace blurfield::io {
namespace {

// The fields of a TIFF file's page.
constexpr std::uint16_t kOrientation = 274;
constexpr std::uint16_t kColorMap = 320;
constexpr std::uint16_t kExtraSamples = 338;
constexpr std::uint16_t kSampleFormat = 339;

// 3 wide, 2 high: 1 2 3 over 4 5 6. What a viewer shows for each orientation 1..8.
struct Upright {
  int height;
  std::vector<double> rows;
};
const Upright kUpright[] = {{2, {1, 2, 3, 4, 5, 6}}, {2, {3, 2, 1, 6, 5, 4}},
                            {2, {6, 5, 4, 3, 2, 1}}, {2, {4, 5, 6, 1, 2, 3}},
                            {3, {1, 4, 2, 5, 3, 6}}, {3, {4, 1, 5, 2, 6, 3}},
                            {3, {6, 3, 5, 2, 4, 1}}, {3, {3, 6, 2, 5, 1, 4}}};

class Orientations : public testing::TestWithParam<int> {};

TEST_P(Orientations, AreAppliedOnce) {
  const Folder folder;
  const auto orientation = static_cast<std::uint32_t>(GetParam());
  const Upright& upright = kUpright[orientation - 1];
  for (const bool doubles : {false, true}) {
    TiffPage page{3, 2, 1, 8, 1, {}, {{kOrientation, 3, {orientation}}}};
    if (doubles) {
      page.bits = 64;
      page.tags.push_back({kSampleFormat, 3, {3}});
    }
    for (int v = 1; v <= 6; ++v) {
      doubles ? append(page.pixels, static_cast<double>(v))
              : append(page.pixels, static_cast<std::uint8_t>(v));
    }
    write_bytes(folder / "a.tif", tiff_bytes({page}));
    EXPECT_EQ(probe(folder / "a.tif").height, upright.height);
    EXPECT_EQ(probe(folder / "a.tif").width, 6 / upright.height);
    const auto map = load_map<double>(folder / "a.tif", false);
    EXPECT_EQ(map.pixels.shape(), Shape({1, 1, upright.height, 6 / upright.height}));
    EXPECT_EQ(values(map.pixels), upright.rows);
    const auto picture = load_picture<double>(folder / "a.tif");
    for (const char* name : {"b.tif", "b.png"}) {
      if (doubles && name[2] == 'p') continue;
      save<double>(
          folder / name, picture.pixels,
          {.sample = picture.info.sample, .overwrite = true, .metadata = picture.metadata});
      EXPECT_EQ(values(load_map<double>(folder / name, false).pixels), upright.rows) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Exif, Orientations, testing::Range(1, 9));

// A JPEG file with an EXIF block of our making: the orientation, an artist and a thumbnail.
std::string with_exif(const std::string& jpeg, int orientation, const std::string& thumbnail) {
  std::string tiff = "MM";
  append_big_endian<std::uint16_t>(tiff, 42);
  append_big_endian<std::uint32_t>(tiff, 8);
  const auto entry = [&tiff](int tag, int type, std::size_t count, std::size_t value) {
    append_big_endian(tiff, static_cast<std::uint16_t>(tag));
    append_big_endian(tiff, static_cast<std::uint16_t>(type));
    append_big_endian(tiff, static_cast<std::uint32_t>(count));
    append_big_endian(tiff, static_cast<std::uint32_t>(value));
  };
  const std::string artist("Ada Lovelace\0", 13);
  const std::size_t artist_at = 8 + 2 + 2 * 12 + 4;
  const std::size_t second = artist_at + artist.size() + 1;
  const std::size_t thumbnail_at = second + 2 + 3 * 12 + 4;
  append_big_endian<std::uint16_t>(tiff, 2);
  entry(274, 3, 1, static_cast<std::size_t>(orientation) << 16);
  entry(315, 2, 13, artist_at);
  append_big_endian(tiff, static_cast<std::uint32_t>(second));
  tiff += artist + '\0';
  append_big_endian<std::uint16_t>(tiff, 3);
  entry(259, 3, 1, std::size_t{6} << 16);
  entry(513, 4, 1, thumbnail_at);
  entry(514, 4, 1, thumbnail.size());
  append_big_endian<std::uint32_t>(tiff, 0);
  tiff += thumbnail;
  std::string segment = "\xff\xe1";
  append_big_endian(segment, static_cast<std::uint16_t>(tiff.size() + 8));
  segment += std::string("Exif\0\0", 6) + tiff;
  return jpeg.substr(0, 2) + segment + jpeg.substr(2);
}

TEST(Photograph, ExifSurvivesUpright) {
  const Folder folder;
  auto image = random_picture<double>({1, 1, 16, 40}, Sample::u8, 1);
  std::fill_n(image.data(), image.elements(), 0.0);
  for (Index x = 0; x < 8; ++x) image.view().at(0, 0, 0, x) = 1;
  save<double>(folder / "plain.jpg", image, {});
  const std::string thumbnail = "\xff\xd8 a secret face \xff\xd9";
  write_bytes(folder / "a.jpg", with_exif(read_bytes(folder / "plain.jpg"), 6, thumbnail));
  const auto picture = load_picture<double>(folder / "a.jpg");
  EXPECT_EQ(picture.pixels.shape(), Shape({1, 1, 40, 16}));
  EXPECT_GT(picture.pixels.view().at(0, 0, 2, 15), 0.5) << "the top left is at the top right";
  for (const char* name : {"b.jpg", "b.png", "b.webp"}) {
    save<double>(folder / name, picture.pixels, {.metadata = picture.metadata});
    EXPECT_NE(read_bytes(folder / name).find("Ada Lovelace"), std::string::npos) << name;
    EXPECT_EQ(read_bytes(folder / name).find("a secret face"), std::string::npos) << name;
    EXPECT_EQ(probe(folder / name).width, 16) << name << " is turned once only";
    EXPECT_EQ(probe(folder / name).height, 40);
  }
}

TEST(Photograph, XmpSurvivesUpright) {
  const Folder folder;
  TiffPage page{3, 2, 1, 8, 1, "abcdef", {{kOrientation, 3, {8}}}};
  page.tags.push_back({700, 1, text_values("<x:xmpmeta tiff:Orientation=\"8\" hello=\"1\"/>")});
  write_bytes(folder / "a.tif", tiff_bytes({page}));
  const auto picture = load_picture<float>(folder / "a.tif");
  for (const char* name : {"b.tif", "b.png", "b.jpg", "b.webp"}) {
    save<float>(folder / name, picture.pixels, {.metadata = picture.metadata});
    const auto again = load_picture<float>(folder / name);  // PNG compresses it: look in a TIFF
    save<float>(folder / "c.tif", again.pixels, {.overwrite = true, .metadata = again.metadata});
    const std::string bytes = read_bytes(folder / "c.tif");
    EXPECT_NE(bytes.find("tiff:Orientation=\"1\" hello"), std::string::npos) << name;
    EXPECT_EQ(bytes.find("tiff:Orientation=\"8\""), std::string::npos) << name;
  }
}

TEST(Photograph, ProfileAndResolutionSurvive) {
  const Folder folder;
  const std::string source = std::string(BLURFIELD_EXAMPLE_IMAGES) + "/astronaut.png";
  ASSERT_TRUE(probe(source).profile);
  const auto picture = load_picture<float>(source);
  for (const char* name : {"b.png", "b.jpg", "b.tif", "b.webp"}) {
    save<float>(folder / name, picture.pixels, {.metadata = picture.metadata});
    EXPECT_TRUE(probe(folder / name).profile) << name;
    save<float>(folder / name, picture.pixels, {.overwrite = true});
    EXPECT_FALSE(probe(folder / name).profile) << name;
  }
  // 300 x 150 dots per inch are 11811 x 5906 per metre in PNG's pHYs.
  TiffPage page{3, 2, 1, 8, 1, "abcdef", {{296, 3, {2}}}};
  page.tags.push_back({282, 5, {300, 1}});
  page.tags.push_back({283, 5, {150, 1}});
  write_bytes(folder / "r.tif", tiff_bytes({page}));
  const auto resolved = load_picture<float>(folder / "r.tif");
  save<float>(folder / "r.png", resolved.pixels, {.metadata = resolved.metadata});
  std::string expected = "pHYs";
  append_big_endian<std::uint32_t>(expected, 11811);
  append_big_endian<std::uint32_t>(expected, 5906);
  EXPECT_NE(read_bytes(folder / "r.png").find(expected), std::string::npos);
}

TEST(Photograph, PalettesBecomeRgb) {
  const Folder folder;
  TiffPage page{3, 1, 1, 8, 3, std::string("\0\x01\x02", 3), {}};
  std::vector<std::uint32_t> colours(768);
  const std::uint32_t red[] = {0x1000, 0xffff, 0};
  for (std::size_t i = 0; i < 3; ++i) {
    colours[i] = red[i];
    colours[256 + i] = 0x8080;
    colours[512 + i] = static_cast<std::uint32_t>(i * 0x0101);
  }
  page.tags.push_back({kColorMap, 3, colours});
  write_bytes(folder / "a.tif", tiff_bytes({page}));
  const auto picture = load_picture<double>(folder / "a.tif");
  EXPECT_EQ(picture.pixels.shape(), Shape({1, 3, 1, 3}));
  EXPECT_FALSE(picture.alpha);
  EXPECT_EQ(values(picture.pixels), (std::vector<double>{16 / 255.0, 1, 0, 128 / 255.0, 128 / 255.0,
                                                         128 / 255.0, 0, 1 / 255.0, 2 / 255.0}));
}

TEST(Photograph, CmykBecomesRgbWithoutItsProfile) {
  const Folder folder;
  for (const bool deep : {false, true}) {
    TiffPage page{2, 1, 4, static_cast<std::uint16_t>(deep ? 16 : 8), 5, {}, {}};
    for (int ink : {0, 0, 0, 0, 0, 255, 255, 0}) {  // paper, red
      deep ? append(page.pixels, static_cast<std::uint16_t>(ink * 257))
           : append(page.pixels, static_cast<std::uint8_t>(ink));
    }
    page.tags.push_back({34675, 1, text_values(std::string(200, 'P'))});
    write_bytes(folder / "a.tif", tiff_bytes({page}));
    const auto picture = load_picture<double>(folder / "a.tif");
    EXPECT_EQ(picture.info.colour_space, "cmyk");
    EXPECT_EQ(picture.info.channels, 4);
    EXPECT_EQ(picture.info.sample, deep ? Sample::u16 : Sample::u8);
    ASSERT_EQ(picture.pixels.shape(), Shape({1, 3, 1, 2}));
    for (Index c = 0; c < 3; ++c) EXPECT_GT(picture.pixels.view().at(0, c, 0, 0), 0.95);
    EXPECT_GT(picture.pixels.view().at(0, 0, 0, 1), 0.75);
    EXPECT_LT(picture.pixels.view().at(0, 1, 0, 1), 0.35);
    save<double>(folder / "b.tif", picture.pixels,
                 {.sample = picture.info.sample, .overwrite = true, .metadata = picture.metadata});
    EXPECT_EQ(read_bytes(folder / "b.tif").find("PPPPPPPP"), std::string::npos);
    EXPECT_FALSE(probe(folder / "b.tif").profile);
    EXPECT_EQ(load_map<double>(folder / "a.tif", true).pixels.shape(), Shape({1, 4, 1, 2}));
  }
}

TEST(Photograph, OneBitAndInvertedGrey) {
  const Folder folder;
  write_bytes(folder / "bits.tif", tiff_bytes({{10, 1, 1, 1, 1, "\xa0\x40", {}}}));
  EXPECT_EQ(values(load_picture<double>(folder / "bits.tif").pixels),
            (std::vector<double>{1, 0, 1, 0, 0, 0, 0, 0, 0, 1}));
  write_bytes(folder / "white.tif",
              tiff_bytes({{3, 1, 1, 8, 0, std::string("\0\x01\xff", 3), {}}}));
  EXPECT_EQ(values(load_map<double>(folder / "white.tif", false).pixels),
            (std::vector<double>{255, 254, 0}));
}

TEST(Photograph, ExtraSamplesAreAlphaOnlyIfTheySaySo) {
  const Folder folder;
  const std::string path = folder / "a.tif";
  const auto load_with = [&](std::vector<std::uint32_t> meaning, std::uint16_t bands,
                             std::uint16_t photometric) {
    TiffPage page{1, 1, bands, 8, photometric, std::string("\x40\x20\x10\x80\xff").substr(0, bands),
                  {}};
    page.tags.push_back({kExtraSamples, 3, std::move(meaning)});
    write_bytes(path, tiff_bytes({page}));
    return load_picture<double>(path);
  };
  const double alpha = 128 / 255.0;
  const auto straight = load_with({2}, 4, 2);
  EXPECT_TRUE(straight.alpha);
  EXPECT_EQ(values(straight.pixels),
            (std::vector<double>{64 / 255.0, 32 / 255.0, 16 / 255.0, alpha}));
  const auto premultiplied = load_with({1}, 4, 2);
  EXPECT_TRUE(premultiplied.alpha);
  EXPECT_EQ(values(premultiplied.pixels), (std::vector<double>{0.5, 0.25, 0.125, alpha}));
  for (const bool wide : {false, true}) {
    TiffPage page{1, 1, 4, static_cast<std::uint16_t>(wide ? 64 : 32), 2, {}, {}};
    page.tags = {{kExtraSamples, 3, {1}}, {kSampleFormat, 3, {3, 3, 3, 3}}};
    for (float v : {0.5F, 0.25F, 3.0F, 0.25F}) {
      wide ? append(page.pixels, static_cast<double>(v)) : append(page.pixels, v);
    }
    write_bytes(path, tiff_bytes({page}));
    EXPECT_EQ(values(load_picture<double>(path).pixels), (std::vector<double>{2, 1, 12, 0.25}));
    EXPECT_EQ(values(load_map<double>(path, false).pixels),
              (std::vector<double>{0.5, 0.25, 3, 0.25}));
  }
  const auto other = load_with({0}, 4, 2);
  EXPECT_FALSE(other.alpha);
  EXPECT_EQ(values(other.pixels), values(straight.pixels));
  EXPECT_FALSE(load_with({0}, 2, 1).alpha);
  EXPECT_TRUE(load_with({2}, 2, 1).alpha);
  EXPECT_FALSE(load_with({2, 2}, 5, 2).alpha) << "two alphas are none";
  EXPECT_TRUE(load_with({0, 2}, 5, 2).alpha);
  EXPECT_FALSE(load_map<double>(path, false).alpha);
  EXPECT_EQ(load_map<double>(path, false).pixels.elements(), 5);
}

TEST(Photograph, PagesMustBeOfOneKind) {
  const Folder folder;
  const TiffPage small{2, 1, 1, 8, 1, "ab", {}};
  const TiffPage tall{2, 2, 1, 8, 1, "abcd", {}};
  const TiffPage deep{2, 1, 1, 16, 1, "abcd", {}};
  write_bytes(folder / "a.tif", tiff_bytes({small, small, small}));
  EXPECT_EQ(load_picture<float>(folder / "a.tif").pixels.shape(), Shape({3, 1, 1, 2}));
  EXPECT_EQ(load_map<float>(folder / "a.tif", false).pixels.shape(), Shape({1, 3, 1, 2}));
  const TiffPage d{1, 1, 1, 64, 1, "abcdefgh", {{kSampleFormat, 3, {3}}}};
  const TiffPage d2{2, 1, 1, 64, 1, "abcdefghabcdefgh", {{kSampleFormat, 3, {3}}}};
  for (const auto& pages : {std::vector{small, tall}, {tall, small}, {small, deep}, {d, d2}}) {
    write_bytes(folder / "b.tif", tiff_bytes(pages));
    const std::string text = error_of([&] { load_picture<float>(folder / "b.tif"); });
    EXPECT_NE(text.find("differs"), std::string::npos) << text;
  }
}

std::uint16_t half(float value) {  // exact for the small numbers used here
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (value == 0) return 0;
  return static_cast<std::uint16_t>((bits >> 16 & 0x8000) | (((bits >> 23 & 255) - 112) << 10) |
                                    (bits >> 13 & 1023));
}

// An uncompressed EXR file of half floats; planes[i] belongs to names[i], which are sorted.
std::string exr_bytes(const std::string& names, int width, int height,
                      const std::vector<std::vector<float>>& planes) {
  std::string out("\x76\x2f\x31\x01\x02\0\0\0", 8);
  const auto attribute = [&out](const char* name, const char* type, const std::string& value) {
    out += std::string(name) + '\0' + type + '\0';
    append(out, static_cast<std::uint32_t>(value.size()));
    out += value;
  };
  std::string channels;
  for (char c : names) {
    channels += std::string(1, c) + '\0';
    for (std::uint32_t v : {1U, 0U, 1U, 1U}) append(channels, v);
  }
  attribute("channels", "chlist", channels + '\0');
  attribute("compression", "compression", std::string(1, '\0'));
  std::string window;
  for (int v : {0, 0, width - 1, height - 1}) append(window, v);
  attribute("dataWindow", "box2i", window);
  attribute("displayWindow", "box2i", window);
  attribute("lineOrder", "lineOrder", std::string(1, '\0'));
  std::string one;
  append(one, 1.0F);
  attribute("pixelAspectRatio", "float", one);
  attribute("screenWindowCenter", "v2f", std::string(8, '\0'));
  attribute("screenWindowWidth", "float", one);
  out += '\0';
  const std::size_t row = names.size() * static_cast<std::size_t>(width) * 2;
  const std::size_t first = out.size() + 8 * static_cast<std::size_t>(height);
  for (int y = 0; y < height; ++y) append<std::uint64_t>(out, first + (8 + row) * y);
  for (int y = 0; y < height; ++y) {
    append(out, y);
    append(out, static_cast<std::uint32_t>(row));
    for (const auto& plane : planes) {
      for (int x = 0; x < width; ++x)
        append(out, half(plane[static_cast<std::size_t>(y * width + x)]));
    }
  }
  return out;
}

TEST(Photograph, ExrIsRead) {
  const Folder folder;
  const std::vector<float> a = {1, 2, 3.5, -4, 0, 1024};
  const std::vector<float> b = {6, 5, 4, 3, 2, 1};
  const std::vector<float> half_alpha(6, 0.5F);
  write_bytes(folder / "y.exr", exr_bytes("Y", 3, 2, {a}));
  const auto grey = load_map<float>(folder / "y.exr", false);
  EXPECT_EQ(grey.pixels.shape(), Shape({1, 1, 2, 3}));
  EXPECT_EQ(values(grey.pixels), a);
  EXPECT_EQ(grey.info.format, "exr");
  EXPECT_TRUE(is_float(grey.info.sample));
  write_bytes(folder / "rgb.exr", exr_bytes("BGR", 3, 2, {b, b, a}));
  const auto rgb = load_picture<float>(folder / "rgb.exr");
  EXPECT_EQ(rgb.pixels.shape(), Shape({1, 3, 2, 3}));
  EXPECT_FALSE(rgb.alpha);
  EXPECT_EQ(std::vector<float>(rgb.pixels.data(), rgb.pixels.data() + 6), a);
  write_bytes(folder / "rgba.exr", exr_bytes("ABGR", 3, 2, {half_alpha, b, b, a}));
  const auto rgba = load_picture<float>(folder / "rgba.exr");
  EXPECT_TRUE(rgba.alpha);
  EXPECT_FLOAT_EQ(rgba.pixels.view().at(0, 0, 0, 1), 4.0F) << "EXR colours are premultiplied";
  EXPECT_FLOAT_EQ(rgba.pixels.view().at(0, 3, 0, 1), 0.5F);
  write_bytes(folder / "z.exr", exr_bytes("Z", 3, 2, {a}));
  EXPECT_NE(error_of([&] { load_map<float>(folder / "z.exr", false); }).find("'Z'"),
            std::string::npos);
}

}  // namespace
}  // namespace blurfield::io
