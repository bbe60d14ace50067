// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/residual_plan.h"

#include <cmath>
#include <map>

namespace blurfield::detail {
namespace {

constexpr Index kSmallLevel = 1L << 16;    // samples; any image may have this much
constexpr Index kLargestBlock = 1L << 20;  // samples under a block of sites

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

}  // namespace

// Samples beyond a frame of zeros that see some of it.
template <class T>
Index ResidualPlan<T>::footprint(double step) const {
  if (step == 1.0) return 0;
  const double reach = ladder_.prefilter_reach * std::sqrt(ladder_.prefilter) + 0.5;
  return static_cast<Index>(std::ceil(reach)) + 1;
}

template <class T>
void ResidualPlan<T>::add(const LevelSites& level, ResidualTile& tile) const {
  const std::array<Window, 2> samples{level.y(), level.x()};
  const Index beyond_zeros = footprint(level.step);
  std::array<Index, 2>& beyond = tile.beyond[level.step];
  Index area = 1;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const auto inside =
        static_cast<Index>(std::ceil(static_cast<double>(frame_[axis]) / level.step));
    Index wanted = std::max({Index{0}, -samples[axis].begin, samples[axis].end - inside});
    if (mode() == Mode::constant) wanted = std::min(wanted, beyond_zeros);
    beyond[axis] = std::max(beyond[axis], wanted);
    area *= inside + 2 * beyond[axis];
    // Half of what all kernels together read is at least half of any of them.
    const double reach = level.step * (0.5 * static_cast<double>(samples[axis].size()) + 1.0 +
                                       static_cast<double>(beyond_zeros));
    tile.reach[axis] = std::max(tile.reach[axis], static_cast<Index>(std::ceil(reach)));
  }
  tile.taps += level.hull.taps;
  // The image itself goes on for ever at no cost.
  const Index most = std::max(kSmallLevel, frame_[0] * frame_[1]);
  if (level.step > 1.0 && area > most) tile.feasible = false;
  if (samples[0].size() * samples[1].size() > kLargestBlock) tile.feasible = false;
}

template <class T>
ResidualTile ResidualPlan<T>::read(const Tile& tile) const {
  ResidualTile result;
  ResidualSites<T> sites(field_, n_, ladder_);
  for_parts(tile.y, tile.x, [&](const Window& y, const Window& x) {
    if (!result.feasible) return;
    result.feasible = sites.place(y, x, false);
    for (std::size_t i = 0; i < sites.levels() && result.feasible; ++i) add(sites.level(i), result);
    for (std::size_t i = 0; i < 3; ++i) result.widths[i] += sites.widths()[i];
  });
  return result;
}

template <class T>
std::vector<LevelRequest> ResidualPlan<T>::levels(const std::vector<ResidualTile>& tiles,
                                                  const TileSet& set) const {
  std::map<double, std::array<Index, 2>> levels{{1.0, {0, 0}}};
  for (Index i = 0; i < set.count(); ++i) {
    if (!set.has(i)) continue;
    for (const auto& [step, wanted] : tiles[at(i)].beyond) {
      std::array<Index, 2>& beyond = levels[step];
      // Copies beyond the frame may want any sample that sees some of it.
      const Index least = mode() == Mode::constant ? footprint(step) : 0;
      for (std::size_t k = 0; k < 2; ++k) beyond[k] = std::max({beyond[k], wanted[k], least});
    }
  }
  std::vector<LevelRequest> requests;
  requests.reserve(levels.size());
  for (const auto& [step, beyond] : levels) requests.push_back({{step, step}, beyond});
  return requests;
}

// Intervals of the extended axis that repeat `window`, as far as kernels there reach the frame.
template <class T>
std::vector<Window> ResidualPlan<T>::copies(const Window& window, std::size_t axis,
                                            Index reach) const {
  if (field_.belongs == Belongs::to_output || field_.mode == Mode::constant) return {window};
  std::vector<Window> result;
  for (Index i = -reach; i < frame_[axis] + reach; ++i) {
    const Index from = extend(i, frame_[axis], field_.mode);
    if (from < window.begin || from >= window.end) continue;
    if (result.empty() || result.back().end != i) result.push_back({i, i});
    result.back().end = i + 1;
  }
  return result;
}

template class ResidualPlan<float>;
template class ResidualPlan<double>;

}  // namespace blurfield::detail
