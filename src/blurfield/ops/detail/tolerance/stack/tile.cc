// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/stack/tile.h"

#include <algorithm>
#include <cmath>

#include "blurfield/kernels/adaptive/separable.h"
#include "blurfield/kernels/transpose.h"

namespace blurfield::detail {
namespace {

constexpr Index kVector = kernels::kNodePad;  // at least a vector's elements

std::size_t at(Index i) { return static_cast<std::size_t>(i); }
Index whole(Index n) { return (n + kVector - 1) / kVector * kVector; }

// Room for `size` elements; what is there from before is finite and stays.
template <class T>
T* reserve(std::vector<T>& store, Index size) {
  if (store.size() < at(size)) store.resize(at(size), T{0});
  return store.data();
}

}  // namespace

template <class T>
void StackTileWork<T>::start(const AdaptiveField<T>& field, Index n, const Ladder& ladder,
                             const StackTile& plan, const Tile& tile, const LevelGrid<T>& grid,
                             Use use) {
  tile_ = tile;
  width_ = whole(tile.x.size());
  diagonal_ = field.params.channels() == 2;
  const bool signal = field.params.spatial_rank() == 1;
  const bool edges = field.belongs == Belongs::to_source && field.mode == Mode::nearest;
  taps_.clear();
  for (std::size_t axis = 0; axis < 2; ++axis) {
    axes_[axis].filters.clear();
    const StackAxis& nodes = plan.axes[diagonal_ ? axis : 0];
    const bool idle = signal && axis == 0;
    for (std::size_t k = 0; k < nodes.nodes.size(); ++k) {
      const StackNode& node = nodes.nodes[k];
      const double step = idle ? 1.0 : node.step;
      const bool shared = axis == 1 && !diagonal_ && !signal;
      if (!shared) taps_.emplace_back(idle ? 0.0 : node.sigma, step, ladder);
      std::size_t level = 0;
      while (grid.axis(level, static_cast<int>(axis)).step() != step) ++level;
      axes_[axis].filters.emplace_back(axis == 0 ? tile.y : tile.x,
                                       shared ? taps_[k] : taps_.back(),
                                       grid.axis(level, static_cast<int>(axis)), edges, use);
    }
    if (axis == 1 && !diagonal_) break;
    axes_[axis].middle = 0.5 * (nodes.nodes.front().u + nodes.nodes.back().u);
    read_sigma(field, n, static_cast<Index>(axis), axes_[axis]);
    make_polynomials(nodes, axes_[axis]);
  }
  make_blocks(grid, plan, signal);
}

template <class T>
void StackTileWork<T>::read_sigma(const AdaptiveField<T>& field, Index n, Index channel,
                                  Axis& axis) {
  const Index size = kTileSide * kStride;
  for (auto* list : {&axis.u, &axis.inverse, &value_, &slope_[0], &slope_[1]}) reserve(*list, size);
  T* sigma = value_.data();
  for (Index y = 0; y < tile_.y.size(); ++y) {
    const View<const T>& params = field.params;
    const T* row = params.row(n, channel, tile_.y.begin + y) + tile_.x.begin * params.x_stride();
    if (params.x_stride() == 1) {
      std::copy_n(row, tile_.x.size(), sigma + y * kStride);
    } else {
      for (Index x = 0; x < tile_.x.size(); ++x) {
        sigma[y * kStride + x] = row[x * params.x_stride()];
      }
    }
    std::fill_n(sigma + y * kStride + tile_.x.size(), kStride - tile_.x.size(), row[0]);
  }
  kernels::log_sigma(sigma, static_cast<T>(kLeastSigma), static_cast<T>(std::exp(-axis.middle)),
                     tile_.y.size() * kStride, axis.u.data(), axis.inverse.data());
}

template <class T>
void StackTileWork<T>::make_polynomials(const StackAxis& nodes, Axis& axis) {
  axis.polynomials.clear();
  axis.roots.clear();
  axis.scales.clear();
  std::size_t total = 0;
  for (const StackCluster& cluster : nodes.clusters) total += cluster.count * (cluster.count - 1);
  axis.roots.reserve(total);
  axis.scales.reserve(total);
  // Through the nodes as T holds them, or the polynomials' sum would not be 1.
  const auto root = [&](std::size_t k) { return static_cast<T>(nodes.nodes[k].u - axis.middle); };
  for (const StackCluster& cluster : nodes.clusters) {
    for (std::size_t k = cluster.first; k < cluster.first + cluster.count; ++k) {
      const std::size_t begin = axis.roots.size();
      for (std::size_t j = cluster.first; j < cluster.first + cluster.count; ++j) {
        if (j == k) continue;
        axis.roots.push_back(root(j));
        axis.scales.push_back(T{1} / (root(k) - root(j)));
      }
      axis.polynomials.push_back({axis.roots.data() + begin, axis.scales.data() + begin,
                                  static_cast<Index>(cluster.count) - 1, cluster.from - axis.middle,
                                  cluster.to - axis.middle});
    }
  }
}

template <class T>
void StackTileWork<T>::make_blocks(const LevelGrid<T>& grid, const StackTile& plan, bool signal) {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::vector<StackNode>& nodes = plan.axes[diagonal_ ? axis : 0].nodes;
    axes_[axis].groups.clear();
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      if (k > 0 && nodes[k].step == nodes[k - 1].step) {
        ++axes_[axis].groups.back().end;
      } else {
        axes_[axis].groups.push_back({k, k + 1});
      }
    }
  }
  blocks_.clear();
  for (std::size_t gy = 0; gy < axes_[0].groups.size(); ++gy) {
    for (std::size_t gx = 0; gx < axes_[1].groups.size(); ++gx) {
      if (!diagonal_ && gx != gy) continue;
      Block block{0, axes_[0].groups[gy], axes_[1].groups[gx], {}, {}, 0};
      const double step_y = signal ? 1.0 : plan.axes[0].nodes[block.y.first].step;
      const double step_x = plan.axes[diagonal_ ? 1 : 0].nodes[block.x.first].step;
      while (grid.axis(block.level, 0).step() != step_y ||
             grid.axis(block.level, 1).step() != step_x) {
        ++block.level;
      }
      block.rows = rows_of(block.y);
      block.columns = axes_[1].filters[block.x.first].samples();
      for (std::size_t l = block.x.first; l < block.x.end; ++l) {
        const Window& own = axes_[1].filters[l].samples();
        block.columns = {std::min(block.columns.begin, own.begin),
                         std::max(block.columns.end, own.end)};
      }
      block.stride = whole(block.rows.size()) + kVector;
      blocks_.push_back(block);
    }
  }
}

