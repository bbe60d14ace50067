// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/learn/detail/multilevel.h"

#include <algorithm>
#include <cmath>

#include "blurfield/learn/detail/small_symmetric.h"

namespace blurfield::detail {
namespace {

constexpr Index kCoarsest = 4;  // pixels a side

// Fine pixel i takes 3/4 of coarse pixel i / 2 and 1/4 of that on its other side; beyond the border
// the first stands in.
Index neighbour(Index i, Index coarse) {
  return std::clamp(i % 2 == 0 ? i / 2 - 1 : i / 2 + 1, Index{0}, coarse - 1);
}

// Energies of a basis function along one axis after `level` such steps: sum of squared differences
// and of squares (those of the quadratic spline that it tends to).
double difference_energy(int level) { return level == 0 ? 2.0 : 0.625 * std::exp2(1 - level); }
double energy(int level) { return level == 0 ? 1.0 : 1.25 * std::exp2(level - 1); }

struct Grid {
  Index height;
  Index width;
};

// coarse = P^T fine, for `planes` planes.
template <class T>
void restrict_to(const T* fine, Grid from, T* coarse, Grid to, Index planes, int threads) {
  const bool one_row = from.height == to.height;
  parallel_for(planes * to.height, {threads, {}}, [&](Index row) {
    const Index plane = row / to.height;
    const Index y = row % to.height;
    T* out = coarse + row * to.width;
    std::fill_n(out, to.width, T{0});
    const Index first = one_row ? y : std::max<Index>(0, 2 * y - 1);
    const Index last = one_row ? y : std::min(from.height - 1, 2 * y + 2);
    for (Index fy = first; fy <= last; ++fy) {
      T weight = 1;
      if (!one_row) {
        weight = static_cast<T>((fy / 2 == y ? 0.75 : 0.0) +
                                (neighbour(fy, to.height) == y ? 0.25 : 0.0));
      }
      const T* in = fine + (plane * from.height + fy) * from.width;
      for (Index x = 0; x < from.width; ++x) {
        const T value = weight * in[x];
        out[x / 2] += static_cast<T>(0.75) * value;
        out[neighbour(x, to.width)] += static_cast<T>(0.25) * value;
      }
    }
  });
}

// fine += P coarse
template <class T>
void add_prolonged(const T* coarse, Grid from, T* fine, Grid to, Index planes, int threads) {
  const bool one_row = from.height == to.height;
  parallel_for(planes * to.height, {threads, {}}, [&](Index row) {
    const Index plane = row / to.height;
    const Index y = row % to.height;
    const T* near = coarse + (plane * from.height + (one_row ? y : y / 2)) * from.width;
    const T* far =
        one_row ? near : coarse + (plane * from.height + neighbour(y, from.height)) * from.width;
    T* out = fine + row * to.width;
    for (Index x = 0; x < to.width; ++x) {
      const Index a = x / 2;
      const Index b = neighbour(x, from.width);
      const T here = static_cast<T>(0.75) * near[a] + static_cast<T>(0.25) * near[b];
      const T there = static_cast<T>(0.75) * far[a] + static_cast<T>(0.25) * far[b];
      out[x] += static_cast<T>(0.75) * here + static_cast<T>(0.25) * there;
    }
  });
}

}  // namespace

template <class T>
Multilevel<T>::Multilevel(const Shape& field, bool pyramid, int threads)
    : fields_(field.rank() > 0 ? field[0] : 0),
      k_(field.rank() > 0 ? field[1] : 0),
      threads_(threads) {
  if (k_ == 0) return;
  Index height = field.rank() == 4 ? field[2] : 1;
  Index width = field[field.rank() - 1];
  int level_y = 0;
  for (int level = 0;; ++level) {
    Level& own = levels_.emplace_back();
    own.height = height;
    own.width = width;
    own.stiffness = difference_energy(level) * energy(level_y) +
                    (height > 1 ? difference_energy(level_y) * energy(level) : 0.0);
    own.inverse = Image<T>({fields_, k_ * (k_ + 1) / 2, height, width});
    if (level > 0) {
      own.r = Image<T>({fields_, k_, height, width});
      own.z = Image<T>({fields_, k_, height, width});
    }
    if (!pyramid || std::max(height, width) <= kCoarsest) return;
    if (height > 1) ++level_y;
    height = (height + 1) / 2;
    width = (width + 1) / 2;
  }
}

template <class T>
void Multilevel<T>::set(const Image<T>& blocks, std::span<const T> diagonal,
                        const PriorOnField<T>& prior, double weight) {
  if (k_ == 0) return;
  const Index triangle = k_ * (k_ + 1) / 2;
  Image<T> sums(blocks.view());  // of the level's blocks and diagonal
  const Index finest = levels_[0].height * levels_[0].width;
  for (Index f = 0; f < fields_; ++f) {
    for (Index i = 0; i < k_; ++i) {
      T* to = sums.data() + (f * triangle + packed(i, i)) * finest;
      const T* from = diagonal.data() + (f * k_ + i) * finest;
      for (Index p = 0; p < finest; ++p) to[p] += from[p];
    }
  }
  Image<T> w;  // sums of W
  if (!prior.weights().empty()) w = Image<T>(prior.weights().view());
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    Level& level = levels_[l];
    const Grid grid{level.height, level.width};
    const Index plane = level.height * level.width;
    if (l > 0) {
      const Grid finer{levels_[l - 1].height, levels_[l - 1].width};
      Image<T> coarse({fields_, triangle, grid.height, grid.width});
      restrict_to(sums.data(), finer, coarse.data(), grid, fields_ * triangle, threads_);
      sums = std::move(coarse);
      if (!w.empty()) {
        coarse = Image<T>({fields_, grid.height, grid.width});
        restrict_to(w.data(), finer, coarse.data(), grid, fields_, threads_);
        w = std::move(coarse);
      }
    }
    const double pixels = static_cast<double>(finest) / static_cast<double>(plane);
    parallel_slices(fields_ * plane, threads_, [&](Index begin, Index end) {
      for (Index at = begin; at < end; ++at) {
        const Index first = at / plane * triangle * plane + at % plane;
        const double mean = w.empty() ? 1.0 : static_cast<double>(w.data()[at]) / pixels;
        double block[6];
        for (Index i = 0; i < triangle; ++i) {
          block[i] = static_cast<double>(sums.data()[first + i * plane]);
        }
        for (Index i = 0; i < k_ && prior.active(); ++i) {
          block[packed(i, i)] += weight * mean * level.stiffness;
        }
        invert_symmetric(k_, block);
        for (Index i = 0; i < triangle; ++i) {
          level.inverse.data()[first + i * plane] = static_cast<T>(block[i]);
        }
      }
    });
  }
}

