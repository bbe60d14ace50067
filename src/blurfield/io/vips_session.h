// SPDX-License-Identifier: BSD-3-Clause
// libvips started once, silent, and its errors as ours. Inside the libvips part of io only.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vips/vips8>

#include "blurfield/io/picture.h"

namespace blurfield::io {

// Starts libvips at the first call: no cache, two threads, nothing on stderr.
void start_vips();

// libvips' error messages so far, on one line, and forgets them.
std::string take_vips_error();

// Runs `work` and translates what libvips throws to Error("path: doing: reason").
template <class F>
decltype(auto) vips_guard(const std::string& path, const char* doing, F&& work) {
  start_vips();
  vips_error_clear();
  try {
    return work();
  } catch (const vips::VError&) {
    throw Error(message(path, ": ", doing, ": ", take_vips_error()));
  }
}

VipsBandFormat band_format(Sample sample);

// Copies the metadata fields whose name `wanted` accepts.
void copy_fields(const vips::VImage& from, const vips::VImage& to,
                 const std::function<bool(std::string_view)>& wanted);

// The metadata of a loaded file that save() takes over, as the fields of a one-pixel image.
struct VipsHeader {
  vips::VImage image;
};

}  // namespace blurfield::io
