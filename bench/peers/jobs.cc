// SPDX-License-Identifier: BSD-3-Clause
#include "bench/peers/jobs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>

namespace blurfield::bench {
namespace {

// A line of /proc/self/status, in bytes.
double memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(name + ":")) return std::stod(line.substr(name.size() + 1)) * 1024.0;
  }
  throw Error("ours: no " + name + " in /proc/self/status");
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <class T>
void save_all(const std::string& path, std::span<const Image<T>* const> images) {
  if (path == "-") return;
  std::ofstream file(path, std::ios::binary);
  for (const Image<T>* image : images) {
    file.write(reinterpret_cast<const char*>(image->data()),
               static_cast<std::streamsize>(image->elements() * Index{sizeof(T)}));
  }
  file.close();
  require(file.good(), "ours", path, ": cannot be written");
}

}  // namespace

template <class T>
Image<T> load(const std::string& path, const Shape& shape) {
  Image<T> image(shape);
  std::ifstream file(path, std::ios::binary);
  const auto bytes = static_cast<std::streamsize>(image.elements() * Index{sizeof(T)});
  file.read(reinterpret_cast<char*>(image.data()), bytes);
  require(file.gcount() == bytes, "ours", path, ": expected ", bytes, " bytes");
  return image;
}

template Image<float> load(const std::string&, const Shape&);
template Image<double> load(const std::string&, const Shape&);

void save(const std::string& path, std::span<const Image<float>* const> images) {
  save_all(path, images);
}
void save(const std::string& path, std::span<const Image<double>* const> images) {
  save_all(path, images);
}

Cost measure(const std::function<void()>& work) {
  std::ofstream("/proc/self/clear_refs") << 5;  // VmHWM starts anew from VmRSS
  const double before = memory("VmRSS");
  const double first = seconds_of(work);
  const double risen = memory("VmHWM") - before;
  if (first > 0.5) return {first, risen};
  std::array<double, 3> seconds{};
  for (double& time : seconds) time = seconds_of(work);
  std::sort(seconds.begin(), seconds.end());
  return {seconds[1], risen};
}

}  // namespace blurfield::bench