template <class T>
void Multilevel<T>::apply(std::span<const T> r, std::span<T> z) {
  if (k_ == 0) return;
  const auto r_of = [&](std::size_t l) { return l == 0 ? r.data() : levels_[l].r.data(); };
  const auto z_of = [&](std::size_t l) { return l == 0 ? z.data() : levels_[l].z.data(); };
  for (std::size_t l = 0; l < levels_.size(); ++l) {
    Level& level = levels_[l];
    const Grid grid{level.height, level.width};
    if (l > 0) {
      restrict_to(r_of(l - 1), {levels_[l - 1].height, levels_[l - 1].width}, level.r.data(), grid,
                  fields_ * k_, threads_);
    }
    const Index plane = grid.height * grid.width;
    parallel_for(fields_ * grid.height, {threads_, {}}, [&](Index row) {
      const Index f = row / grid.height;
      const Index first = row % grid.height * grid.width;
      multiply_symmetric(k_, level.inverse.data() + f * k_ * (k_ + 1) / 2 * plane + first,
                         r_of(l) + f * k_ * plane + first, z_of(l) + f * k_ * plane + first, plane,
                         grid.width);
    });
  }
  for (std::size_t l = levels_.size() - 1; l > 0; --l) {
    add_prolonged(z_of(l), {levels_[l].height, levels_[l].width}, z_of(l - 1),
                  {levels_[l - 1].height, levels_[l - 1].width}, fields_ * k_, threads_);
  }
}

template class Multilevel<float>;
template class Multilevel<double>;

}  // namespace blurfield::detail
