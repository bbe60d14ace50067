// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/ops/detail/tolerance/residual_passes.h"

#include <algorithm>

namespace blurfield::detail {
namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

// The part of a window of samples that an axis of a level has; all, where it goes on for ever.
template <class T>
Window present(const LevelFilter<T>& axis, const Window& window) {
  if (axis.step() == 1) return window;
  return {std::max(window.begin, axis.first()), std::min(window.end, axis.end())};
}

}  // namespace

template <class T>
ResidualBlock<T>::ResidualBlock(const LevelGrid<T>& grid, const LevelSites& sites)
    : y_(sites.y()), x_(sites.x()) {
  while (grid.axis(level_, 0).step() != sites.step) ++level_;
  present_y_ = present(grid.axis(level_, 0), y_);
  present_x_ = present(grid.axis(level_, 1), x_);
}

template <class T>
void ResidualBlock<T>::start(std::size_t first, std::size_t planes) {
  first_plane_ = first;
  planes_ = planes;
  values_.assign(planes * size(), T{0});
}

template <class T>
void ResidualBlock<T>::pack(const Levels<T>& levels) {
  for (std::size_t c = 0; c < planes_; ++c) {
    levels.pack(level_, first_plane_ + c, present_y_, present_x_, values_.data() + offset(c),
                stride());
  }
}

template <class T>
void ResidualBlock<T>::unpack(LevelSums<T>& sums) const {
  for (std::size_t c = 0; c < planes_; ++c) {
    sums.unpack(level_, first_plane_ + c, present_y_, present_x_, values_.data() + offset(c),
                stride());
  }
}

template <class T>
void ResidualPasses<T>::start(const LevelSites& sites) {
  sites_ = &sites;
  const std::size_t scratch =
      at(kernels::residual_scratch(static_cast<Index>(sites.hull.row_taps)));
  if (scratch_.size() < scratch) scratch_.resize(scratch);
}

// An image at the sites, plane after plane.
template <class T>
std::vector<T> ResidualPasses<T>::read(const View<const T>& image,
                                       std::span<const Plane> planes) const {
  std::vector<T> values;
  values.reserve(at(count()) * planes.size());
  for (const Plane& plane : planes) {
    for (Index i = 0; i < count(); ++i) {
      const auto site = tile_.site(*sites_, i);
      values.push_back(image.empty() ? T{0} : image.at(plane.n, plane.c, site.y, site.x));
    }
  }
  return values;
}

template <class T>
void ResidualPasses<T>::moments(const kernels::ResidualBlock<const T>& block,
                                const std::vector<T>& coef) {
  moments_.resize(at(count()));
  kernels::residual_moments<T>(sites_->pixels.data(), count(), block, scratch_.data(), coef.data(),
                               moments_.data());
}

// sum w (D - mean D) y for each of z1^2, z1 z2, z2^2.
template <class T>
std::array<double, 3> ResidualPasses<T>::centred(Index i) const {
  const auto& [norm, value] = moments_[at(i)];
  std::array<double, 3> m{};
  for (std::size_t j = 0; j < 3; ++j) {
    m[j] = (value[j + 1] - value[0] / norm[0] * norm[j + 1]) / norm[0];
  }
  return m;
}

// (G6) D_theta . theta_dot, without its mean.
template <class T>
kernels::FullPolynomial ResidualPasses<T>::polynomial(Index i,
                                                      const View<const T>& field_dot) const {
  const auto site = tile_.site(*sites_, i);
  const auto slope = tile_.slopes(*sites_, i);
  kernels::FullPolynomial p{0.0, 0.0, 0.0, 0.0};
  for (std::size_t k = 0; k < 3; ++k) {
    const auto dot = static_cast<double>(field_dot.at(n_, static_cast<Index>(k), site.y, site.x));
    p.z1sq += dot * slope[k][0];
    p.z1z2 += dot * slope[k][1];
    p.z2sq += dot * slope[k][2];
  }
  return p;
}

