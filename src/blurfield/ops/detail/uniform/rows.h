// SPDX-License-Identifier: BSD-3-Clause
// The 1-D steps of a uniform blur to a tolerance as sparse matrices, in double: rows of weights
// that repeat themselves inside an axis and differ at its borders only.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "blurfield/base/extension.h"

namespace blurfield::detail {

// Row i is sum_k weights[k] in(first + k), indices modulo the number of columns.
struct SparseRow {
  Index first = 0;
  std::vector<double> weights;
  double beyond = 0.0;  // weight of what stands beyond Mode::constant's frame
};

// Rows 0, 1, ..., then `middle` again and again, each time `shift` columns further, then the last
// ones. The rows of the middle lie within the columns.
class SparseRows {
 public:
  SparseRows(Index columns, double total, Index shift, std::vector<SparseRow> head,
             std::vector<SparseRow> middle, Index repeated, std::vector<SparseRow> tail)
      : columns_(columns),
        total_(total),
        shift_(shift),
        repeated_(repeated),
        head_(std::move(head)),
        middle_(std::move(middle)),
        tail_(std::move(tail)) {}

  struct Row {
    Index first;
    std::span<const double> weights;
    double beyond;
  };
  Row row(Index i) const;
  void scale(double factor);

  Index rows() const { return middle_end() + std::ssize(tail_); }
  Index columns() const { return columns_; }
  double total() const { return total_; }  // sum of each row, `beyond` included
  Index middle_begin() const { return std::ssize(head_); }
  Index middle_end() const { return middle_begin() + repeated_; }
  Index period() const { return std::ssize(middle_); }
  Index shift() const { return shift_; }

 private:
  Index columns_;
  double total_;
  Index shift_;
  Index repeated_;  // rows of the middle in all
  std::vector<SparseRow> head_;
  std::vector<SparseRow> middle_;
  std::vector<SparseRow> tail_;
};

// Samples every `step` pixels of an axis: sample m stands at step m + (step - 1) / 2 pixels.
struct Samples {
  Index step = 1;
  Index first = 0;
  Index count = 0;
};

// The samples that lie within `reach` steps of the n pixels.
Samples samples_around(Index n, Index step, double reach);

// A Gaussian of width sigma pixels that ends after `reach` sigmas, normalised, or (G2) its
// derivative by sigma, around every sample; the extension folded onto the n pixels.
SparseRows gaussian_rows(Index n, Mode mode, const Samples& samples, double sigma, double reach,
                         bool derivative);

// A Gaussian of width tau steps over the samples, normalised, or its derivative by tau, around each
// of n pixels.
SparseRows reading_rows(Index n, const Samples& samples, double tau, double reach, bool derivative);

SparseRows transposed(const SparseRows& a);

}  // namespace blurfield::detail
