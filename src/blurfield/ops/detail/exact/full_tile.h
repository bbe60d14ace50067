// SPDX-License-Identifier: BSD-3-Clause
// A run of neighbours of a logchol field with the packed image rows that their kernels reach. The
// run may lie beyond the frame: copies of field pixels that the extension makes.
#pragma once

#include <span>
#include <vector>

#include "blurfield/kernels/adaptive/full.h"
#include "blurfield/ops/detail/adaptive.h"

namespace blurfield::detail {

template <class T>
class FullTile {
 public:
  FullTile(const AdaptiveField<T>& field, Index n) : field_(field), n_(n) {}

  static constexpr Index kPixels = 64;

  // Pixels x0..x0+count-1 of row y of the extended plane. Under Mode::constant pixels beyond the
  // frame have no kernel.
  void place(Index y, Index x0, Index count);

  // One pixel of the run: where its parameters stand in the frame, and the parameters.
  struct Site {
    Index y, x;
    double b;     // with the sign that it has here
    double sign;  // -1 where exactly one axis is reversed
  };
  Index count() const { return static_cast<Index>(pixels_.size()); }
  const kernels::FullPixel& pixel(Index i) const { return pixels_[static_cast<std::size_t>(i)]; }
  const Site& site(Index i) const { return sites_[static_cast<std::size_t>(i)]; }
  const kernels::FullPixel* pixels() const { return pixels_.data(); }

  // (G6) D_theta . theta_dot as a polynomial in z1, z2, without its mean.
  kernels::FullPolynomial polynomial(Index i, const View<const T>& field_dot) const;

  // Runs of |dy| that are packed at once: k = 0.. in steps of slots_at_once(planes).
  Index radius_y() const { return ry_; }
  Index slots_at_once(int planes) const;

  // Whether all of |dy| is packed at once.
  bool whole(int planes) const { return radius_y() < slots_at_once(planes); }
  Index kept_size() const { return kernels::full_kept_size(ry_, rx_); }

  // Packs rows y -+ k, k0 <= k < k1, of the image extended by `extension`.
  kernels::FullRows<const T> pack(const View<const T>& src, std::span<const Plane> planes,
                                  const Extension& extension, Index k0, Index k1);
  // Zeroed rows to spread into, and their way back to the rows band.begin..band.end-1 of an image:
  // folded by `mode`, or cropped under Mode::constant.
  kernels::FullRows<T> blank(int planes, Index k0, Index k1);
  void unpack(const View<T>& out, std::span<const Plane> planes, Mode mode,
              const kernels::FullRows<T>& rows, const Window& band) const;

 private:
  kernels::FullRows<T> zeroed(std::vector<T>& store, int planes, Index k0, Index k1) const;

  const AdaptiveField<T>& field_;
  Index n_;
  Index y_ = 0;
  Index ry_ = 0;
  Index rx_ = 0;
  Window columns_;    // that kernels reach, in the extended plane
  Index stride_ = 0;  // of packed rows
  std::vector<kernels::FullPixel> pixels_;
  std::vector<Site> sites_;
  std::vector<T> packed_, blank_;
};

// Planes in the batches that the kernels take: three, or one at a time.
template <class F>
void for_plane_batches(const std::vector<Plane>& planes, const F& f) {
  const std::span<const Plane> all(planes);
  for (std::size_t i = 0; i < all.size();) {
    const std::size_t size = all.size() - i >= kernels::kMaxPlanes ? kernels::kMaxPlanes : 1;
    f(all.subspan(i, size));
    i += size;
  }
}

}  // namespace blurfield::detail
