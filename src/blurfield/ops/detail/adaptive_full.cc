// SPDX-License-Identifier: BSD-3-Clause
// The passes of logchol fields. A kernel that belongs to the output lives at the frame's pixels and
// sees the extended image; one that belongs to the source lives at every pixel of the extended
// plane and sees the frame, zeros around it. Spreads are shared out by target rows, as in
// adaptive_separable.cc; they need each kernel's norm beforehand, which is kept as an image.
#include <algorithm>
#include <vector>

#include "blurfield/base/image.h"
#include "blurfield/ops/detail/adaptive.h"
#include "blurfield/ops/detail/full_tile.h"

namespace blurfield::detail {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// 1 / sum g of each kernel and, with a field_dot, the mean of D . field_dot under its weights.
template <class T>
struct Norms {
  Image<T> inverse;
  Image<T> mean;
};

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
    for (Index x0 = columns.begin; x0 < columns.end; x0 += FullTile<T>::kPixels) {
      tile_.place(y, x0, std::min(FullTile<T>::kPixels, columns.end - x0));
      f();
    }
  }

  // Keeps the kernels' norms if asked to and grad_field is wanted.
  void gather(const GatherPass<T>& pass, const std::vector<Plane>& planes, Norms<T>* norms);
  void norms(const SpreadPass<T>& pass, Norms<T>& norms);
  void spread(const SpreadPass<T>& pass, const Norms<T>& norms, const std::vector<Plane>& planes,
              const Window& band);

 private:
  Extension seen(const GatherPass<T>& pass) const {
    if (field_.belongs == Belongs::to_source) return {Mode::constant, 0.0};
    return {field_.mode, pass.cval};
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
  void slopes(const GatherPass<T>& pass, std::span<const Plane> planes, Norms<T>* norms);
  void derivative(const GatherPass<T>& pass, std::span<const Plane> planes);
  void store(const GatherPass<T>& pass, std::span<const Plane> planes);

  const AdaptiveField<T>& field_;
  Index n_;
  FullTile<T> tile_;
  std::vector<double> norm_;
  std::vector<double> value_;
  std::vector<T> coef_, along_;
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

template <class T>
void Worker<T>::slopes(const GatherPass<T>& pass, std::span<const Plane> planes, Norms<T>* norms) {
  const Index count = tile_.count();
  moments_.assign(at(count), {});
  coef_.resize(at(count) * planes.size());
  for (std::size_t c = 0; c < planes.size(); ++c) {
    for (Index i = 0; i < count; ++i) {
      const auto& site = tile_.site(i);
      coef_[c * at(count) + at(i)] = pass.coef.at(planes[c].n, planes[c].c, site.y, site.x);
    }
  }
  for_rows(pass, planes, [&](const kernels::FullRows<const T>& rows) {
    kernels::full_moments(tile_.pixels(), count, rows, coef_.data(), moments_.data());
  });
  for (Index i = 0; i < count; ++i) {
    const auto& [norm, value] = moments_[at(i)];
    const auto& site = tile_.site(i);
    // (G6) sum w (D - mean D) y, for each of z1^2, z1 z2, z2^2.
    double m[4];
    for (int j = 0; j < 4; ++j) m[j] = (value[j] - value[0] / norm[0] * norm[j]) / norm[0];
    const double inv_c = tile_.pixel(i).inv_c;
    const auto add = [&](Index k, double slope) {
      pass.grad_field.at(n_, k, site.y, site.x) += static_cast<T>(slope);
    };
    add(0, m[1] - site.b * inv_c * m[2]);
    add(1, site.sign * inv_c * m[2]);
    add(2, m[3]);
    if (norms) norms->inverse.view().at(0, 0, site.y, site.x) = static_cast<T>(1.0 / norm[0]);
  }
}

template <class T>
void Worker<T>::gather(const GatherPass<T>& pass, const std::vector<Plane>& planes,
                       Norms<T>* norms) {
  for_plane_batches(planes, [&](std::span<const Plane> batch) {
    if (!pass.field_dot.empty()) {
      derivative(pass, batch);
    } else if (!pass.out.empty()) {
      values(pass, batch);
    }
    if (!pass.grad_field.empty()) slopes(pass, batch, norms);
  });
}

template <class T>
void Worker<T>::norms(const SpreadPass<T>& pass, Norms<T>& norms) {
  moments_alone();
  for (Index i = 0; i < tile_.count(); ++i) {
    const auto& site = tile_.site(i);
    const double(&norm)[4] = moments_[at(i)].norm;
    norms.inverse.view().at(0, 0, site.y, site.x) = static_cast<T>(1.0 / norm[0]);
    if (pass.along.empty()) continue;
    norms.mean.view().at(0, 0, site.y, site.x) =
        static_cast<T>(mean_of(tile_.polynomial(i, pass.field_dot), norm));
  }
}

template <class T>
void Worker<T>::spread(const SpreadPass<T>& pass, const Norms<T>& norms,
                       const std::vector<Plane>& planes, const Window& band) {
  const Index count = tile_.count();
  const bool along = !pass.along.empty();
  polynomials_.resize(at(count));
  for (Index i = 0; along && i < count; ++i) {
    const auto& site = tile_.site(i);
    polynomials_[at(i)] = tile_.polynomial(i, pass.field_dot);
    polynomials_[at(i)].one = -static_cast<double>(norms.mean.view().at(0, 0, site.y, site.x));
  }
  for_plane_batches(planes, [&](std::span<const Plane> batch) {
    coef_.assign(at(count) * batch.size(), T{0});
    along_.assign(at(count) * batch.size(), T{0});
    for (std::size_t c = 0; c < batch.size(); ++c) {
      for (Index i = 0; i < count; ++i) {
        const auto& site = tile_.site(i);
        const T inverse = norms.inverse.view().at(0, 0, site.y, site.x);
        const auto scaled = [&](const View<const T>& v) {
          return inverse * v.at(batch[c].n, batch[c].c, site.y, site.x);
        };
        if (!pass.value.empty()) coef_[c * at(count) + at(i)] = scaled(pass.value);
        if (along) along_[c * at(count) + at(i)] = scaled(pass.along);
      }
    }
    const Index step = tile_.slots_at_once(static_cast<int>(batch.size()));
    for (Index k0 = 0; k0 <= tile_.radius_y(); k0 += step) {
      const Index k1 = std::min(k0 + step, tile_.radius_y() + 1);
      const kernels::FullRows<T> rows = tile_.blank(static_cast<int>(batch.size()), k0, k1);
      kernels::full_spread(tile_.pixels(), polynomials_.data(), count, rows, coef_.data(),
                           along ? along_.data() : nullptr);
      const Mode mode = field_.belongs == Belongs::to_source ? Mode::constant : field_.mode;
      tile_.unpack(pass.out, batch, mode, rows, band);
    }
  });
}

// Where kernels live along an axis: in the frame, or also within a radius around it.
template <class T>
Window sites(const AdaptiveField<T>& field, Index radius, Index n) {
  if (field.belongs == Belongs::to_output || field.mode == Mode::constant) return {0, n};
  return {-radius, n + radius};
}

template <class T>
void gather_rows(const AdaptiveField<T>& field, const GatherPass<T>& pass,
                 std::vector<Norms<T>>* norms) {
  const Index height = field.params.height();
  const Index width = field.params.width();
  run_ranges(field, gather_ranges, [&](const RowCosts& costs, const RowRange& rows) {
    const std::vector<Plane> planes = planes_of(pass.src.shape, field.params.batch(), rows.n);
    Worker<T> worker(field, rows.n);
    Norms<T>* keep = norms ? &(*norms)[at(rows.n)] : nullptr;
    for (Index y = rows.begin; y < rows.end; ++y) {
      for (const Plane& plane : planes) {
        for (Index x = 0; x < width && !pass.out.empty() && !pass.add; ++x) {
          pass.out.at(plane.n, plane.c, y, x) = T{0};
        }
      }
      const Window columns = sites(field, costs.rx[at(y)], width);
      const Window copies = sites(field, costs.ry[at(y)], height);
      for (Index copy = copies.begin; copy < copies.end; ++copy) {
        if (extend(copy, height, field.mode) != y) continue;
        worker.for_tiles(copy, columns, [&] { worker.gather(pass, planes, keep); });
      }
    }
  });
}

template <class T>
std::vector<Norms<T>> all_norms(const AdaptiveField<T>& field, const SpreadPass<T>& pass) {
  const Index width = field.params.width();
  const Shape shape{1, 1, field.params.height(), width};
  std::vector<Norms<T>> norms;
  for (Index n = 0; n < field.params.batch(); ++n) {
    norms.push_back({Image<T>(shape), pass.along.empty() ? Image<T>() : Image<T>(shape)});
  }
  if (pass.fused) {
    gather_rows(field, *pass.fused, &norms);
    return norms;
  }
  run_ranges(field, gather_ranges, [&](const RowCosts&, const RowRange& rows) {
    Worker<T> worker(field, rows.n);
    for (Index y = rows.begin; y < rows.end; ++y) {
      worker.for_tiles(y, {0, width}, [&] { worker.norms(pass, norms[at(rows.n)]); });
    }
  });
  return norms;
}

}  // namespace

