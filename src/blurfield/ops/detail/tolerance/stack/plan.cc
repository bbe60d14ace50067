// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/stack/plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <numbers>
#include <set>
#include <type_traits>

#include "blurfield/kernels/fir.h"
#include "blurfield/kernels/row_range.h"
#include "blurfield/ops/detail/tolerance/nodes.h"

namespace blurfield::detail {
namespace {

constexpr double kBinsPerOctave = 32.0;
constexpr int kFewNodes = 5;  // below, a gap is not looked for
constexpr double kLargestStep = 4096.0;

double log_of(Index bin) { return static_cast<double>(bin) / kBinsPerOctave * std::numbers::ln2; }
Index bin_of(double sigma) {
  return static_cast<Index>(std::floor(std::log2(std::max(sigma, kLeastSigma)) * kBinsPerOctave));
}

// Bins begin..end-1 of the histogram.
struct Run {
  Index begin, end;
};

class Nodes {
 public:
  explicit Nodes(double error) : error_(error) {}

  int needed(const Run& run) const {
    return nodes_needed(log_of(run.end) - log_of(run.begin), error_,
                        std::exp2(static_cast<double>(run.begin) / kBinsPerOctave));
  }
  double error(const Run& run, int count) const {
    return interpolation_error(log_of(run.end) - log_of(run.begin), count,
                               std::exp2(static_cast<double>(run.begin) / kBinsPerOctave));
  }

  // Runs of occupied bins put together so that the nodes are fewest.
  std::vector<Run> clusters(const std::vector<Run>& runs) const {
    const std::size_t count = runs.size();
    std::vector<int> best(count + 1, std::numeric_limits<int>::max());
    std::vector<std::size_t> from(count + 1, 0);
    best[0] = 0;
    for (std::size_t end = 1; end <= count; ++end) {
      for (std::size_t begin = 0; begin < end; ++begin) {
        const int sum = best[begin] + needed({runs[begin].begin, runs[end - 1].end});
        if (sum >= best[end]) continue;
        best[end] = sum;
        from[end] = begin;
      }
    }
    std::vector<Run> found;
    for (std::size_t end = count; end > 0; end = from[end]) {
      found.insert(found.begin(), {runs[from[end]].begin, runs[end - 1].end});
    }
    return found;
  }

 private:
  double error_;
};

template <class T, class F>
void for_pixels(const View<const T>& params, Index n, Index channel, const Tile& tile, const F& f) {
  for (Index y = tile.y.begin; y < tile.y.end; ++y) {
    const T* row = params.row(n, channel, y);
    for (Index x = tile.x.begin; x < tile.x.end; ++x) f(row[x * params.x_stride()]);
  }
}

// Numbers that share their leading bits, 128 such cells an octave, are told apart without a
// logarithm each.
template <class T>
struct Cell {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  static constexpr int kDropped = std::numeric_limits<T>::digits - 1 - 7;

  static Index of(T sigma) {
    return static_cast<Index>(std::bit_cast<Bits>(std::max(sigma, static_cast<T>(kLeastSigma))) >>
                              kDropped);
  }
  static T begin(Index cell) { return std::bit_cast<T>(static_cast<Bits>(cell) << kDropped); }
};

// Occupied bins of a tile between its least and largest sigma, as runs.
template <class T>
std::vector<Run> runs_of(const View<const T>& params, Index n, Index channel, const Tile& tile,
                         T least, T largest, const Run& whole) {
  const Index first = Cell<T>::of(least);
  std::vector<char> cells(static_cast<std::size_t>(Cell<T>::of(largest) - first + 1), 0);
  for_pixels(params, n, channel, tile,
             [&](T sigma) { cells[static_cast<std::size_t>(Cell<T>::of(sigma) - first)] = 1; });
  std::vector<char> seen(static_cast<std::size_t>(whole.end - whole.begin), 0);
  const auto place = [&](T sigma) {
    return std::clamp(bin_of(static_cast<double>(sigma)), whole.begin, whole.end - 1) - whole.begin;
  };
  for (Index i = 0; i < std::ssize(cells); ++i) {
    if (!cells[static_cast<std::size_t>(i)]) continue;
    const T end = std::nextafter(Cell<T>::begin(first + i + 1), T{0});
    std::fill(seen.begin() + place(Cell<T>::begin(first + i)), seen.begin() + place(end) + 1, 1);
  }
  std::vector<Run> runs;
  for (Index i = 0; i < whole.end - whole.begin; ++i) {
    if (!seen[static_cast<std::size_t>(i)]) continue;
    const Index bin = whole.begin + i;
    if (!runs.empty() && runs.back().end == bin) {
      ++runs.back().end;
    } else {
      runs.push_back({bin, bin + 1});
    }
  }
  return runs;
}

template <class T>
StackAxis axis_of(const View<const T>& params, Index n, Index channel, const Tile& tile,
                  const Nodes& nodes, const Ladder& ladder, double& bound) {
  T least = std::numeric_limits<T>::max();
  T largest{0};
  StackAxis axis;
  std::vector<T> packed(static_cast<std::size_t>(tile.x.size()));
  for (Index y = tile.y.begin; y < tile.y.end; ++y) {
    const T* row = params.row(n, channel, y) + tile.x.begin * params.x_stride();
    if (params.x_stride() != 1) {
      for (std::size_t x = 0; x < packed.size(); ++x) {
        packed[x] = row[static_cast<Index>(x) * params.x_stride()];
      }
      row = packed.data();
    }
    const kernels::RowRange<T> range = kernels::row_range(row, tile.x.size());
    least = std::min(least, range.least);
    largest = std::max(largest, range.largest);
    axis.mean += static_cast<double>(range.sum);
    axis.mean_square += static_cast<double>(range.squares);
  }
  const auto pixels = static_cast<double>(tile.y.size() * tile.x.size());
  axis.mean /= pixels;
  axis.mean_square /= pixels;
  const Run whole{bin_of(static_cast<double>(least)), bin_of(static_cast<double>(largest)) + 1};
  std::vector<Run> clusters{whole};
  if (nodes.needed(whole) >= kFewNodes) {
    clusters = nodes.clusters(runs_of(params, n, channel, tile, least, largest, whole));
  }
  bound = 0.0;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    const Run& run = clusters[i];
    const int count = nodes.needed(run);
    bound = std::max(bound, nodes.error(run, count));
    // Clusters part in the middle of the gap between them.
    const double infinity = std::numeric_limits<double>::infinity();
    const double from =
        i == 0 ? -infinity : 0.5 * (log_of(clusters[i - 1].end) + log_of(run.begin));
    const double to = i + 1 == clusters.size()
                          ? infinity
                          : 0.5 * (log_of(run.end) + log_of(clusters[i + 1].begin));
    axis.clusters.push_back({from, to, axis.nodes.size(), static_cast<std::size_t>(count)});
    for (double u : chebyshev_nodes(log_of(run.begin), log_of(run.end), count)) {
      axis.nodes.push_back({u, std::exp(u), ladder.step(std::exp(u)), i});
    }
  }
  return axis;
}

// Of Chebyshev nodes, the clusters' largest.
double lebesgue(const StackAxis& axis) {
  std::size_t most = 1;
  for (const StackCluster& cluster : axis.clusters) most = std::max(most, cluster.count);
  return 2.0 / std::numbers::pi * std::log(static_cast<double>(most)) + 1.0;
}

}  // namespace

