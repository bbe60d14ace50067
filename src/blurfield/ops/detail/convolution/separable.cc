// SPDX-License-Identifier: BSD-3-Clause
// Kernels split by their singular values: a pass along y for every channel and term, and one along
// x over all of them.
#include "blurfield/ops/detail/convolution/separable.h"

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>

#include "blurfield/kernels/window_sums.h"
#include "blurfield/ops/detail/convolution/tile_sweep.h"

namespace blurfield::detail {
namespace {

using Matrix = Eigen::MatrixXd;

template <class T>
Matrix matrix_of(const T* taps, Index kh, Index kw) {
  using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Rows>(taps, kh, kw).template cast<double>();
}

// Divides by the largest entry, so that no norm leaves the range of numbers; returns it, or 1.
double normalise(Matrix& kernel) {
  const double largest = kernel.cwiseAbs().maxCoeff();
  if (largest == 0) return 1.0;
  kernel /= largest;
  return largest;
}

// The norm of what rounding leaves of a kernel: of its taps in T, or of a decomposition in double.
template <class T>
double rounding(const Matrix& kernel) {
  const auto side = static_cast<double>(std::max(kernel.rows(), kernel.cols()));
  return kernel.norm() * std::max(static_cast<double>(std::numeric_limits<T>::epsilon()),
                                  side * std::numeric_limits<double>::epsilon());
}

// The terms of one output's kernels, all channels.
template <class T>
struct Terms {
  std::vector<Index> channel;  // of every term
  std::vector<T> columns;      // (terms, kh)
  std::vector<T> rows;         // (terms, kw)
};

template <class T>
std::vector<Terms<T>> all_terms(const Correlation<T>& job) {
  const Index kh = job.y_axis.taps;
  const Index kw = job.x_axis.taps;
  const Index groups = job.kernels.stride[0] == 0 ? 1 : job.groups();
  std::vector<Terms<T>> all(static_cast<std::size_t>(groups * job.outputs()));
  Execution quiet;  // quick beside the passes, but for kernels of thousands of taps a side
  quiet.threads = job.execution.threads;
  parallel_for(static_cast<Index>(all.size()), quiet, [&](Index i) {
    Terms<T>& terms = all[static_cast<std::size_t>(i)];
    const T* taps = job.kernels.data + i * job.inputs() * kh * kw;
    for (Index c = 0; c < job.inputs(); ++c, taps += kh * kw) {
      const SeparableKernel kernel = separate(taps, kh, kw);
      terms.channel.insert(terms.channel.end(), static_cast<std::size_t>(kernel.rank), c);
      for (double v : kernel.columns) terms.columns.push_back(static_cast<T>(v));
      for (double v : kernel.rows) terms.rows.push_back(static_cast<T>(v));
    }
  });
  return all;
}

// The most terms of any kernel.
template <class T>
int rank_of(const std::vector<Terms<T>>& all) {
  Index most = 0;
  for (const Terms<T>& terms : all) {
    for (const Index c : terms.channel) {
      most = std::max<Index>(most, std::count(terms.channel.begin(), terms.channel.end(), c));
    }
  }
  return static_cast<int>(most);
}

// Both passes of one block.
template <class T>
bool compute_block(const Correlation<T>& job, const DirectTile& tile, const Terms<T>& terms,
                   const RowBlock<T>& block, TileWorkspace<T>& work) {
  const Index kh = job.y_axis.taps;
  const Index kw = job.x_axis.taps;
  const auto count = static_cast<Index>(terms.channel.size());
  const Index size = block.rows_of * block.reads;
  work.between.resize(static_cast<std::size_t>(count * size));
  work.between_rows.clear();
  const Index origin = 0;
  for (Index term = 0; term < count; ++term) {
    T* const between = work.between.data() + term * size;
    const Index channel = terms.channel[static_cast<std::size_t>(term)];
    const T* const* rows = block.rows + channel * (kh + block.rows_of - 1);
    kernels::window_rows<T>({rows, terms.columns.data() + term * kh, &origin, 1, 1, kh},
                            block.rows_of, block.reads, between, block.reads);
    for (Index i = 0; i < block.rows_of; ++i) {
      work.between_rows.push_back(between + i * block.reads);
    }
  }
  return kernels::window_rows<T>(
      {work.between_rows.data(), terms.rows.data(), tile.offsets.data(), count, kw, 1},
      block.rows_of, block.width, block.out, block.stride);
}

}  // namespace

template <class T>
SeparableKernel separate(const T* taps, Index kh, Index kw) {
  Matrix kernel = matrix_of(taps, kh, kw);
  const double scale = normalise(kernel);
  const Eigen::BDCSVD<Matrix> svd(kernel, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const Eigen::VectorXd& values = svd.singularValues();
  const double bound = rounding<T>(kernel);
  SeparableKernel terms;
  terms.rank = 1;
  for (Index left = values.size(); left > 1; --left) {
    if (values.tail(values.size() - left + 1).norm() <= bound) continue;
    terms.rank = left;
    break;
  }
  for (Index r = 0; r < terms.rank; ++r) {
    const double root = std::sqrt(values[r]);
    const double whole = root * scale;
    for (Index i = 0; i < kh; ++i) terms.columns.push_back(whole * svd.matrixU()(i, r));
    for (Index j = 0; j < kw; ++j) terms.rows.push_back(root * svd.matrixV()(j, r));
  }
  return terms;
}

// Elimination with complete pivoting, stopped as soon as enough is known.
template <class T>
Index rank_up_to(const T* taps, Index kh, Index kw, Index most) {
  Matrix rest = matrix_of(taps, kh, kw);
  normalise(rest);
  const double bound = rounding<T>(rest);
  Index rank = 1;
  for (; rank <= most; ++rank) {
    Index i = 0;
    Index j = 0;
    const double largest = rest.cwiseAbs().maxCoeff(&i, &j);
    if (largest == 0) break;
    const Eigen::VectorXd column = rest.col(j) / rest(i, j);
    const Eigen::RowVectorXd row = rest.row(i);
    rest.noalias() -= column * row;
    if (rest.norm() <= bound) break;
  }
  return rank;
}

template <class T>
int separable_rank(const Correlation<T>& job) {
  return rank_of(all_terms(job));
}

template <class T>
bool correlate_separable(const Correlation<T>& job, int* rank) {
  const DirectTile tile = direct_tile(job.y_axis, job.x_axis, job.inputs());
  const std::vector<Terms<T>> terms = all_terms(job);
  *rank = rank_of(terms);
  return sweep_tiles<T>(job, tile, [&](const RowBlock<T>& block, TileWorkspace<T>& work) {
    return compute_block(job, tile, terms[static_cast<std::size_t>(block.set)], block, work);
  });
}

#define BLURFIELD_INSTANTIATE(T)                             \
  template SeparableKernel separate(const T*, Index, Index); \
  template Index rank_up_to(const T*, Index, Index, Index);  \
  template int separable_rank(const Correlation<T>&);        \
  template bool correlate_separable(const Correlation<T>&, int*)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
