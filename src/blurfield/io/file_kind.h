// SPDX-License-Identifier: BSD-3-Clause
// What the first bytes of a file tell. Inside io only.
#pragma once

#include <string>
#include <vector>

namespace blurfield::io {

// The format by its signature, as in Info::format. Throws Error naming `path` if it cannot be
// read, is a folder or empty, or has no known signature.
std::string file_format(const std::string& path);

// The same, but empty for an unknown signature.
std::string known_format(const std::string& path);

// Names of an EXR file's channels, e.g. A B G R; empty if damaged.
std::vector<std::string> exr_channels(const std::string& path);

}  // namespace blurfield::io
