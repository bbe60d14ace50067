// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/vips_session.h"

#include <algorithm>
#include <mutex>
#include <sstream>
#include <vector>

namespace blurfield::io {

void start_vips() {
  static std::once_flag once;
  std::call_once(once, [] {
    const auto ignore = [](const gchar*, GLogLevelFlags, const gchar*, gpointer) {};
    for (const char* domain : {"VIPS", "GLib", "GLib-GObject"}) {
      g_log_set_handler(domain, static_cast<GLogLevelFlags>(G_LOG_LEVEL_MASK), ignore, nullptr);
    }
    if (vips_init("blurfield") != 0) throw Error("libvips: cannot start: " + take_vips_error());
    vips_concurrency_set(2);
    vips_cache_set_max(0);
  });
}

std::string take_vips_error() {
  constexpr std::size_t kLimit = 300;
  std::istringstream text(vips_error_buffer());
  vips_error_clear();
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (!line.empty() && std::find(lines.begin(), lines.end(), line) == lines.end()) {
      lines.push_back(line);
    }
  }
  std::string joined;
  for (const std::string& line : lines) joined += (joined.empty() ? "" : "; ") + line;
  if (joined.size() > kLimit) joined = joined.substr(0, kLimit) + " ...";
  return joined.empty() ? "damaged or truncated" : joined;
}

VipsBandFormat band_format(Sample sample) {
  switch (sample) {
    case Sample::u8:
      return VIPS_FORMAT_UCHAR;
    case Sample::u16:
      return VIPS_FORMAT_USHORT;
    case Sample::u32:
      return VIPS_FORMAT_UINT;
    case Sample::i8:
      return VIPS_FORMAT_CHAR;
    case Sample::i16:
      return VIPS_FORMAT_SHORT;
    case Sample::i32:
      return VIPS_FORMAT_INT;
    case Sample::f32:
      return VIPS_FORMAT_FLOAT;
    case Sample::f64:
      break;
  }
  return VIPS_FORMAT_DOUBLE;
}

void copy_fields(const vips::VImage& from, const vips::VImage& to,
                 const std::function<bool(std::string_view)>& wanted) {
  gchar** names = vips_image_get_fields(from.get_image());
  for (gchar** name = names; name && *name; ++name) {
    GValue value = G_VALUE_INIT;
    if (!wanted(*name) || vips_image_get(from.get_image(), *name, &value) != 0) continue;
    vips_image_set(to.get_image(), *name, &value);
    g_value_unset(&value);
  }
  g_strfreev(names);
}

}  // namespace blurfield::io