template <class T>
kernels::NodePair<T> StackTileWork<T>::pair(std::size_t k, std::size_t l) const {
  kernels::NodePair<T> node{axes_[0].polynomials[k], {}, axes_[0].u.data(), nullptr};
  if (diagonal_) {
    node.x = axes_[1].polynomials[l];
    node.u_x = axes_[1].u.data();
  }
  return node;
}

template <class T>
typename StackTileWork<T>::Group StackTileWork<T>::partners(const Block& block,
                                                            std::size_t l) const {
  return diagonal_ ? block.y : Group{l, l + 1};
}

template <class T>
Window StackTileWork<T>::rows_of(const Group& group) const {
  Window rows = axes_[0].filters[group.first].samples();
  for (std::size_t k = group.first; k < group.end; ++k) {
    const Window& own = axes_[0].filters[k].samples();
    rows = {std::min(rows.begin, own.begin), std::max(rows.end, own.end)};
  }
  return rows;
}

template <class T>
const T* const* StackTileWork<T>::pointers(const std::vector<T>& rows, Index first, Index count,
                                           Index stride, Index column) {
  pointers_.clear();
  for (Index i = 0; i < count; ++i) {
    pointers_.push_back(rows.data() + (first + i) * stride + column);
  }
  return pointers_.data();
}

template <class T>
void StackTileWork<T>::gather(const Levels<T>& levels, std::size_t plane, bool slopes) {
  const Index size = tile_.y.size() * kStride;
  const std::size_t axes = diagonal_ ? 2 : 1;
  std::fill_n(value_.begin(), size, T{0});
  for (std::size_t i = 0; slopes && i < axes; ++i) std::fill_n(slope_[i].begin(), size, T{0});
  for (const Block& block : blocks_) {
    const Index rows = block.rows.size();
    const Index columns = block.columns.size();
    reserve(packed_, rows * columns);
    reserve(turned_, columns * block.stride);
    levels.pack(block.level, plane, block.rows, block.columns, packed_.data(), columns);
    kernels::transpose(packed_.data(), columns, rows, columns, turned_.data(), block.stride);
    for (std::size_t l = block.x.first; l < block.x.end; ++l) gather_node(block, l, slopes);
  }
  for (std::size_t i = 0; slopes && i < axes; ++i) {
    for (Index j = 0; j < size; ++j) slope_[i][at(j)] *= axes_[i].inverse[at(j)];
  }
}

