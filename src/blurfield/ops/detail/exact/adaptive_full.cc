// SPDX-License-Identifier: BSD-3-Clause
// The passes of logchol fields. A kernel that belongs to the output lives at the frame's pixels and
// sees the extended image; one that belongs to the source lives at every pixel of the extended
// plane and sees the frame, zeros around it. Spreads are shared out by target rows, as in
// adaptive_separable.cc.
#include <algorithm>
#include <vector>

#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/exact/full_tile.h"

namespace blurfield::detail {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

double mean_of(const kernels::FullPolynomial& p, const double (&norm)[4]) {
  return (p.z1sq * norm[1] + p.z1z2 * norm[2] + p.z2sq * norm[3]) / norm[0];
}

template <class T>
class Worker {
 public:
  Worker(const AdaptiveField<T>& field, Index field_n)
      : field_(field), n_(field_n), tile_(field, n_) {}

  FullTile<T>& tile() { return tile_; }

  // Calls f() for the tiles of columns begin..end-1 of row y of the extended plane.
  template <class F>
  void for_tiles(Index y, const Window& columns, const F& f) {
    for_runs_of(field_, n_, y, columns, FullTile<T>::kPixels, [&](Index x0, Index end) {
      tile_.place(y, x0, end - x0);
      f();
    });
  }

  void gather(const GatherPass<T>& pass, const std::vector<Plane>& planes);
  // `fused`: also fills the grad_field of pass.fused.
  void spread(const SpreadPass<T>& pass, const std::vector<Plane>& planes, const Window& band,
              bool fused);

 private:
  Extension seen(const GatherPass<T>& pass) const {
    if (field_.belongs == Belongs::to_source) return {Mode::constant, 0.0};
    return {field_.mode, pass.cval};
  }
  // How what is spread beyond the frame comes back: folded, or not at all.
  Mode target_mode() const {
    return field_.belongs == Belongs::to_source ? Mode::constant : field_.mode;
  }
  // Calls f(rows) for the packed runs of |dy| of the tile.
  template <class F>
  void for_rows(const GatherPass<T>& pass, std::span<const Plane> planes, const F& f) {
    const Index step = tile_.slots_at_once(static_cast<int>(planes.size()));
    for (Index k0 = 0; k0 <= tile_.radius_y(); k0 += step) {
      const Index k1 = std::min(k0 + step, tile_.radius_y() + 1);
      f(tile_.pack(pass.src, planes, seen(pass), k0, k1));
    }
  }
  void moments_alone();
  void values(const GatherPass<T>& pass, std::span<const Plane> planes);
  void slopes(const GatherPass<T>& pass, std::span<const Plane> planes);
  void add_slopes(const View<T>& grad_field);
  void spread_once(const SpreadPass<T>& pass, std::span<const Plane> planes, const Window& band,
                   bool fused);
  void spread_by_runs(const SpreadPass<T>& pass, std::span<const Plane> planes, const Window& band);
  std::vector<T> read(const View<const T>& image, std::span<const Plane> planes) const;
  void derivative(const GatherPass<T>& pass, std::span<const Plane> planes);
  void store(const GatherPass<T>& pass, std::span<const Plane> planes);

