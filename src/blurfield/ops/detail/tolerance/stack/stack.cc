// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/stack/stack.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "blurfield/ops/detail/pool.h"
#include "blurfield/ops/detail/tolerance/in_order.h"
#include "blurfield/ops/detail/tolerance/stack/tile.h"

namespace blurfield::detail {
namespace {

constexpr Index kKept = 8;  // finished tiles that may wait for their turn, beside those at work

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

std::vector<Index> members(const TileSet& tiles) {
  std::vector<Index> list;
  for (Index i = 0; i < tiles.count(); ++i) {
    if (tiles.has(i)) list.push_back(i);
  }
  return list;
}

// A kernel that belongs to the source is seen by the frame alone: zeros around it. Not so under
// mirror, see Mirrored.
template <class T>
Mode seen(const AdaptiveField<T>& field) {
  const bool crop = field.belongs == Belongs::to_source && field.mode == Mode::nearest;
  return crop ? Mode::constant : field.mode;
}

// Under Mode::mirror a period holds border pixels once and all others twice. So the kernel of a
// source p and all its copies, even along each axis, is m_p / m_q times what the copies of q give,
// m = 1 inside and 1/2 on a border, per axis: an image that is scaled turns one into the other.
class Mirrored {
 public:
  template <class T>
  explicit Mirrored(const AdaptiveField<T>& field)
      : on_(field.belongs == Belongs::to_source && field.mode == Mode::mirror),
        height_(field.params.spatial_rank() == 1 ? 1 : field.params.height()),
        width_(field.params.width()) {}

  bool on() const { return on_; }
  template <class T>
  T weight(Index y, Index x) const {
    if (!on_) return T{1};
    const auto part = [](Index i, Index n) {
      return n > 1 && (i == 0 || i == n - 1) ? T(0.5) : T{1};
    };
    return part(y, height_) * part(x, width_);
  }
  // image /= m.
  template <class T>
  void divide(const View<T>& image) const {
    for (Index n = 0; n < image.batch(); ++n) {
      for (Index c = 0; c < image.channels(); ++c) {
        for (Index y = 0; y < image.height(); ++y) {
          for (Index x = 0; x < image.width(); ++x) image.at(n, c, y, x) /= weight<T>(y, x);
        }
      }
    }
  }

 private:
  bool on_;
  Index height_, width_;
};

// What a tile's sums are made into: values and gradients of a plane.
template <class T>
class Finish {
 public:
  Finish(const AdaptiveField<T>& field, Index n, const GatherPass<T>& pass,
         const Mirrored& mirrored)
      : n_(n),
        pass_(pass),
        mirrored_(mirrored),
        axes_(field.params.channels()),
        cval_(field.mode == Mode::constant && field.belongs == Belongs::to_output
                  ? static_cast<T>(pass.cval)
                  : T{0}) {}

  bool slopes() const { return !pass_.grad_field.empty() || !pass_.field_dot.empty(); }

  void operator()(const StackTileWork<T>& work, const Plane& plane, const Tile& tile) const {
    const bool plain = !pass_.out.empty() && pass_.out.x_stride() == 1 && !mirrored_.on() &&
                       !pass_.add && pass_.field_dot.empty();
    for (Index y = tile.y.begin; y < tile.y.end; ++y) {
      const Index first = (y - tile.y.begin) * StackTileWork<T>::kStride;
      if (plain) {
        T* out = pass_.out.row(plane.n, plane.c, y) + tile.x.begin;
        const T* value = work.value() + first;
        for (Index i = 0; i < tile.x.size(); ++i) out[i] = cval_ + value[i];
      } else if (!pass_.out.empty()) {
        write_row(work, plane, tile, y, first);
      }
      if (!pass_.grad_field.empty()) add_gradient(work, plane, tile, y, first);
    }
  }