template <class T>
void ResidualPasses<T>::values(const GatherPass<T>& pass, std::span<const Plane> planes,
                               ResidualBlock<T>& block) {
  norm_.resize(at(count()));
  value_.resize(at(count()) * planes.size());
  kernels::residual_values<T>(sites_->pixels.data(), count(),
                              block.template planes<const T>(0, planes.size()), scratch_.data(),
                              norm_.data(), value_.data());
  for (std::size_t c = 0; c < planes.size(); ++c) {
    for (Index i = 0; i < count(); ++i) {
      const auto site = tile_.site(*sites_, i);
      pass.out.at(planes[c].n, planes[c].c, site.y, site.x) +=
          static_cast<T>(value_[c * at(count()) + at(i)] / norm_[at(i)] + pass.cval);
    }
  }
}

template <class T>
void ResidualPasses<T>::derivative(const GatherPass<T>& pass, std::span<const Plane> planes,
                                   ResidualBlock<T>& block) {
  const std::vector<T> ones(at(count()), T{1});
  for (std::size_t c = 0; c < planes.size(); ++c) {
    moments(block.template planes<const T>(c, 1), ones);
    for (Index i = 0; i < count(); ++i) {
      const auto site = tile_.site(*sites_, i);
      const kernels::FullPolynomial p = polynomial(i, pass.field_dot);
      const std::array<double, 3> m = centred(i);
      pass.out.at(planes[c].n, planes[c].c, site.y, site.x) +=
          static_cast<T>(p.z1sq * m[0] + p.z1z2 * m[1] + p.z2sq * m[2]);
    }
  }
}

template <class T>
void ResidualPasses<T>::slopes(const GatherPass<T>& pass, std::span<const Plane> planes,
                               ResidualBlock<T>& block) {
  moments(block.template planes<const T>(0, planes.size()), read(pass.coef, planes));
  for (Index i = 0; i < count(); ++i) {
    const auto site = tile_.site(*sites_, i);
    const auto slope = tile_.slopes(*sites_, i);
    const std::array<double, 3> m = centred(i);
    for (std::size_t k = 0; k < 3; ++k) {
      pass.grad_field.at(n_, static_cast<Index>(k), site.y, site.x) +=
          static_cast<T>(slope[k][0] * m[0] + slope[k][1] * m[1] + slope[k][2] * m[2]);
    }
  }
}

template <class T>
void ResidualPasses<T>::gather(const GatherPass<T>& pass, std::span<const Plane> planes,
                               ResidualBlock<T>& block) {
  if (!pass.field_dot.empty()) {
    derivative(pass, planes, block);
  } else if (!pass.out.empty()) {
    values(pass, planes, block);
  }
  if (!pass.grad_field.empty()) slopes(pass, planes, block);
}

template <class T>
void ResidualPasses<T>::spread(const SpreadPass<T>& pass, std::span<const Plane> planes,
                               ResidualBlock<T>& block) {
  const bool along = !pass.along.empty();
  const auto none = block.template planes<const T>(0, 0);
  norm_.resize(at(count()));
  polynomials_.resize(along ? at(count()) : 0);
  if (along) {
    moments(none, {});
    for (Index i = 0; i < count(); ++i) {
      const double(&norm)[4] = moments_[at(i)].norm;
      norm_[at(i)] = norm[0];
      kernels::FullPolynomial& p = polynomials_[at(i)];
      p = polynomial(i, pass.field_dot);
      p.one = -(p.z1sq * norm[1] + p.z1z2 * norm[2] + p.z2sq * norm[3]) / norm[0];
    }
  } else {
    kernels::residual_values<T>(sites_->pixels.data(), count(), none, scratch_.data(), norm_.data(),
                                nullptr);
  }
  const auto normalised = [&](std::vector<T> values) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      values[j] *= static_cast<T>(1.0 / norm_[j % at(count())]);
    }
    return values;
  };
  const std::vector<T> value = normalised(read(pass.value, planes));
  const std::vector<T> slope = along ? normalised(read(pass.along, planes)) : std::vector<T>();
  kernels::residual_spread<T>(sites_->pixels.data(), polynomials_.data(), count(),
                              block.template planes<T>(0, planes.size()), scratch_.data(),
                              value.data(), along ? slope.data() : nullptr);
}

#define BLURFIELD_INSTANTIATE(T)   \
  template class ResidualBlock<T>; \
  template class ResidualPasses<T>
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::detail
