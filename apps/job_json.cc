// SPDX-License-Identifier: BSD-3-Clause
#include "apps/job_json.h"

namespace blurfield::app {

Json job_json(const char* command, const std::string& line, const Json& inputs,
              const std::string& out, const io::Info& in) {
  Json json = {{"command", command}, {"line", line}, {"version", BLURFIELD_VERSION}};
  json.update(inputs);
  json.update({{"out", out},
               {"height", in.height},
               {"width", in.width},
               {"channels", in.channels},
               {"pages", in.pages},
               {"in_type", io::sample_name(in.sample)}});
  return json;
}

Json auto_or(const std::optional<double>& value) { return value ? Json(*value) : Json("auto"); }

Json name_or_null(const std::string& file) { return file.empty() ? Json() : Json(file); }

std::string dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace blurfield::app
