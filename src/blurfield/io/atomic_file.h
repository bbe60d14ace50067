// SPDX-License-Identifier: BSD-3-Clause
// Files that appear whole or not at all. Inside io only.
#pragma once

#include <string>

namespace blurfield::io {

// A new file under a temporary name, to be given its own name when it is complete.
//
// The temporary file stands in the folder of the target, which is `path` with symbolic links
// followed, and ends in `suffix`; where the target is a device or a pipe, in the system's
// temporary folder, and commit() copies its bytes. Unless committed the destructor deletes it.
class AtomicFile {
 public:
  // Throws Error naming `path`: a missing or unwritable folder, a folder as target, or an existing
  // file without `overwrite`.
  AtomicFile(const std::string& path, const std::string& suffix, bool overwrite);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  // The temporary file, empty at first; a writer may replace it.
  const std::string& temporary() const { return temporary_; }

  // Renames the file to its target, with the permissions of the file that it replaces. Throws
  // Error also where somebody else has created the target meanwhile and it may not be overwritten.
  void commit();

 private:
  void remove() noexcept;

  std::string path_;
  std::string target_;
  std::string temporary_;
  bool overwrite_;
  bool device_ = false;
  int slot_ = -1;
};

// True for an existing file that is neither regular nor a folder, e.g. /dev/full.
bool is_device(const std::string& path);

// Deletes the temporary files of all living AtomicFiles; async-signal-safe.
void remove_atomic_files() noexcept;

}  // namespace blurfield::io
