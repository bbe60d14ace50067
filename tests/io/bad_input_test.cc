// SPDX-License-Identifier: BSD-3-Clause
// Files that are no pictures, or only part of one: one line that names the file and the reason.
#include <unistd.h>

#include "tests/io/files.h"
#include "tests/io/raw_files.h"

namespace blurfield::io {
namespace {

namespace fs = std::filesystem;

// Expects every reader to refuse `path` with the same kind of message, and nothing on stderr.
void expect_refused(const std::string& path, const char* reason) {
  testing::internal::CaptureStderr();
  for (const std::string& text :
       {error_of([&] { load_picture<float>(path); }), error_of([&] { load_picture<double>(path); }),
        error_of([&] { load_map<float>(path, true); })}) {
    EXPECT_EQ(text.find(path + ": "), 0U) << text;
    EXPECT_NE(text.find(reason, path.size()), std::string::npos) << text << " lacks " << reason;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    EXPECT_LT(text.size(), path.size() + 400) << text;
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(BadInput, NoFile) {
  const Folder folder;
  expect_refused(folder / "none.png", "No such file");
  EXPECT_NE(error_of([&] { probe(folder / "none.png"); }).find("No such file"), std::string::npos);
  expect_refused(folder / "", "folder");
  fs::create_symlink("gone", folder / "link.png");
  expect_refused(folder / "link.png", "No such file");
  if (geteuid() != 0) {
    write_bytes(folder / "secret.png", "x");
    fs::permissions(folder / "secret.png", fs::perms::none);
    expect_refused(folder / "secret.png", "Permission denied");
  }
}

TEST(BadInput, NotAnImage) {
  const Folder folder;
  write_bytes(folder / "empty.png", "");
  expect_refused(folder / "empty.png", "empty");
  write_bytes(folder / "text.png", "hello, I am no picture\n");
  expect_refused(folder / "text.png", "not an image");
  write_bytes(folder / "short.png", "x");
  expect_refused(folder / "short.png", "not an image");
  write_bytes(folder / "matrix.tif", "2 2\n1 2\n3 4\n");
  expect_refused(folder / "matrix.tif", "not an image");
  const std::string signatures[] = {"\x89PNG\r\n\x1a\n",     "\xff\xd8\xff",
                                    std::string("II*\0", 4), "RIFF\1\1\1\1WEBP",
                                    "\x76\x2f\x31\x01",      std::string("MM\0+", 4)};
  for (const std::string& signature : signatures) {
    write_bytes(folder / "a", signature);
    expect_refused(folder / "a", "cannot decode");
    write_bytes(folder / "a", signature + "and then rubbish, rubbish, rubbish");
    expect_refused(folder / "a", "cannot decode");
  }
}

TEST(BadInput, TruncatedFiles) {
  const Folder folder;
  const auto image = random_picture<float>({1, 3, 150, 100}, Sample::u8, 1);
  const std::pair<const char*, Sample> files[] = {{"a.png", Sample::u8},  {"a.jpg", Sample::u8},
                                                  {"a.tif", Sample::u8},  {"b.tif", Sample::f32},
                                                  {"c.tif", Sample::f64}, {"a.webp", Sample::u8},
                                                  {"a.fits", Sample::f32}};
  for (const auto& [name, sample] : files) {
    save<float>(folder / name, image, {.sample = sample});
    const std::string bytes = read_bytes(folder / name);
    const std::string path = folder / (std::string("cut-") + name);
    for (const double part : {0.3, 0.7, 0.95}) {
      const auto size = static_cast<std::size_t>(static_cast<double>(bytes.size()) * part);
      write_bytes(path, bytes.substr(0, size));
      expect_refused(path, "cannot decode");
    }
  }
  // The header may be whole and its strip too short.
  for (std::uint16_t bits : {std::uint16_t{8}, std::uint16_t{64}}) {
    const TiffTag type{339, 3, {bits == 64 ? 3U : 1U}};
    write_bytes(folder / "short.tif",
                tiff_bytes({{100, 100, 1, bits, 1, std::string(100, 'x'), {type}}}));
    expect_refused(folder / "short.tif", "cannot decode");
  }
}

std::uint32_t crc32(const std::string& bytes) {
  std::uint32_t crc = ~0U;
  for (char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

// The header of a PNG file without pixels.
std::string png_header(std::uint32_t width, std::uint32_t height) {
  std::string chunk = "IHDR";
  append_big_endian(chunk, width);
  append_big_endian(chunk, height);
  chunk += std::string("\x08\x02\0\0\0", 5);
  std::string out = "\x89PNG\r\n\x1a\n";
  append_big_endian<std::uint32_t>(out, 13);
  out += chunk;
  append_big_endian(out, crc32(chunk));
  for (const char* name : {"IDAT", "IEND"}) {
    append_big_endian<std::uint32_t>(out, 0);
    out += name;
    append_big_endian(out, crc32(name));
  }
  return out;
}

TEST(BadInput, ZeroSize) {
  const Folder folder;
  write_bytes(folder / "a.png", png_header(0, 10));
  expect_refused(folder / "a.png", "cannot decode");
  write_bytes(folder / "b.png", png_header(10, 0));
  expect_refused(folder / "b.png", "cannot decode");
  for (std::uint16_t bits : {std::uint16_t{8}, std::uint16_t{64}}) {
    TiffPage page{0, 5, 1, bits, 1, "x", {{339, 3, {bits == 64 ? 3U : 1U}}}};
    write_bytes(folder / "a.tif", tiff_bytes({page}));
    expect_refused(folder / "a.tif", "cannot decode");
  }
}

TEST(BadInput, LargerThanMemory) {
  const Folder folder;
  write_bytes(folder / "bomb.png", png_header(900000, 900000));
  expect_refused(folder / "bomb.png", "memory");
  EXPECT_EQ(probe(folder / "bomb.png").width, 900000);
  TiffPage page{900000, 900000, 1, 64, 1, "x", {{339, 3, {3}}}};
  write_bytes(folder / "bomb.tif", tiff_bytes({page}));
  expect_refused(folder / "bomb.tif", "memory");
  write_bytes(folder / "bomb.fits",
              fits_bytes({"SIMPLE  =                    T", "BITPIX  =                    8",
                          "NAXIS   =                    2", "NAXIS1  =               900000",
                          "NAXIS2  =               900000"},
                         ""));
  expect_refused(folder / "bomb.fits", "memory");
}

TEST(BadInput, TheMemoryLimitCountsFourCopies) {
  const Folder folder;
  for (const char* name : {"a.png", "a.fits", "a.tif"}) {
    save<float>(folder / name, Image<float>({1, 3, 10, 20}), {});
    const double floats = 4 * 4 * 600;
    EXPECT_NO_THROW(load_picture<float>(folder / name, floats));
    EXPECT_THROW(load_picture<float>(folder / name, floats - 1), Error);
    EXPECT_NO_THROW(load_map<double>(folder / name, false, 2 * floats));
    EXPECT_THROW(load_map<double>(folder / name, false, 2 * floats - 1), Error);
  }
}

TEST(BadInput, UnsupportedSamples) {
  const Folder folder;
  TiffPage page{1, 1, 1, 64, 1, "abcdefgh", {{339, 3, {6}}}};  // complex
  write_bytes(folder / "a.tif", tiff_bytes({page}));
  expect_refused(folder / "a.tif", "cannot decode");
}

}  // namespace
}  // namespace blurfield::io