 private:
  void write_row(const StackTileWork<T>& work, const Plane& plane, const Tile& tile, Index y,
                 Index first) const {
    for (Index x = tile.x.begin; x < tile.x.end; ++x) {
      const Index i = first + x - tile.x.begin;
      T value = cval_ + work.value()[i];
      if (!pass_.field_dot.empty()) {
        value = 0;
        for (Index axis = 0; axis < axes_; ++axis) {
          value += work.slope(at(axis))[i] * pass_.field_dot.at(n_, axis, y, x);
        }
      }
      value *= mirrored_.weight<T>(y, x);
      T& out = pass_.out.at(plane.n, plane.c, y, x);
      out = pass_.add ? out + value : value;
    }
  }
  void add_gradient(const StackTileWork<T>& work, const Plane& plane, const Tile& tile, Index y,
                    Index first) const {
    const Index width = tile.x.size();
    const Index stride = pass_.coef.x_stride();
    const T* coef = pass_.coef.row(plane.n, plane.c, y) + tile.x.begin * stride;
    for (Index axis = 0; axis < axes_; ++axis) {
      T* grad = pass_.grad_field.row(n_, axis, y) + tile.x.begin;  // packed in x
      const T* slope = work.slope(at(axis)) + first;
      if (mirrored_.on()) {
        for (Index i = 0; i < width; ++i) {
          grad[i] += mirrored_.weight<T>(y, tile.x.begin + i) * coef[i * stride] * slope[i];
        }
      } else if (stride == 1) {
        for (Index i = 0; i < width; ++i) grad[i] += coef[i] * slope[i];
      } else {
        for (Index i = 0; i < width; ++i) grad[i] += coef[i * stride] * slope[i];
      }
    }
  }

  Index n_;
  const GatherPass<T>& pass_;
  const Mirrored& mirrored_;
  Index axes_;
  T cval_;
};

// The tile's pixels of an image, weighted.
template <class T>
void read_tile(const View<const T>& image, Index n, Index c, const Tile& tile,
               const Mirrored& mirrored, T* to) {
  for (Index y = tile.y.begin; y < tile.y.end; ++y, to += StackTileWork<T>::kStride) {
    const T* row = image.row(n, c, y) + tile.x.begin * image.x_stride();
    for (Index i = 0; i < tile.x.size(); ++i) to[i] = row[i * image.x_stride()];
    for (Index i = 0; i < tile.x.size() && mirrored.on(); ++i) {
      to[i] *= mirrored.weight<T>(y, tile.x.begin + i);
    }
  }
}

template <class T>
void fill(StackTileWork<T>& work, const AdaptiveField<T>& field, Index n, const SpreadPass<T>& pass,
          const Plane& plane, const Tile& tile, const Mirrored& mirrored) {
  if (!pass.value.empty()) read_tile(pass.value, plane.n, plane.c, tile, mirrored, work.input());
  for (Index axis = 0; axis < field.params.channels() && !pass.along.empty(); ++axis) {
    T* along = work.along(at(axis));
    read_tile(pass.along, plane.n, plane.c, tile, mirrored, along);
    for (Index y = tile.y.begin; y < tile.y.end; ++y, along += StackTileWork<T>::kStride) {
      for (Index x = tile.x.begin; x < tile.x.end; ++x) {
        along[x - tile.x.begin] *= pass.field_dot.at(n, axis, y, x);
      }
    }
  }
}

template <class T>
LevelGrid<T> grid_of(const AdaptiveField<T>& field, const Ladder& ladder,
                     const std::vector<StackTile>& plan, const TileSet& tiles) {
  return LevelGrid<T>(field.params.height(), field.params.width(), seen(field), ladder,
                      stack_levels(field, plan, tiles, ladder));
}

// The source that levels are made from: the pass' own, or scaled.
template <class T>
class Source {
 public:
  Source(const View<const T>& src, const Mirrored& mirrored) : view_(src) {
    if (!mirrored.on()) return;
    copy_ = Image<T>(src);
    mirrored.divide(copy_.view());
    view_ = std::as_const(copy_).view();
  }
  const View<const T>& view() const { return view_; }

