// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/memory_limit.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

namespace blurfield::io {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

double number_in(const std::string& path) {
  std::ifstream file(path);
  double number = kUnlimited;
  return file >> number ? number : kUnlimited;  // "max" is no number
}

double machine_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  double kibibytes = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    if (words >> key >> kibibytes && key == "MemAvailable:") return kibibytes * 1024;
  }
  return kUnlimited;
}

// What limit and usage leave over, at every level of a control group's path.
double group_memory(const std::string& root, std::string group, const char* limit,
                    const char* usage) {
  double least = kUnlimited;
  while (true) {
    const std::string folder = root + group + "/";
    const double used = number_in(folder + usage);
    if (used < kUnlimited) least = std::min(least, number_in(folder + limit) - used);
    if (group.empty()) return least;
    group.erase(group.find_last_of('/'));
  }
}

double control_group_memory() {
  std::ifstream file("/proc/self/cgroup");
  double least = kUnlimited;
  for (std::string line; std::getline(file, line);) {  // "0::/path" or "5:memory:/path"
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    const std::string group = path.size() > 1 && path[0] == '/' ? path : "";
    if (controllers.empty()) {
      least =
          std::min(least, group_memory("/sys/fs/cgroup", group, "memory.max", "memory.current"));
    } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      least = std::min(least, group_memory("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes",
                                           "memory.usage_in_bytes"));
    }
  }
  return least;
}

std::string gigabytes(double bytes) { return message(std::ceil(bytes / 1e7) / 100, " GB"); }

}  // namespace

double available_memory() {
  return std::max(0.0, std::min(machine_memory(), control_group_memory()));
}

void require_memory(const Info& info, std::size_t element_size, double limit) {
  const double needed = 4.0 * static_cast<double>(element_size) * static_cast<double>(info.width) *
                        static_cast<double>(info.height) * static_cast<double>(info.channels) *
                        static_cast<double>(info.pages);
  const double available = limit > 0 ? limit : available_memory();
  if (needed <= available) return;
  throw Error(message(info.path, ": too large for memory: ", info.width, " x ", info.height,
                      " pixels, ", info.channels * info.pages, " channels need ", gigabytes(needed),
                      ", available are ", gigabytes(available)));
}

}  // namespace blurfield::io