  const AdaptiveField<T>& field_;
  Index n_;
  FullTile<T> tile_;
  std::vector<double> norm_;
  std::vector<double> value_;
  std::vector<T> kept_;
  std::vector<kernels::FullMoments> moments_;
  std::vector<kernels::FullPolynomial> polynomials_;
};

// Adds value_ to the output: copies of a pixel add up, and gather() has zeroed what they add to.
template <class T>
void Worker<T>::store(const GatherPass<T>& pass, std::span<const Plane> planes) {
  const Index count = tile_.count();
  for (std::size_t c = 0; c < planes.size(); ++c) {
    for (Index i = 0; i < count; ++i) {
      const auto& site = tile_.site(i);
      pass.out.at(planes[c].n, planes[c].c, site.y, site.x) +=
          static_cast<T>(value_[c * at(count) + at(i)]);
    }
  }
}

template <class T>
void Worker<T>::values(const GatherPass<T>& pass, std::span<const Plane> planes) {
  const Index count = tile_.count();
  norm_.assign(at(count), 0.0);
  value_.assign(at(count) * planes.size(), 0.0);
  for_rows(pass, planes, [&](const kernels::FullRows<const T>& rows) {
    kernels::full_values(tile_.pixels(), count, rows, norm_.data(), value_.data());
  });
  for (std::size_t j = 0; j < value_.size(); ++j) value_[j] /= norm_[j % at(count)];
  store(pass, planes);
}

template <class T>
void Worker<T>::moments_alone() {
  moments_.assign(at(tile_.count()), {});
  const kernels::FullRows<const T> none{{}, 0, 0, 0, tile_.radius_y() + 1};
  kernels::full_moments(tile_.pixels(), tile_.count(), none, static_cast<const T*>(nullptr),
                        moments_.data());
}

template <class T>
void Worker<T>::derivative(const GatherPass<T>& pass, std::span<const Plane> planes) {
  const Index count = tile_.count();
  moments_alone();
  polynomials_.resize(at(count));
  for (Index i = 0; i < count; ++i) {
    const double(&norm)[4] = moments_[at(i)].norm;
    kernels::FullPolynomial p = tile_.polynomial(i, pass.field_dot);
    const double mean = mean_of(p, norm);
    polynomials_[at(i)] = {-mean / norm[0], p.z1sq / norm[0], p.z1z2 / norm[0], p.z2sq / norm[0]};
  }
  value_.assign(at(count) * planes.size(), 0.0);
  for_rows(pass, planes, [&](const kernels::FullRows<const T>& rows) {
    kernels::full_polynomials(tile_.pixels(), polynomials_.data(), count, rows, value_.data());
  });
  store(pass, planes);
}

// An image at the tile's pixels, plane after plane.
template <class T>
std::vector<T> Worker<T>::read(const View<const T>& image, std::span<const Plane> planes) const {
  std::vector<T> values;
  values.reserve(at(tile_.count()) * planes.size());
  for (const Plane& plane : planes) {
    for (Index i = 0; i < tile_.count(); ++i) {
      const auto& site = tile_.site(i);
      values.push_back(image.empty() ? T{0} : image.at(plane.n, plane.c, site.y, site.x));
    }
  }
  return values;
}

template <class T>
void Worker<T>::slopes(const GatherPass<T>& pass, std::span<const Plane> planes) {
  moments_.assign(at(tile_.count()), {});
  const std::vector<T> coef = read(pass.coef, planes);
  for_rows(pass, planes, [&](const kernels::FullRows<const T>& rows) {
    kernels::full_moments(tile_.pixels(), tile_.count(), rows, coef.data(), moments_.data());
  });
  add_slopes(pass.grad_field);
}

template <class T>
void Worker<T>::add_slopes(const View<T>& grad_field) {
  for (Index i = 0; i < tile_.count(); ++i) {
    const auto& [norm, value] = moments_[at(i)];
    const auto& site = tile_.site(i);
    // (G6) sum w (D - mean D) y, for each of z1^2, z1 z2, z2^2.
    double m[4];
    for (int j = 0; j < 4; ++j) m[j] = (value[j] - value[0] / norm[0] * norm[j]) / norm[0];
    const double inv_c = tile_.pixel(i).inv_c;
    const auto add = [&](Index k, double slope) {
      grad_field.at(n_, k, site.y, site.x) += static_cast<T>(slope);
    };
    add(0, m[1] - site.b * inv_c * m[2]);
    add(1, site.sign * inv_c * m[2]);
    add(2, m[3]);
  }
}

template <class T>
void Worker<T>::gather(const GatherPass<T>& pass, const std::vector<Plane>& planes) {
  for_plane_batches(planes, [&](std::span<const Plane> batch) {
    if (!pass.field_dot.empty()) {
      derivative(pass, batch);
    } else if (!pass.out.empty()) {
      values(pass, batch);
    }
    if (!pass.grad_field.empty()) slopes(pass, batch);
  });
}

template <class T>
void Worker<T>::spread(const SpreadPass<T>& pass, const std::vector<Plane>& planes,
                       const Window& band, bool fused) {
  for_plane_batches(planes, [&](std::span<const Plane> batch) {
    if (pass.along.empty() && tile_.whole(static_cast<int>(batch.size()))) {
      spread_once(pass, batch, band, fused);
      return;
    }
    if (fused) slopes(*pass.fused, batch);
    spread_by_runs(pass, batch, band);
  });
}

// Kernels small enough to be packed whole: their weights are made once.
template <class T>
void Worker<T>::spread_once(const SpreadPass<T>& pass, std::span<const Plane> planes,
                            const Window& band, bool fused) {
  const Index k1 = tile_.radius_y() + 1;
  const auto count = static_cast<int>(planes.size());
  const std::vector<T> value = read(pass.value, planes);
  moments_.assign(at(tile_.count()), {});
  if (kept_.size() < at(tile_.kept_size())) kept_.resize(at(tile_.kept_size()));
  kernels::FullRows<const T> src{{}, 0, 0, 0, k1};
  if (fused) src = tile_.pack(pass.fused->src, planes, seen(*pass.fused), 0, k1);
  const kernels::FullRows<T> out = tile_.blank(count, 0, k1);
  kernels::full_spread_once(tile_.pixels(), tile_.count(), src, out, value.data(), moments_.data(),
                            kept_.data());
  if (fused) add_slopes(pass.fused->grad_field);
  tile_.unpack(pass.out, planes, target_mode(), out, band);
}

template <class T>
void Worker<T>::spread_by_runs(const SpreadPass<T>& pass, std::span<const Plane> planes,
                               const Window& band) {
  const Index count = tile_.count();
  const bool along = !pass.along.empty();
  moments_alone();
  std::vector<T> value = read(pass.value, planes);
  std::vector<T> slope = along ? read(pass.along, planes) : std::vector<T>();
  polynomials_.resize(at(count));
  for (Index i = 0; i < count; ++i) {
    const double(&norm)[4] = moments_[at(i)].norm;
    const T inverse = static_cast<T>(1.0 / norm[0]);
    for (std::size_t j = at(i); j < value.size(); j += at(count)) {
      value[j] *= inverse;
      if (along) slope[j] *= inverse;
    }
    if (!along) continue;
    polynomials_[at(i)] = tile_.polynomial(i, pass.field_dot);
    polynomials_[at(i)].one = -mean_of(polynomials_[at(i)], norm);
  }
  const auto batch = static_cast<int>(planes.size());
  const Index step = tile_.slots_at_once(batch);
  for (Index k0 = 0; k0 <= tile_.radius_y(); k0 += step) {
    const Index k1 = std::min(k0 + step, tile_.radius_y() + 1);
    const kernels::FullRows<T> rows = tile_.blank(batch, k0, k1);
    kernels::full_spread(tile_.pixels(), polynomials_.data(), count, rows, value.data(),
                         along ? slope.data() : nullptr);
    tile_.unpack(pass.out, planes, target_mode(), rows, band);
  }
}

// Where kernels live along an axis: in the frame, or also within a radius around it.
template <class T>
Window sites(const AdaptiveField<T>& field, Index radius, Index n) {
  if (field.belongs == Belongs::to_output || field.mode == Mode::constant) return {0, n};
  return {-radius, n + radius};
}

}  // namespace