 private:
  Image<T> copy_;
  View<const T> view_;
};

}  // namespace

template <class T>
void stack_gather(const AdaptiveField<T>& field, Index n, const Ladder& ladder,
                  const std::vector<StackTile>& plan, const TileSet& tiles,
                  const GatherPass<T>& pass, const Execution& execution) {
  const std::vector<Plane> planes = planes_of(pass.src.shape, field.params.batch(), n);
  const LevelGrid<T> grid = grid_of(field, ladder, plan, tiles);
  const Mirrored mirrored(field);
  const Source<T> source(pass.src, mirrored);
  const bool cval = field.mode == Mode::constant && field.belongs == Belongs::to_output;
  const Levels<T> levels(grid, source.view(), planes, cval ? pass.cval : 0.0, execution);
  const Finish<T> finish(field, n, pass, mirrored);
  const std::vector<Index> list = members(tiles);
  Pool<StackTileWork<T>> pool;
  parallel_for(static_cast<Index>(list.size()), execution, [&](Index i) {
    typename Pool<StackTileWork<T>>::Lease work(pool);
    const Tile tile = tiles.tile(list[at(i)]);
    work->start(field, n, ladder, plan[at(list[at(i)])], tile, grid, NodeFilter<T>::Use::forward);
    for (std::size_t p = 0; p < planes.size(); ++p) {
      work->gather(levels, p, finish.slopes());
      finish(*work, planes[p], tile);
    }
  });
}

template <class T>
void stack_spread(const AdaptiveField<T>& field, Index n, const Ladder& ladder,
                  const std::vector<StackTile>& plan, const TileSet& tiles,
                  const SpreadPass<T>& pass, const Execution& execution) {
  const std::vector<Plane> planes = planes_of(pass.out.shape, field.params.batch(), n);
  const LevelGrid<T> grid = grid_of(field, ladder, plan, tiles);
  const Mirrored mirrored(field);
  Image<T> scaled;  // what the levels come back to, before it is divided
  if (mirrored.on()) scaled = Image<T>(pass.out.shape);
  LevelSums<T> sums(grid, mirrored.on() ? scaled.view() : pass.out, planes);
  std::optional<Source<T>> source;
  std::optional<Levels<T>> levels;
  std::optional<Finish<T>> finish;
  if (pass.fused) {
    source.emplace(pass.fused->src, mirrored);
    levels.emplace(grid, source->view(), planes, pass.fused->cval, execution);
    finish.emplace(field, n, *pass.fused, mirrored);
  }
  const std::vector<Index> list = members(tiles);
  Pool<StackTileWork<T>> pool;
  InOrder order(kKept);
  const auto run = [&](Index i) {
    typename Pool<StackTileWork<T>>::Lease work(pool);
    const Tile tile = tiles.tile(list[at(i)]);
    work->start(field, n, ladder, plan[at(list[at(i)])], tile, grid,
                pass.fused ? NodeFilter<T>::Use::both : NodeFilter<T>::Use::transposed);
    std::vector<LevelBlock<T>> blocks;
    for (std::size_t p = 0; p < planes.size(); ++p) {
      fill(*work, field, n, pass, planes[p], tile, mirrored);
      work->spread(p, !pass.value.empty(), !pass.along.empty(), blocks);
      if (!pass.fused) continue;
      work->gather(*levels, p, true);
      (*finish)(*work, planes[p], tile);
    }
    order.add(i, [&sums, blocks = std::move(blocks)] {
      for (const LevelBlock<T>& b : blocks) {
        sums.unpack(b.level, b.plane, b.y, b.x, b.samples.data(), b.x.size());
      }
    });
  };
  parallel_for(static_cast<Index>(list.size()), execution, [&](Index i) {
    try {
      run(i);
    } catch (...) {
      order.abandon();
      throw;
    }
  });
  sums.finish(execution);
  if (!mirrored.on()) return;
  mirrored.divide(scaled.view());
  for (const Plane& plane : planes) {
    for (Index y = 0; y < scaled.view().height(); ++y) {
      const T* from = scaled.view().row(plane.n, plane.c, y);
      T* to = pass.out.row(plane.n, plane.c, y);
      for (Index x = 0; x < scaled.view().width(); ++x) to[x] += from[x];
    }
  }
}

#define BLURFIELD_INSTANTIATE(T)                                                                  \
  template void stack_gather(const AdaptiveField<T>&, Index, const Ladder&,                       \
                             const std::vector<StackTile>&, const TileSet&, const GatherPass<T>&, \
                             const Execution&);                                                   \
  template void stack_spread(const AdaptiveField<T>&, Index, const Ladder&,                       \
                             const std::vector<StackTile>&, const TileSet&, const SpreadPass<T>&, \
                             const Execution&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