template <class T>
void full_gather(const AdaptiveField<T>& field, const GatherPass<T>& pass) {
  gather_rows<T>(field, pass, nullptr);
}

template <class T>
void full_spread(const AdaptiveField<T>& field, const SpreadPass<T>& pass) {
  const Index height = field.params.height();
  const Index width = field.params.width();
  const std::vector<Norms<T>> norms = all_norms(field, pass);
  run_ranges(field, spread_ranges, [&](const RowCosts& costs, const RowRange& rows) {
    const std::vector<Plane> planes = planes_of(pass.out.shape, field.params.batch(), rows.n);
    const Window band{rows.begin, rows.end};
    const bool to_source = field.belongs == Belongs::to_source;
    Worker<T> worker(field, rows.n);
    const Window plane_rows = sites(field, costs.max_ry, height);
    for (Index y = plane_rows.begin; y < plane_rows.end; ++y) {
      const auto source = at(extend(y, height, field.mode));
      const Mode mode = to_source ? Mode::constant : field.mode;
      if (!reaches(y, costs.ry[source], band, height, mode)) continue;
      worker.for_tiles(y, sites(field, costs.rx[source], width),
                       [&] { worker.spread(pass, norms[at(rows.n)], planes, band); });
    }
  });
}

template void full_gather(const AdaptiveField<float>&, const GatherPass<float>&);
template void full_gather(const AdaptiveField<double>&, const GatherPass<double>&);
template void full_spread(const AdaptiveField<float>&, const SpreadPass<float>&);
template void full_spread(const AdaptiveField<double>&, const SpreadPass<double>&);

}  // namespace blurfield::detail
