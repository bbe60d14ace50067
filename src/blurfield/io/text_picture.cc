// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/text_picture.h"

#include <algorithm>
#include <memory>

#include "blurfield/io/vips_session.h"

namespace blurfield::io {
namespace {

using vips::VImage;

// What Pango takes for `text` itself: valid UTF-8 without control characters, none of it markup.
std::string as_markup(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, '?');
  const auto owned = [](gchar* made) {
    return std::unique_ptr<gchar, void (*)(void*)>(made, g_free);
  };
  const auto valid = owned(g_utf8_make_valid(text.c_str(), -1));
  return owned(g_markup_escape_text(valid.get(), -1)).get();
}

}  // namespace

Image<float> text_picture(const std::string& text, int size, bool bold) {
  require(!text.empty() && size > 0, "text_picture", "expected a text and a size > 0, got ", size);
  return vips_guard("text", "cannot render", [&] {
    // libvips cuts to the ink: a bar in front gives all texts one height and baseline.
    const std::string markup = "| " + as_markup(text);
    const VImage line = VImage::text(
        markup.c_str(), VImage::option()
                            ->set("font", message("sans", bold ? " bold " : " ", size).c_str())
                            ->set("dpi", 72));
    std::size_t bytes = 0;
    const std::unique_ptr<void, void (*)(void*)> memory(line.write_to_memory(&bytes), g_free);
    const auto* ink = static_cast<const unsigned char*>(memory.get());
    const Index width = line.width();
    const Index height = line.height();
    const auto blank = [&](Index x) {
      for (Index y = 0; y < height; ++y) {
        if (ink[y * width + x] != 0) return false;
      }
      return true;
    };
    Index left = 0;
    while (left < width && !blank(left)) ++left;
    while (left < width && blank(left)) ++left;
    if (left == width) return Image<float>({1, 1, height, 1});
    Image<float> picture({1, 1, height, width - left});
    for (Index i = 0; i < picture.elements(); ++i) {
      const Index y = i / (width - left);
      picture.data()[i] = static_cast<float>(ink[y * width + left + i % (width - left)]) / 255.0f;
    }
    return picture;
  });
}

}  // namespace blurfield::io
