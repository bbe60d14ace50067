// SPDX-License-Identifier: BSD-3-Clause
// The JSON object of a command that makes an image file: how it begins, and as text.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "blurfield/io/picture.h"

namespace blurfield::app {

using Json = nlohmann::ordered_json;

// Command, its line, version, files and what `in` is; `inputs` maps names to input files.
Json job_json(const char* command, const std::string& line, const Json& inputs,
              const std::string& out, const io::Info& in);

Json auto_or(const std::optional<double>& value);  // "auto" where it is empty
Json name_or_null(const std::string& file);        // null where it is empty

// Text that ends in a line feed, in UTF-8 whatever file names are in.
std::string dump(const Json& json);

}  // namespace blurfield::app