template <class T>
void StackTileWork<T>::gather_node(const Block& block, std::size_t l, bool slopes) {
  const NodeFilter<T>& x = axes_[1].filters[l];
  const Group group = partners(block, l);
  const Window rows = rows_of(group);
  const Index stride = whole(rows.size());
  reserve(mid_, NodeFilter<T>::room(tile_.x.size()) * stride);
  reserve(mid_turned_, rows.size() * kStride);
  reserve(node_, NodeFilter<T>::room(tile_.y.size()) * kStride);
  x.apply(pointers(turned_, x.samples().begin - block.columns.begin, x.samples().size(),
                   block.stride, rows.begin - block.rows.begin),
          std::max(rows.size(), kVector), mid_.data(), stride);
  kernels::transpose(mid_.data(), stride, tile_.x.size(), rows.size(), mid_turned_.data(), kStride);
  for (std::size_t k = group.first; k < group.end; ++k) {
    const NodeFilter<T>& y = axes_[0].filters[k];
    y.apply(pointers(mid_turned_, y.samples().begin - rows.begin, y.samples().size(), kStride),
            width_, node_.data(), kStride);
    kernels::node_mix(pair(k, l), node_.data(), tile_.y.size() * kStride, value_.data(),
                      slopes ? slope_[0].data() : nullptr, slopes ? slope_[1].data() : nullptr);
  }
}

template <class T>
void StackTileWork<T>::spread(std::size_t plane, bool values, bool slopes,
                              std::vector<LevelBlock<T>>& blocks) {
  for (std::size_t i = 0; slopes && i < (diagonal_ ? 2 : 1); ++i) {
    for (Index j = 0; j < tile_.y.size() * kStride; ++j) {
      slope_[i][at(j)] *= axes_[i].inverse[at(j)];
    }
  }
  for (const Block& block : blocks_) {
    const Index rows = block.rows.size();
    const Index columns = block.columns.size();
    std::fill_n(reserve(turned_, columns * block.stride), columns * block.stride, T{0});
    for (std::size_t l = block.x.first; l < block.x.end; ++l) spread_node(block, l, values, slopes);
    LevelBlock<T>& to = blocks.emplace_back(LevelBlock<T>{
        block.level, plane, block.rows, block.columns, std::vector<T>(at(rows * columns))});
    kernels::transpose(turned_.data(), block.stride, columns, rows, to.samples.data(), columns);
  }
}

template <class T>
void StackTileWork<T>::spread_node(const Block& block, std::size_t l, bool values, bool slopes) {
  const NodeFilter<T>& x = axes_[1].filters[l];
  const Group group = partners(block, l);
  const Window rows = rows_of(group);
  const Index stride = whole(rows.size());
  const Index turned = NodeFilter<T>::room(rows.size()) * kStride;
  reserve(node_, NodeFilter<T>::room(tile_.y.size()) * kStride);
  reserve(zero_, std::max(stride, kStride));
  reserve(mid_, NodeFilter<T>::room(tile_.x.size()) * stride);
  std::fill_n(reserve(mid_turned_, turned), turned, T{0});
  reserve(part_, std::max(turned, NodeFilter<T>::room(x.samples().size()) * stride));
  for (std::size_t k = group.first; k < group.end; ++k) {
    const NodeFilter<T>& y = axes_[0].filters[k];
    kernels::node_share(pair(k, l), values ? value_.data() : nullptr,
                        slopes ? slope_[0].data() : nullptr, slopes ? slope_[1].data() : nullptr,
                        tile_.y.size() * kStride, node_.data());
    y.apply_transposed(pointers(node_, 0, tile_.y.size(), kStride), zero_.data(), width_,
                       part_.data(), kStride);
    kernels::accumulate_row(part_.data(), y.samples().size() * kStride,
                            mid_turned_.data() + (y.samples().begin - rows.begin) * kStride);
  }
  kernels::transpose(mid_turned_.data(), kStride, rows.size(), tile_.x.size(), mid_.data(), stride);
  x.apply_transposed(pointers(mid_, 0, tile_.x.size(), stride), zero_.data(),
                     std::max(rows.size(), kVector), part_.data(), stride);
  const Index first = x.samples().begin - block.columns.begin;
  for (Index i = 0; i < x.samples().size(); ++i) {
    kernels::accumulate_row(
        part_.data() + i * stride, rows.size(),
        turned_.data() + (first + i) * block.stride + rows.begin - block.rows.begin);
  }
}

template class StackTileWork<float>;
template class StackTileWork<double>;

}  // namespace blurfield::detail
