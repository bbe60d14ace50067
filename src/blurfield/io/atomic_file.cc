// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <random>
#include <utility>
#include <vector>

#include "blurfield/base/error.h"

namespace blurfield::io {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kPathLimit = 4096;

// A signal handler may allocate nothing and take no lock: names stand in fixed memory.
struct Slot {
  enum State { free, filling, full };
  std::atomic<int> state{free};
  std::array<char, kPathLimit> path;
};
std::array<Slot, 16> slots;
static_assert(std::atomic<int>::is_always_lock_free);

int take_slot(const std::string& path) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    int expected = Slot::free;
    if (!slots[i].state.compare_exchange_strong(expected, Slot::filling)) continue;
    std::memcpy(slots[i].path.data(), path.c_str(), path.size() + 1);
    slots[i].state = Slot::full;
    return static_cast<int>(i);
  }
  return -1;
}

void free_slot(int slot) noexcept {
  if (slot >= 0) slots[static_cast<std::size_t>(slot)].state = Slot::free;
}

[[noreturn]] void fail(const std::string& path, const std::string& reason) {
  throw Error(message(path, ": cannot write: ", reason));
}

std::string reason_of(int error) { return std::strerror(error); }

// The file that writing to `path` writes to; links may dangle.
fs::path follow_links(const std::string& path) {
  fs::path target = path;
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(target, error)); ++links) {
    if (links == 40) fail(path, reason_of(ELOOP));
    const fs::path link = fs::read_symlink(target, error);
    if (error) fail(path, error.message());
    target = target.parent_path() / link;  // an absolute link replaces the folder
  }
  return target;
}

std::string random_name(const std::string& suffix) {
  std::random_device device;
  char name[32];
  std::snprintf(name, sizeof name, ".blurfield-%08x%08x", device(), device());
  return name + suffix;
}

// Renames, but never onto an existing file. Returns 0 or the error number.
int rename_to_new(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (link(from.c_str(), to.c_str()) != 0) return errno;  // a file system without the flag
  unlink(from.c_str());
  return 0;
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : number_(open(path.c_str(), flags, 0666)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int get() const { return number_; }
  int finish() { return close(std::exchange(number_, -1)); }

 private:
  int number_;
};

void copy_bytes(const std::string& from, const std::string& to, const std::string& path) {
  Descriptor in(from, O_RDONLY | O_CLOEXEC);
  Descriptor out(to, O_WRONLY | O_CLOEXEC);
  if (in.get() < 0 || out.get() < 0) fail(path, reason_of(errno));
  std::vector<char> buffer(1 << 16);
  while (true) {
    const ssize_t count = read(in.get(), buffer.data(), buffer.size());
    if (count < 0) fail(path, reason_of(errno));
    if (count == 0) break;
    for (ssize_t done = 0; done < count;) {
      const ssize_t written =
          write(out.get(), buffer.data() + done, static_cast<std::size_t>(count - done));
      if (written < 0) fail(path, reason_of(errno));
      done += written;
    }
  }
  if (out.finish() != 0) fail(path, reason_of(errno));
}

}  // namespace

bool is_device(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

AtomicFile::AtomicFile(const std::string& path, const std::string& suffix, bool overwrite)
    : path_(path),
      target_(is_device(path) ? fs::path(path) : follow_links(path)),
      overwrite_(overwrite),
      device_(is_device(path)) {
  std::error_code error;
  const fs::file_status status = fs::status(target_, error);
  if (fs::is_directory(status)) fail(path, "it is a folder");
  if (fs::is_regular_file(status) && !overwrite) throw Error(path + ": the file exists already");
  if (device_ && access(target_.c_str(), W_OK) != 0) fail(path, reason_of(errno));
  fs::path folder = device_ ? fs::temp_directory_path(error) : fs::path(target_).parent_path();
  if (folder.empty()) folder = ".";
  if (!fs::exists(folder, error)) {
    fail(path, message("there is no folder '", folder.string(), "'"));
  }
  for (int attempt = 0; attempt < 100; ++attempt) {
    temporary_ = (folder / random_name(suffix)).string();
    if (temporary_.size() >= kPathLimit) fail(path, reason_of(ENAMETOOLONG));
    slot_ = take_slot(temporary_);
    Descriptor file(temporary_, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC);
    if (file.get() >= 0) return;
    const int number = errno;
    free_slot(slot_);
    if (number != EEXIST) fail(path, reason_of(number));
  }
  fail(path, reason_of(EEXIST));
}

AtomicFile::~AtomicFile() { remove(); }

void AtomicFile::remove() noexcept {
  if (temporary_.empty()) return;
  unlink(temporary_.c_str());
  free_slot(slot_);
  temporary_.clear();
}

void AtomicFile::commit() {
  if (device_) {
    copy_bytes(temporary_, target_, path_);
    remove();
    return;
  }
  int error = 0;
  if (overwrite_) {
    struct stat old {};
    if (stat(target_.c_str(), &old) == 0) chmod(temporary_.c_str(), old.st_mode & 07777);
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) error = errno;
  } else {
    error = rename_to_new(temporary_, target_);
  }
  if (error == EEXIST) throw Error(path_ + ": the file exists already");
  if (error != 0) fail(path_, reason_of(error));
  free_slot(slot_);
  temporary_.clear();
}

void remove_atomic_files() noexcept {
  for (Slot& slot : slots) {
    if (slot.state == Slot::full) unlink(slot.path.data());
  }
}

}  // namespace blurfield::io
