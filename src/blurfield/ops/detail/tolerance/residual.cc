// SPDX-License-Identifier: BSD-3-Clause
// Tiles are shared out among threads. What kernels spread goes to blocks of a thread's own, which
// are added to the levels in the tiles' order.
#include "blurfield/ops/detail/tolerance/residual.h"

#include <memory>
#include <span>
#include <utility>

#include "blurfield/ops/detail/exact/full_tile.h"
#include "blurfield/ops/detail/progress_step.h"
#include "blurfield/ops/detail/tolerance/in_order.h"
#include "blurfield/ops/detail/tolerance/residual_passes.h"
#include "blurfield/ops/detail/tolerance/residual_plan.h"

namespace blurfield::detail {
namespace {

template <class T>
struct Work {
  Work(const AdaptiveField<T>& adaptive_field, Index field_n, const Ladder& steps,
       const std::vector<ResidualTile>& read, const TileSet& tiles)
      : field(adaptive_field),
        n(field_n),
        ladder(steps),
        reads(read),
        set(tiles),
        plan(field, n, ladder),
        grid(plan.grid(reads, set)) {
    for (Index i = 0; i < set.count(); ++i) {
      if (set.has(i)) members.push_back(i);
    }
  }
  Index count() const { return static_cast<Index>(members.size()); }
  Tile tile(Index i) const { return set.tile(members[static_cast<std::size_t>(i)]); }

  // Calls f(passes, block, planes from first on) for all that member i's kernels do, up to
  // three planes at a time; `block` is empty.
  template <class F>
  void for_blocks(Index i, const std::vector<Plane>& planes, const Tick& tick, const F& f) const {
    ResidualSites<T> sites(field, n, ladder);
    ResidualPasses<T> passes(field, n, sites);
    const auto at = static_cast<std::size_t>(members[static_cast<std::size_t>(i)]);
    plan.for_sites(tile(i), reads[at], [&](const Window& y, const Window& x) {
      tick(0.0);
      sites.place(y, x, true);
      for (std::size_t level = 0; level < sites.levels(); ++level) {
        ResidualBlock<T> block(grid, sites.level(level));
        if (block.empty()) continue;
        passes.start(sites.level(level));
        std::size_t first = 0;
        for_plane_batches(planes, [&](std::span<const Plane> batch) {
          block.start(first, batch.size());
          f(passes, block, batch);
          first += batch.size();
        });
      }
    });
  }

  const AdaptiveField<T>& field;
  Index n;
  const Ladder& ladder;
  const std::vector<ResidualTile>& reads;
  const TileSet& set;
  ResidualPlan<T> plan;
  LevelGrid<T> grid;
  std::vector<Index> members{};
};

template <class T>
void clear(const View<T>& image, const std::vector<Plane>& planes, const Tile& tile) {
  for (const Plane& plane : planes) {
    for (Index y = tile.y.begin; y < tile.y.end; ++y) {
      for (Index x = tile.x.begin; x < tile.x.end; ++x) image.at(plane.n, plane.c, y, x) = T{0};
    }
  }
}

}  // namespace

template <class T>
std::vector<ResidualTile> residual_tiles(const AdaptiveField<T>& field, Index n,
                                         const Ladder& ladder) {
  const TileSet all(field.params.height(), field.params.width());
  const ResidualPlan<T> plan(field, n, ladder);
  std::vector<ResidualTile> tiles(static_cast<std::size_t>(all.count()));
  parallel_for(all.count(), {field.options->execution.threads, {}},
               [&](Index i) { tiles[static_cast<std::size_t>(i)] = plan.read(all.tile(i)); });
  return tiles;
}

template <class T>
std::vector<LevelRequest> residual_levels(const AdaptiveField<T>& field, Index n,
                                          const Ladder& ladder,
                                          const std::vector<ResidualTile>& plan,
                                          const TileSet& tiles) {
  return ResidualPlan<T>(field, n, ladder).levels(plan, tiles);
}

template <class T>
void residual_gather(const AdaptiveField<T>& field, Index n, const Ladder& ladder,
                     const std::vector<ResidualTile>& plan, const TileSet& tiles,
                     const GatherPass<T>& pass, const Execution& execution) {
  const Work<T> work(field, n, ladder, plan, tiles);
  const std::vector<Plane> planes = planes_of(pass.src.shape, field.params.batch(), n);
  const Levels<T> levels(work.grid, pass.src, planes, pass.cval, execution);
  parallel_tasks(work.count(), execution, [&](Index i, const Tick& tick) {
    if (!pass.out.empty() && !pass.add) {
      clear(pass.out, planes, work.tile(i));
    }
    work.for_blocks(
        i, planes, tick,
        [&](ResidualPasses<T>& passes, ResidualBlock<T>& block, std::span<const Plane> batch) {
          block.pack(levels);
          passes.gather(pass, batch, block);
        });
  });
}

template <class T>
void residual_spread(const AdaptiveField<T>& field, Index n, const Ladder& ladder,
                     const std::vector<ResidualTile>& plan, const TileSet& tiles,
                     const SpreadPass<T>& pass, const Execution& execution) {
  const std::size_t steps = pass.fused ? 2 : 1;
  if (pass.fused) {
    residual_gather(field, n, ladder, plan, tiles, *pass.fused, progress_step(execution, 0, steps));
  }
  const Work<T> work(field, n, ladder, plan, tiles);
  const std::vector<Plane> planes = planes_of(pass.out.shape, field.params.batch(), n);
  LevelSums<T> sums(work.grid, pass.out, planes);
  InOrder order(2 * thread_limit(execution));
  const auto task = [&](Index i, const Tick& tick) {
    const auto blocks = std::make_shared<std::vector<ResidualBlock<T>>>();
    work.for_blocks(
        i, planes, tick,
        [&](ResidualPasses<T>& passes, ResidualBlock<T>& block, std::span<const Plane> batch) {
          passes.spread(pass, batch, block);
          blocks->push_back(block);
        });
    order.add(i, [&sums, blocks] {
      for (const ResidualBlock<T>& block : *blocks) block.unpack(sums);
    });
  };
  parallel_tasks(work.count(), progress_step(execution, steps - 1, steps),
                 [&](Index i, const Tick& tick) {
                   try {
                     task(i, tick);
                   } catch (...) {
                     order.abandon();
                     throw;
                   }
                 });
  sums.finish(execution);
}

#define BLURFIELD_INSTANTIATE(T)                                                       \
  template std::vector<ResidualTile> residual_tiles(const AdaptiveField<T>&, Index,    \
                                                    const Ladder&);                    \
  template std::vector<LevelRequest> residual_levels(                                  \
      const AdaptiveField<T>&, Index, const Ladder&, const std::vector<ResidualTile>&, \
      const TileSet&);                                                                 \
  template void residual_gather(const AdaptiveField<T>&, Index, const Ladder&,         \
                                const std::vector<ResidualTile>&, const TileSet&,      \
                                const GatherPass<T>&, const Execution&);               \
  template void residual_spread(const AdaptiveField<T>&, Index, const Ladder&,         \
                                const std::vector<ResidualTile>&, const TileSet&,      \
                                const SpreadPass<T>&, const Execution&);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