template <class T>
void full_gather(const AdaptiveField<T>& field, const GatherPass<T>& pass) {
  const Index height = field.params.height();
  const Index width = field.params.width();
  run_ranges(
      field, gather_ranges, [&](const RowCosts& costs, const RowRange& rows, const Tick& tick) {
        const std::vector<Plane> planes = planes_of(pass.src.shape, field.params.batch(), rows.n);
        Worker<T> worker(field, rows.n);
        for (Index y = rows.begin; y < rows.end; ++y) {
          tick(static_cast<double>(y - rows.begin) / static_cast<double>(rows.end - rows.begin));
          for (const Plane& plane : planes) {
            for (Index x = 0; x < width && !pass.out.empty() && !pass.add; ++x) {
              if (field.works_on(rows.n, y, x)) pass.out.at(plane.n, plane.c, y, x) = T{0};
            }
          }
          const Window columns = sites(field, costs.rx[at(y)], width);
          const Window copies = sites(field, costs.ry[at(y)], height);
          for (Index copy = copies.begin; copy < copies.end; ++copy) {
            if (extend(copy, height, field.mode) != y) continue;
            worker.for_tiles(copy, columns, [&] { worker.gather(pass, planes); });
          }
        }
      });
}

template <class T>
void full_spread(const AdaptiveField<T>& field, const SpreadPass<T>& pass) {
  const Index height = field.params.height();
  const Index width = field.params.width();
  run_ranges(
      field, spread_ranges, [&](const RowCosts& costs, const RowRange& rows, const Tick& tick) {
        const std::vector<Plane> planes = planes_of(pass.out.shape, field.params.batch(), rows.n);
        const Window band{rows.begin, rows.end};
        const bool to_source = field.belongs == Belongs::to_source;
        Worker<T> worker(field, rows.n);
        const Window plane_rows = sites(field, costs.max_ry, height);
        for (Index y = plane_rows.begin; y < plane_rows.end; ++y) {
          const auto source = at(extend(y, height, field.mode));
          const Mode mode = to_source ? Mode::constant : field.mode;
          if (!reaches(y, costs.ry[source], band, height, mode)) continue;
          tick(done_of(y, band, costs.max_ry));
          const bool own = pass.fused && y >= band.begin && y < band.end;
          worker.for_tiles(y, sites(field, costs.rx[source], width),
                           [&] { worker.spread(pass, planes, band, own); });
        }
      });
}

template void full_gather(const AdaptiveField<float>&, const GatherPass<float>&);
template void full_gather(const AdaptiveField<double>&, const GatherPass<double>&);
template void full_spread(const AdaptiveField<float>&, const SpreadPass<float>&);
template void full_spread(const AdaptiveField<double>&, const SpreadPass<double>&);

}  // namespace blurfield::detail
