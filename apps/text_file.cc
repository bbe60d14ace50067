// SPDX-License-Identifier: BSD-3-Clause
#include "apps/text_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "blurfield/base/error.h"
#include "blurfield/io/atomic_file.h"

namespace blurfield::app {
namespace {

constexpr const char* kSuffix = ".txt";

}  // namespace

void require_new(const std::string& path, bool overwrite) {
  std::error_code ignored;
  if (!overwrite && std::filesystem::is_regular_file(path, ignored)) {
    throw Error(path + ": the file exists already (--force overwrites it)");
  }
}

void check_can_write(const std::string& path, bool overwrite) {
  require_new(path, overwrite);
  io::AtomicFile(path, kSuffix, overwrite);
}

void write_text_file(const std::string& path, const std::string& text, bool overwrite) {
  io::AtomicFile file(path, kSuffix, overwrite);
  FILE* stream = std::fopen(file.temporary().c_str(), "w");
  bool ok = stream != nullptr && std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  if (stream != nullptr) ok = std::fclose(stream) == 0 && ok;
  if (!ok) throw Error(path + ": cannot write: " + std::strerror(errno));
  file.commit();
}

}  // namespace blurfield::app
