// SPDX-License-Identifier: BSD-3-Clause
// `blurfield blur` of an image of any size: bands of rows are read, blurred and written one after
// another, each with the rows around it that its kernels reach. The result is that of blur_whole to
// rounding; with a tolerance, where a band's tiles or levels are not the image's, to the tolerance.
#pragma once

#include <memory>

#include "apps/blur/summary.h"
#include "blurfield/io/rows/row_reader.h"

namespace blurfield::app {

// The input files, by rows.
template <class T>
struct BandInputs {
  // Throws Error for files whose shapes or samples do not match, or that are not read by rows.
  explicit BandInputs(const BlurRequest& request);

  std::unique_ptr<io::RowReader<T>> image;
  std::unique_ptr<io::RowReader<T>> map;   // null: a uniform blur
  std::unique_ptr<io::RowReader<T>> mask;  // null: none
};

// As blur_whole, within `memory` bytes for pixels. Throws Error where that is too little.
template <class T>
void blur_in_bands(const BlurRequest& request, double memory, BandInputs<T>& inputs,
                   const io::SaveOptions& saving, BlurSummary& summary);

}  // namespace blurfield::app
