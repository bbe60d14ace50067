// SPDX-License-Identifier: BSD-3-Clause
#include "apps/deblur/impulses.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace blurfield::app {
namespace {

struct Spot {
  Index y = 0;
  Index x = 0;
};

std::vector<Spot> spots_on(const Shape& frame, Index across) {
  std::vector<Spot> spots;
  for (Index i = 0; i < across; ++i) {
    for (Index j = 0; j < across; ++j) {
      spots.push_back(
          {(2 * i + 1) * frame[2] / (2 * across), (2 * j + 1) * frame[3] / (2 * across)});
    }
  }
  return spots;
}

// What the blur makes of these points together, around each: (spots, 1, side, side).
template <class T>
void respond(const BlurOperator<T>& blur, const std::vector<Spot>& spots, Index first,
             Image<double>& windows) {
  Image<T> scene(blur.scene());
  Image<T> frame(blur.frame());
  const View<T> visible = blur.visible(scene.view());
  for (const Spot& spot : spots) visible.at(0, 0, spot.y, spot.x) = 1;
  blur.forward(scene, frame);
  const Index reach = windows.shape()[2] / 2;
  for (std::size_t i = 0; i < spots.size(); ++i) {
    for (Index y = -reach; y <= reach; ++y) {
      for (Index x = -reach; x <= reach; ++x) {
        const Index at_y = spots[i].y + y;
        const Index at_x = spots[i].x + x;
        if (at_y < 0 || at_y >= frame.shape()[2] || at_x < 0 || at_x >= frame.shape()[3]) continue;
        windows.view().at(first + static_cast<Index>(i), 0, y + reach, x + reach) =
            static_cast<double>(frame.view().at(0, 0, at_y, at_x));
      }
    }
  }
}

// How far from the centre any response is more than a trace of its peak.
Index visible_reach(const View<const double>& windows, const std::vector<double>& peaks) {
  constexpr double kTrace = 1e-3;
  const Index reach = windows.height() / 2;
  Index most = 1;
  for (Index n = 0; n < windows.batch(); ++n) {
    for (Index y = -reach; y <= reach; ++y) {
      for (Index x = -reach; x <= reach; ++x) {
        const double value = windows.at(n, 0, y + reach, x + reach);
        if (value < kTrace * peaks[static_cast<std::size_t>(n)]) continue;
        most = std::max({most, std::abs(y), std::abs(x)});
      }
    }
  }
  return std::min(most + 1, reach);
}

}  // namespace

template <class T>
Impulses impulse_responses(const BlurOperator<T>& blur, bool uniform) {
  const Shape& frame = blur.frame();
  const Index reach = std::max<Index>(1, std::max(blur.margin()[0], blur.margin()[1]));
  const Index side = 2 * reach + 1;
  const auto apart = [&](Index across) { return std::min(frame[2], frame[3]) >= across * side; };
  Impulses drawn;
  drawn.across = uniform ? 1 : apart(5) ? 5 : 3;
  const std::vector<Spot> spots = spots_on(frame, drawn.across);
  const auto count = static_cast<Index>(spots.size());
  Image<double> windows({count, 1, side, side});
  if (apart(drawn.across)) {
    respond(blur, spots, 0, windows);
  } else {
    for (Index i = 0; i < count; ++i)
      respond(blur, {spots[static_cast<std::size_t>(i)]}, i, windows);
  }
  std::vector<double> peaks;
  for (Index n = 0; n < count; ++n) {
    const double* window = windows.view().row(n, 0, 0);
    peaks.push_back(*std::max_element(window, window + side * side));
  }
  const Index near = visible_reach(windows, peaks);
  drawn.side = 2 * near + 1;
  constexpr Index kGap = 1;
  const Index total = drawn.across * (drawn.side + kGap) - kGap;
  drawn.sheet = Image<float>({1, 1, total, total});
  std::fill_n(drawn.sheet.data(), drawn.sheet.elements(), 0.5f);
  for (Index n = 0; n < count; ++n) {
    const double peak = peaks[static_cast<std::size_t>(n)];
    for (Index y = 0; y < drawn.side; ++y) {
      for (Index x = 0; x < drawn.side; ++x) {
        const double value = windows.view().at(n, 0, y + reach - near, x + reach - near);
        const double shown = peak > 0 ? std::sqrt(std::clamp(value / peak, 0.0, 1.0)) : 0.0;
        drawn.sheet.view().at(0, 0, n / drawn.across * (drawn.side + kGap) + y,
                              n % drawn.across * (drawn.side + kGap) + x) =
            static_cast<float>(shown);
      }
    }
  }
  return drawn;
}

template Impulses impulse_responses(const BlurOperator<float>&, bool);
template Impulses impulse_responses(const BlurOperator<double>&, bool);

}  // namespace blurfield::app
