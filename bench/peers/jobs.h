// SPDX-License-Identifier: BSD-3-Clause
// The jobs of ours.cc, and what they share: files of numbers, a clock, a memory gauge.
#pragma once

#include <functional>
#include <istream>
#include <span>
#include <string>

#include "blurfield/base/image.h"

namespace blurfield::bench {

// Each reads its arguments from the rest of a job's line (ours.cc lists them), runs, and prints the
// answer's line. Throws Error.
void uniform_job(std::istream& job);
void adaptive_job(std::istream& job);
void tolerance_job(std::istream& job);
void adamax_job(std::istream& job);
void correlate_job(std::istream& job);
void document_job(std::istream& job);
void richardson_lucy_job(std::istream& job);
void copy_job(std::istream& job);
void plot_job(std::istream& job);

template <class T = float>
Image<T> load(const std::string& path, const Shape& shape);

// Writes the images one after another; a path of "-" writes nothing.
void save(const std::string& path, std::span<const Image<float>* const> images);
void save(const std::string& path, std::span<const Image<double>* const> images);

struct Cost {
  double seconds;
  double bytes;  // how far memory in use rose, at the first run
};

// Once to warm up, then the median of three; a first run of more than half a second stands alone.
Cost measure(const std::function<void()>& work);

}  // namespace blurfield::bench