template <class T>
std::vector<StackTile> stack_tiles(const AdaptiveField<T>& field, Index n, const Ladder& ladder) {
  const View<const T>& params = field.params;
  const TileSet grid(params.height(), params.width());
  const bool diagonal = params.channels() == 2;
  std::vector<StackTile> tiles(static_cast<std::size_t>(grid.count()));
  parallel_for(grid.count(), {field.options->execution.threads, {}}, [&](Index i) {
    StackTile& tile = tiles[static_cast<std::size_t>(i)];
    double largest = 0.0;
    // Interpolating along y carries the error along x over, times the Lebesgue constant.
    double error = diagonal ? 0.5 * ladder.interpolation : ladder.interpolation;
    double carried = 1.0;
    for (Index axis = 0; axis < params.channels(); ++axis) {
      double bound = 0.0;
      const Nodes nodes(error / carried);
      StackAxis& found = tile.axes[static_cast<std::size_t>(axis)];
      found = axis_of(params, n, axis, grid.tile(i), nodes, ladder, bound);
      tile.bound += carried * bound;
      carried = lebesgue(found);
      largest = std::max(largest, found.nodes.back().step);
    }
    tile.bound += ladder.spent;
    tile.feasible = largest <= kLargestStep;
  });
  return tiles;
}

template <class T>
std::vector<LevelRequest> stack_levels(const AdaptiveField<T>& field,
                                       const std::vector<StackTile>& plan, const TileSet& tiles,
                                       const Ladder& ladder) {
  const bool signal = field.params.spatial_rank() == 1;
  std::set<std::array<double, 2>> wanted;
  // The same along an axis for all levels of a step: nodes' filters do not ask for the other axis.
  std::array<std::map<double, Index>, 2> beyond;
  const auto want = [&](const StackNode& y, const StackNode& x) {
    const std::array<const StackNode*, 2> node{&y, &x};
    std::array<double, 2> step{signal ? 1.0 : y.step, x.step};
    wanted.insert(step);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      if (step[axis] == 1.0) continue;
      const double sigma = node[axis]->sigma;
      const double tau = std::sqrt(ladder.residual(sigma * sigma, step[axis]));
      // Blocks of six rows read up to five samples more.
      const auto reach = static_cast<Index>(std::ceil(ladder.reach * tau)) + kernels::kFirRows;
      Index& most = beyond[axis][step[axis]];
      most = std::max(most, reach);
    }
  };
  for (Index i = 0; i < tiles.count(); ++i) {
    if (!tiles.has(i)) continue;
    const StackTile& tile = plan[static_cast<std::size_t>(i)];
    const bool diagonal = !tile.axes[1].nodes.empty();
    for (const StackNode& y : tile.axes[0].nodes) {
      if (!diagonal) want(y, y);
      for (const StackNode& x : tile.axes[1].nodes) want(y, x);
    }
  }
  std::vector<LevelRequest> requests;
  requests.reserve(wanted.size());
  for (const auto& step : wanted) {
    requests.push_back({step, {beyond[0][step[0]], beyond[1][step[1]]}});
  }
  return requests;
}

#define BLURFIELD_INSTANTIATE(T)                                                              \
  template std::vector<StackTile> stack_tiles(const AdaptiveField<T>&, Index, const Ladder&); \
  template std::vector<LevelRequest> stack_levels(                                            \
      const AdaptiveField<T>&, const std::vector<StackTile>&, const TileSet&, const Ladder&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
