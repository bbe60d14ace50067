// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/picture.h"

#include "tests/io/files.h"

namespace blurfield::io {
namespace {

constexpr Sample kSamples[] = {Sample::u8,  Sample::u16, Sample::u32, Sample::i8,
                               Sample::i16, Sample::i32, Sample::f32, Sample::f64};

struct RoundTrip {
  const char* extension;
  Sample sample;
};

class RoundTrips : public testing::TestWithParam<RoundTrip> {};

// Double is exact for every lossless format and type; pixels and flags come back.
TEST_P(RoundTrips, AreExact) {
  const auto [extension, sample] = GetParam();
  const Folder folder;
  for (const bool alpha : {false, true}) {
    for (Index colours : {1, 3}) {
      const std::string path = folder / (message(colours, alpha) + extension);
      const Index channels = colours + (alpha ? 1 : 0);
      const auto image = random_picture<double>({1, channels, 7, 130}, sample, 1);
      save<double>(path, image, {.sample = sample, .alpha = alpha});
      const auto loaded = load_picture<double>(path);
      const bool fits = loaded.info.physical;
      EXPECT_EQ(loaded.info.sample, sample);
      EXPECT_EQ(loaded.alpha, alpha && !fits);
      ASSERT_EQ(loaded.pixels.shape(), image.shape());
      auto expected = values(image);
      if (fits && !is_float(sample)) {
        for (double& v : expected) v = std::round(v * sample_max(sample));
      }
      EXPECT_EQ(values(loaded.pixels), expected) << path;
      EXPECT_EQ(probe(path).width, 130);
      EXPECT_EQ(probe(path).height, 7);
      EXPECT_EQ(probe(path).channels, channels);
    }
  }
}

std::vector<RoundTrip> lossless() {
  std::vector<RoundTrip> all = {{".png", Sample::u8}, {".png", Sample::u16}};
  for (Sample sample : kSamples) all.insert(all.end(), {{".tif", sample}, {".fits", sample}});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Lossless, RoundTrips, testing::ValuesIn(lossless()), [](const auto& test) {
  return std::string(test.param.extension + 1) + sample_name(test.param.sample);
});

TEST(Picture, FloatPixelsRoundTripToo) {
  const Folder folder;
  for (Sample sample : {Sample::u8, Sample::u16, Sample::f32}) {
    const auto image = random_picture<float>({1, 3, 70, 33}, sample, 2);
    save<float>(folder / "a.tif", image, {.sample = sample, .overwrite = true});
    EXPECT_EQ(values(load_picture<float>(folder / "a.tif").pixels), values(image));
  }
}

TEST(Picture, LossyFormatsAreClose) {
  const Folder folder;
  Image<double> image({1, 3, 48, 64});
  for (Index c = 0; c < 3; ++c) {
    for (Index y = 0; y < 48; ++y) {
      for (Index x = 0; x < 64; ++x) {
        image.view().at(0, c, y, x) = 0.2 + 0.005 * static_cast<double>(x + y + 10 * c);
      }
    }
  }
  for (const char* name : {"a.jpg", "a.jpeg", "a.webp"}) {
    save<double>(folder / name, image, {});
    const auto loaded = load_picture<double>(folder / name);
    ASSERT_EQ(loaded.pixels.shape(), image.shape());
    for (Index i = 0; i < image.elements(); ++i) {
      ASSERT_NEAR(loaded.pixels.data()[i], image.data()[i], 0.03) << name << " " << i;
    }
  }
}

TEST(Picture, JpegKeepsFullChroma) {
  const Folder folder;
  Image<double> image({1, 3, 32, 32});  // columns of red and blue, lost if chroma were halved
  for (Index y = 0; y < 32; ++y) {
    for (Index x = 0; x < 32; ++x) image.view().at(0, x % 2 ? 0 : 2, y, x) = 1;
  }
  save<double>(folder / "a.jpg", image, {});
  const auto loaded = load_picture<double>(folder / "a.jpg");
  EXPECT_GT(loaded.pixels.view().at(0, 0, 8, 9), 0.9);
  EXPECT_LT(loaded.pixels.view().at(0, 0, 8, 8), 0.1);
}

TEST(Picture, SeveralPagesAreABatchAndAMapsChannels) {
  const Folder folder;
  const auto image = random_picture<double>({3, 2, 9, 11}, Sample::f64, 3);
  for (const char* name : {"a.tif", "a.fits"}) {
    save<double>(folder / name, image, {.sample = Sample::f64});
    const auto picture = load_picture<double>(folder / name);
    EXPECT_EQ(picture.pixels.shape(), image.shape());
    EXPECT_FALSE(picture.alpha) << "two channels without alpha";
    EXPECT_EQ(values(picture.pixels), values(image));
    const auto map = load_map<double>(folder / name, false);
    EXPECT_EQ(map.pixels.shape(), Shape({1, 6, 9, 11}));
    EXPECT_EQ(values(map.pixels), values(image));
    EXPECT_EQ(probe(folder / name).pages, 3);
  }
  EXPECT_NE(error_of([&] { save<double>(folder / "a.png", image, {}); }).find("3"),
            std::string::npos);
}

TEST(Picture, ManyChannelsStayOrdinaryChannels) {
  const Folder folder;
  for (Index channels : {2, 4, 5, 9}) {
    const auto image = random_picture<float>({1, channels, 5, 6}, Sample::f32, 4);
    save<float>(folder / "a.tif", image, {.sample = Sample::f32, .overwrite = true});
    const auto loaded = load_picture<float>(folder / "a.tif");
    EXPECT_FALSE(loaded.alpha) << channels;
    EXPECT_EQ(values(loaded.pixels), values(image));
  }
}

TEST(Picture, MapsAreRawOrNormalised) {
  const Folder folder;
  Image<double> image({1, 2, 1, 3});
  for (int i = 0; i < 6; ++i) image.data()[i] = i * 51 / 255.0;
  save<double>(folder / "a.png", image, {.alpha = true});
  const auto raw = load_map<float>(folder / "a.png", false);
  EXPECT_FALSE(raw.alpha);
  EXPECT_EQ(values(raw.pixels), (std::vector<float>{0, 51, 102, 153, 204, 255}));
  EXPECT_EQ(values(load_map<double>(folder / "a.png", true).pixels), values(image));
}

TEST(Picture, RawMapsAreSavedBackAsTheyWere) {
  const Folder folder;
  const auto image = random_picture<double>({1, 1, 4, 4}, Sample::u16, 5);
  save<double>(folder / "a.png", image, {.sample = Sample::u16});
  const auto map = load_map<double>(folder / "a.png", false);
  save<double>(folder / "b.png", map.pixels, {.sample = Sample::u16, .metadata = map.metadata});
  EXPECT_EQ(values(load_picture<double>(folder / "b.png").pixels), values(image));
}

TEST(Picture, IntegersClipAndRound) {
  const Folder folder;
  Image<double> image({1, 1, 1, 6});
  const double inputs[] = {-0.5, 0.4 / 255, 0.6 / 255, 2.0, 254.4 / 255, std::nan("")};
  std::copy(std::begin(inputs), std::end(inputs), image.data());
  for (const char* name : {"a.png", "a.tif", "a.fits"}) {
    save<double>(folder / name, image, {});
    EXPECT_EQ(values(load_map<double>(folder / name, false).pixels),
              (std::vector<double>{0, 0, 1, 255, 254, 0}))
        << name;
  }
}

TEST(Picture, NonFinitePixelsPass) {
  const Folder folder;
  Image<double> image({1, 1, 2, 2});
  image.data()[1] = std::numeric_limits<double>::infinity();
  image.data()[2] = std::nan("");
  for (const char* name : {"a.tif", "a.fits"}) {
    for (Sample sample : {Sample::f32, Sample::f64}) {
      save<double>(folder / name, image, {.sample = sample, .overwrite = true});
      const auto loaded = load_picture<double>(folder / name);
      EXPECT_EQ(loaded.pixels.data()[1], image.data()[1]);
      EXPECT_TRUE(std::isnan(loaded.pixels.data()[2]));
    }
  }
}

TEST(Picture, StridedViewsAreSaved) {
  const Folder folder;
  const auto image = random_picture<double>({1, 1, 6, 8}, Sample::u8, 6);
  const View<const double> all = image.view();
  const View<const double> flipped(all.data + 7, {1, 1, 6, 8}, {48, 48, 8, -1});
  for (const char* name : {"a.png", "a.tif", "a.fits"}) {
    save<double>(folder / name, flipped, {});
    const auto loaded = load_map<double>(folder / name, true);
    for (Index x = 0; x < 8; ++x) {
      EXPECT_EQ(loaded.pixels.view().at(0, 0, 2, x), all.at(0, 0, 2, 7 - x));
    }
  }
}

TEST(Picture, OneRowAndSignals) {
  const Folder folder;
  Image<float> signal({1, 1, 5});
  for (int i = 0; i < 5; ++i) signal.data()[i] = static_cast<float>(i);
  for (const char* name : {"a.tif", "a.fits"}) {
    save<float>(folder / name, signal, {.sample = Sample::f32});
    const auto loaded = load_picture<float>(folder / name);
    EXPECT_EQ(loaded.pixels.shape(), Shape({1, 1, 1, 5}));
    EXPECT_EQ(values(loaded.pixels), values(signal));
  }
}

TEST(Picture, UnusualNamesAreOnlyNames) {
  const Folder folder;
  const auto image = random_picture<float>({1, 1, 3, 3}, Sample::u8, 7);
  for (const char* name : {"a[1].png", "b[page=1].tif", "c d.tif", "e[1:2,*].fits", "!f.fits",
                           "g.PNG", "h(1).fits", "ü.jpg"}) {
    save<float>(folder / name, image, {});
    EXPECT_EQ(load_picture<float>(folder / name).pixels.shape(), image.shape()) << name;
  }
  EXPECT_EQ(folder.files(), 8U);
}

TEST(CanSave, SaysWhatSaveWouldSay) {
  const Folder folder;
  write_bytes(folder / "old.png", "x");
  const auto check = [&](const std::string& path, const SaveOptions& options, Index channels,
                         Index pages) {
    const std::string early = error_of([&] { check_can_save(path, options, channels, pages); });
    const Image<float> image({pages, channels, 2, 2});
    EXPECT_EQ(error_of([&] { save<float>(path, image, options); }), early);
    EXPECT_EQ(early.find(path), 0U) << early;
    EXPECT_EQ(early.find('\n'), std::string::npos);
    return early;
  };
  const auto has = [](const std::string& text, const char* part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  has(check(folder / "a.bmp", {}, 1, 1), "extension");
  has(check(folder / "a", {}, 1, 1), "extension");
  has(check(folder / "a.exr", {.sample = Sample::f32}, 1, 1), "EXR");
  has(check(folder / "a.png", {.sample = Sample::f32}, 1, 1), "float32");
  has(check(folder / "a.jpg", {.sample = Sample::u16}, 3, 1), "uint16");
  has(check(folder / "a.webp", {.sample = Sample::i16}, 3, 1), "int16");
  has(check(folder / "a.png", {}, 2, 1), "2");
  has(check(folder / "a.png", {}, 5, 1), "5");
  has(check(folder / "a.jpg", {.alpha = true}, 4, 1), "alpha");
  has(check(folder / "a.webp", {}, 3, 2), "page");
  has(check(folder / "old.png", {}, 3, 1), "exists");
  has(check(folder / "no/a.png", {}, 3, 1), "folder");
  has(check("/proc/a.png", {}, 3, 1), "cannot write");
  EXPECT_EQ(folder.files(), 1U);
  EXPECT_NO_THROW(check_can_save(folder / "a.png", {}, 3, 1));
  EXPECT_NO_THROW(check_can_save(folder / "old.png", {.overwrite = true}, 3, 1));
  EXPECT_EQ(folder.files(), 1U);
  EXPECT_EQ(read_bytes(folder / "old.png"), "x");
}

TEST(EncodePng, GivesAPngFile) {
  const Folder folder;
  for (Index channels : {1, 3}) {
    const auto image = random_picture<float>({1, channels, 5, 4}, Sample::u8, 8);
    const std::vector<std::uint8_t> png = encode_png(image);
    write_bytes(folder / "a.png", std::string(png.begin(), png.end()));
    EXPECT_EQ(values(load_picture<float>(folder / "a.png").pixels), values(image));
  }
  EXPECT_THROW(encode_png(Image<float>({1, 2, 3, 3})), Error);
  EXPECT_THROW(encode_png(Image<float>()), Error);
}

}  // namespace
}  // namespace blurfield::io
