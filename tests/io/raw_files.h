// SPDX-License-Identifier: BSD-3-Clause
// TIFF and FITS files written byte by byte, so that the readers are tested against files that are
// not our own.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace blurfield::io {

// Appends the bytes of a number in this machine's order.
template <class V>
void append(std::string& bytes, V value) {
  char raw[sizeof(V)];
  std::memcpy(raw, &value, sizeof(V));
  bytes.append(raw, sizeof(V));
}

struct TiffTag {
  std::uint16_t name;
  std::uint16_t type;  // 1 byte, 2 ASCII, 3 short, 4 long, 5 rational (two values)
  std::vector<std::uint32_t> values;
};

// An uncompressed TIFF file of one strip per page, interleaved.
struct TiffPage {
  std::uint32_t width = 0, height = 0;
  std::uint16_t bands = 1, bits = 8;
  std::uint16_t photometric = 1;  // 0 white is 0, 1 black is 0, 2 RGB, 3 palette, 5 CMYK
  std::string pixels;
  std::vector<TiffTag> tags;
};

inline std::string tiff_bytes(const std::vector<TiffPage>& pages) {
  std::string out = std::endian::native == std::endian::little ? "II" : "MM";
  append<std::uint16_t>(out, 42);
  std::size_t link = out.size();
  append<std::uint32_t>(out, 0);
  const auto patch = [&out](std::size_t at, std::size_t value) {
    const auto v = static_cast<std::uint32_t>(value);
    std::memcpy(out.data() + at, &v, 4);
  };
  for (const TiffPage& page : pages) {
    const std::size_t data = out.size();
    out += page.pixels;
    std::vector<TiffTag> tags = page.tags;
    const auto bytes = static_cast<std::uint32_t>(page.pixels.size());
    const std::vector<TiffTag> basic = {{256, 4, {page.width}},
                                        {257, 4, {page.height}},
                                        {258, 3, std::vector<std::uint32_t>(page.bands, page.bits)},
                                        {259, 3, {1}},
                                        {262, 3, {page.photometric}},
                                        {273, 4, {static_cast<std::uint32_t>(data)}},
                                        {277, 3, {page.bands}},
                                        {278, 4, {page.height}},
                                        {279, 4, {bytes}}};
    tags.insert(tags.end(), basic.begin(), basic.end());
    std::sort(tags.begin(), tags.end(),
              [](const TiffTag& a, const TiffTag& b) { return a.name < b.name; });
    std::vector<std::string> values;
    for (const TiffTag& tag : tags) {
      std::string raw;
      for (std::uint32_t v : tag.values) {
        if (tag.type <= 2) append(raw, static_cast<std::uint8_t>(v));
        if (tag.type == 3) append(raw, static_cast<std::uint16_t>(v));
        if (tag.type >= 4) append(raw, v);
      }
      if (raw.size() > 4) {
        out.resize((out.size() + 1) / 2 * 2);
        const auto offset = static_cast<std::uint32_t>(out.size());
        out += raw;
        raw.clear();
        append(raw, offset);
      }
      raw.resize(4);
      values.push_back(raw);
    }
    out.resize((out.size() + 1) / 2 * 2);
    patch(link, out.size());
    append(out, static_cast<std::uint16_t>(tags.size()));
    for (std::size_t i = 0; i < tags.size(); ++i) {
      append(out, tags[i].name);
      append(out, tags[i].type);
      const std::size_t count = tags[i].values.size() / (tags[i].type == 5 ? 2 : 1);
      append(out, static_cast<std::uint32_t>(count));
      out += values[i];
    }
    link = out.size();
    append<std::uint32_t>(out, 0);
  }
  return out;
}

inline std::vector<std::uint32_t> text_values(const std::string& text) {
  std::vector<std::uint32_t> values;
  for (char c : text) values.push_back(static_cast<std::uint8_t>(c));
  return values;
}

// A FITS file: cards are padded to 80 characters, END is added; `data` is big-endian.
inline std::string fits_bytes(const std::vector<std::string>& cards, std::string data) {
  std::string header;
  for (std::string card : cards) header += (card.resize(80, ' '), card);
  header += "END";
  header.resize((header.size() + 2879) / 2880 * 2880, ' ');
  data.resize((data.size() + 2879) / 2880 * 2880, '\0');
  return header + data;
}

template <class V>
void append_big_endian(std::string& bytes, V value) {
  std::string raw;
  append(raw, value);
  if constexpr (std::endian::native == std::endian::little) std::reverse(raw.begin(), raw.end());
  bytes += raw;
}

}  // namespace blurfield::io
