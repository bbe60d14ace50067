// SPDX-License-Identifier: BSD-3-Clause
// Text files that appear whole or not at all.
#pragma once

#include <string>

namespace blurfield::app {

// Throws Error for an existing file, and says what to add, unless `overwrite`.
void require_new(const std::string& path, bool overwrite);

// Throws the Error that write_text_file would throw, before the work is done: an existing file
// without `overwrite`, a missing or unwritable folder.
void check_can_write(const std::string& path, bool overwrite);

// Writes a temporary file beside `path` and renames it; on failure nothing is left.
void write_text_file(const std::string& path, const std::string& text, bool overwrite);

}  // namespace blurfield::app
