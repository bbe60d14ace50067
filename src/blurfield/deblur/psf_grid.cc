// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/psf_grid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "blurfield/base/check.h"
#include "blurfield/deblur/detail/extended_plane.h"
#include "blurfield/deblur/psf.h"
#include "blurfield/ops/correlate.h"

namespace blurfield {
namespace {

constexpr const char* kName = "psf grid";
constexpr std::array<std::pair<GridOrder, std::string_view>, 2> kOrders{
    {{GridOrder::mask_first, "mask-first"}, {GridOrder::conv_first, "conv-first"}}};

// Consecutive pixels of an axis where the weight of a row (or column) of cells is not 0.
struct Run {
  Index cell = 0;
  Index first = 0;  // from the first pixel of the plane
  std::vector<double> weights;
  Index size() const { return static_cast<Index>(weights.size()); }
};

// The weight of row `cell` of `cells` at pixel y of n.
double cell_weight(Index cell, Index cells, Index y, Index n) {
  const double centres =
      (static_cast<double>(y) + 0.5) * static_cast<double>(cells) / static_cast<double>(n) -
      0.5;  // between the first and the last cell's centre: 0..cells - 1
  const double at = std::clamp(centres, 0.0, static_cast<double>(cells - 1));
  const auto before = static_cast<Index>(at);
  const double cosine = std::cos(0.5 * std::numbers::pi * (at - static_cast<double>(before)));
  if (cell == before) return cosine * cosine;
  return cell == before + 1 ? 1.0 - cosine * cosine : 0.0;
}

// The runs of all cells on an axis of n pixels that goes on for `margin` on both sides by `mode`.
std::vector<Run> runs_of(Index cells, Index n, Index margin, Mode mode) {
  std::vector<Run> runs;
  for (Index cell = 0; cell < cells; ++cell) {
    bool open = false;
    for (Index i = 0; i < n + 2 * margin; ++i) {
      const Index y = extend(i - margin, n, mode);
      const double weight = y < 0 ? 0.0 : cell_weight(cell, cells, y, n);
      if (weight > 0 && !open) runs.push_back({cell, i, {}});
      open = weight > 0;
      if (open) runs.back().weights.push_back(weight);
    }
  }
  return runs;
}

// Part `i` of `count` of the work in `whole`.
Execution part_of(const Execution& whole, std::size_t i, std::size_t count) {
  Execution part = whole;
  if (whole.progress) {
    part.progress = [report = whole.progress, i, count](double done) {
      return report((static_cast<double>(i) + done) / static_cast<double>(count));
    };
  }
  return part;
}

template <class U>
View<U> window(View<U> view, Index y, Index x, Index height, Index width) {
  view.data += y * view.y_stride() + x * view.x_stride();
  view.shape[2] = height;
  view.shape[3] = width;
  return view;
}

// to = weight from, or to += weight from; both as large as the runs.
template <class T>
void weigh(const View<const T>& from, const Run& ys, const Run& xs, bool add, const View<T>& to) {
  for (Index n = 0; n < to.batch(); ++n) {
    for (Index c = 0; c < to.channels(); ++c) {
      for (Index y = 0; y < to.height(); ++y) {
        const double along_y = ys.weights[static_cast<std::size_t>(y)];
        const double* along_x = xs.weights.data();
        const T* in = from.row(n, c, y);
        T* out = to.row(n, c, y);
        for (Index x = 0; x < to.width(); ++x) {
          const T value = static_cast<T>(along_y * along_x[x]) * in[x * from.x_stride()];
          T& pixel = out[x * to.x_stride()];
          pixel = add ? pixel + value : value;
        }
      }
    }
  }
}

template <class T>
class GridOperator final : public BlurOperator<T> {
 public:
  // `psfs` (ny, nx, H, W) of odd sizes, taken as they are.
  GridOperator(const Shape& frame, Image<double> psfs, GridOrder order, const Border& border)
      : BlurOperator<T>(frame, border.extend ? radius_of(psfs) : std::array<Index, 2>{}, border),
        order_(order),
        psfs_(std::move(psfs)),
        taps_(psfs_.shape()),
        radius_(radius_of(psfs_)) {
    std::transform(psfs_.data(), psfs_.data() + psfs_.elements(), taps_.data(),
                   [](double v) { return static_cast<T>(v); });
    // Masks before the convolution lie on the plane that the blur reaches, others on the frame.
    for (int i = 0; i < 2; ++i) {
      const auto axis = static_cast<std::size_t>(i);
      runs_[axis] = runs_of(psfs_.shape()[i], frame[2 + i],
                            order == GridOrder::mask_first ? radius_[axis] : 0,
                            border.extend ? Mode::nearest : border.mode);
    }
  }

  void forward(const View<const T>& scene, const View<T>& frame,
               const Execution& execution) const override {
    this->check(kName, scene.shape, frame.shape);
    detail::check_finite(kName, "the scene", scene, execution);
    const Border& border = this->border();
    const Image<T> extended =
        border.extend ? Image<T>()
                      : detail::extended_plane(scene, radius_, border.mode, execution.threads);
    const View<const T> plane = border.extend ? scene : extended.view();
    if (order_ == GridOrder::mask_first) {
      spread(plane, true, frame, execution);
    } else {
      gather(plane, true, frame, execution);
    }
  }

  void adjoint(const View<const T>& frame, const View<T>& scene,
               const Execution& execution) const override {
    this->check(kName, scene.shape, frame.shape);
    detail::check_finite(kName, "the frame", frame, execution);
    const Border& border = this->border();
    Shape shape = this->frame();
    for (int i = 0; i < 2; ++i) shape[2 + i] += 2 * radius_[static_cast<std::size_t>(i)];
    Image<T> extended = border.extend ? Image<T>() : Image<T>::uninitialised(shape);
    const View<T> plane = border.extend ? scene : extended.view();
    if (order_ == GridOrder::mask_first) {
      const std::array<Index, 2> twice{2 * radius_[0], 2 * radius_[1]};
      const Image<T> wide = detail::extended_plane(frame, twice, Mode::constant, execution.threads);
      gather(wide, false, plane, execution);
    } else {
      spread(frame, false, plane, execution);
    }
    if (!border.extend) {
      detail::fold_plane<T>(extended, radius_, border.mode, scene, execution.threads);
    }
  }

  double multiply_adds() const override {
    double pixels = static_cast<double>(this->frame()[0] * this->frame()[1]);
    for (const std::vector<Run>& runs : runs_) {
      Index sum = 0;
      for (const Run& run : runs) sum += run.size();
      pixels *= static_cast<double>(sum);
    }
    return pixels * static_cast<double>(psfs_.shape()[2] * psfs_.shape()[3]);
  }

  double norm_bound(const Execution& execution) const override {
    const auto negative = [](double v) { return v < 0; };
    if (std::none_of(psfs_.data(), psfs_.data() + psfs_.elements(), negative)) {
      return BlurOperator<T>::norm_bound(execution);
    }
    Image<double> absolute(psfs_.shape());
    std::transform(psfs_.data(), psfs_.data() + psfs_.elements(), absolute.data(),
                   [](double v) { return std::abs(v); });
    return GridOperator(this->frame(), std::move(absolute), order_, this->border())
        .norm_bound(execution);
  }

 private:
  static std::array<Index, 2> radius_of(const Image<double>& psfs) {
    return {psfs.shape()[2] / 2, psfs.shape()[3] / 2};
  }

  // A cell's piece of the plane where the masks are.
  struct Piece {
    const Run* y = nullptr;
    const Run* x = nullptr;
  };
  // Pieces of cells with two cells between their centres do not touch: four such sets are all.
  std::vector<Piece> pieces_of(Index colour) const {
    std::vector<Piece> pieces;
    for (const Run& y : runs_[0]) {
      for (const Run& x : runs_[1]) {
        if (y.cell % 2 == colour / 2 && x.cell % 2 == colour % 2) pieces.push_back({&y, &x});
      }
    }
    return pieces;
  }

  void convolve_piece(const View<const T>& from, const Piece& piece, Output output, bool flip,
                      int threads, const View<T>& to) const {
    const Index taps = taps_.shape()[2] * taps_.shape()[3];
    const Index cell = piece.y->cell * taps_.shape()[1] + piece.x->cell;
    CorrelateOptions options;
    options.extension.mode = Mode::constant;
    options.output = output;
    options.flip = flip;
    options.execution.threads = threads;
    correlate<T>(from, {taps_.data() + cell * taps, {taps_.shape()[2], taps_.shape()[3]}}, to,
                 options);
  }

  Shape piece_shape(const Piece& piece, Index margins) const {
    return {this->frame()[0], this->frame()[1], piece.y->size() + margins * radius_[0],
            piece.x->size() + margins * radius_[1]};
  }

  // Runs f(i, threads) for all pieces of a colour: several at once, or one after the other with
  // several threads each.
  template <class F>
  static void for_each_piece(std::size_t count, const Execution& execution, const F& f) {
    const auto pieces = static_cast<Index>(count);
    const bool together = pieces >= thread_limit(execution);
    Execution outer = execution;
    if (!together) outer.threads = 1;
    parallel_for(pieces, outer, [&](Index i) { f(i, together ? 1 : execution.threads); });
  }

  // to = sum_k w_k (h_k * from): `from` has a radius more on each side than `to`.
  void gather(const View<const T>& from, bool flip, const View<T>& to,
              const Execution& execution) const {
    clear(to);
    for (Index colour = 0; colour < 4; ++colour) {
      const std::vector<Piece> pieces = pieces_of(colour);
      for_each_piece(
          pieces.size(), part_of(execution, static_cast<std::size_t>(colour), 4),
          [&](Index i, int threads) {
            const Piece& piece = pieces[static_cast<std::size_t>(i)];
            const Shape reach = piece_shape(piece, 2);
            Image<T> sums = Image<T>::uninitialised(piece_shape(piece, 0));
            convolve_piece(window(from, piece.y->first, piece.x->first, reach[2], reach[3]), piece,
                           Output::valid, flip, threads, sums);
            weigh<T>(sums, *piece.y, *piece.x, true,
                     window(to, piece.y->first, piece.x->first, piece.y->size(), piece.x->size()));
          });
    }
  }

  // to = sum_k h_k * (w_k from), of which `to` may lack the same at all sides.
  void spread(const View<const T>& from, bool flip, const View<T>& to,
              const Execution& execution) const {
    clear(to);
    for (Index colour = 0; colour < 4; ++colour) {
      const std::vector<Piece> pieces = pieces_of(colour);
      std::vector<Image<T>> sums(pieces.size());
      for_each_piece(
          pieces.size(), part_of(execution, static_cast<std::size_t>(colour), 4),
          [&](Index i, int threads) {
            const Piece& piece = pieces[static_cast<std::size_t>(i)];
            Image<T> masked = Image<T>::uninitialised(piece_shape(piece, 0));
            weigh<T>(window(from, piece.y->first, piece.x->first, piece.y->size(), piece.x->size()),
                     *piece.y, *piece.x, false, masked);
            Image<T>& sum = sums[static_cast<std::size_t>(i)];
            sum = Image<T>::uninitialised(piece_shape(piece, 2));
            convolve_piece(masked, piece, Output::full, flip, threads, sum);
          });
      add_pieces(pieces, sums, from.shape, to, execution.threads);
    }
  }

  // Adds the sums of pieces of a plane of this shape, which overlap, to the rows of `to`.
  void add_pieces(const std::vector<Piece>& pieces, const std::vector<Image<T>>& sums,
                  const Shape& plane, const View<T>& to, int threads) const {
    const Index cut_y = (plane[2] + 2 * radius_[0] - to.height()) / 2;
    const Index cut_x = (plane[3] + 2 * radius_[1] - to.width()) / 2;
    parallel_for(to.batch() * to.channels() * to.height(), {threads, {}}, [&](Index i) {
      const Index n = i / to.height() / to.channels();
      const Index c = i / to.height() % to.channels();
      const Index y = i % to.height();
      T* row = to.row(n, c, y);
      for (std::size_t k = 0; k < pieces.size(); ++k) {
        const View<const T> sum = sums[k];
        const Index at = y + cut_y - pieces[k].y->first;
        if (at < 0 || at >= sum.height()) continue;
        const Index shift = pieces[k].x->first - cut_x;
        const T* from = sum.row(n, c, at);
        const Index end = std::min(to.width(), shift + sum.width());
        for (Index x = std::max<Index>(0, shift); x < end; ++x) {
          row[x * to.x_stride()] += from[x - shift];
        }
      }
    });
  }

  static void clear(const View<T>& view) {
    const T zero{0};
    copy<T>(View<const T>(&zero, view.shape, {}), view);
  }

  GridOrder order_;
  Image<double> psfs_;
  Image<T> taps_;
  std::array<Index, 2> radius_;
  std::array<std::vector<Run>, 2> runs_;
};

// All of them normalised, of odd sizes.
Image<double> normalised_grid(const View<const double>& psfs) {
  const Shape& s = psfs.shape;
  Image<double> all({s[0], s[1], s[2] | 1, s[3] | 1});
  const Index taps = (s[2] | 1) * (s[3] | 1);
  for (Index i = 0; i < s[0]; ++i) {
    for (Index j = 0; j < s[1]; ++j) {
      try {
        const Image<double> psf =
            normalised_psf({psfs.data + i * psfs.stride[0] + j * psfs.stride[1],
                            {s[2], s[3]},
                            {psfs.stride[2], psfs.stride[3]}});
        std::copy_n(psf.data(), taps, all.data() + (i * s[1] + j) * taps);
      } catch (const Error& error) {
        throw Error(message(kName, ": cell (", i, ", ", j, "): ", error.what()));
      }
    }
  }
  return all;
}

}  // namespace

std::string_view order_name(GridOrder order) {
  return kOrders[order == GridOrder::mask_first ? 0 : 1].second;
}

std::optional<GridOrder> parse_order(std::string_view name) {
  for (const auto& [order, known] : kOrders) {
    if (known == name) return order;
  }
  return std::nullopt;
}

template <class T>
std::unique_ptr<BlurOperator<T>> psf_grid_operator(const Shape& frame,
                                                   const View<const double>& psfs, GridOrder order,
                                                   const Border& border) {
  const Shape& s = psfs.shape;
  require(s.rank() == 4 && s.elements() > 0, kName,
          "expected point-spread functions (ny, nx, H, W), got shape ", s.text());
  require(frame.rank() == 4, kName, "expected a frame (N, C, H, W), got shape ", frame.text());
  require(s[2] <= frame[2] && s[3] <= frame[3], kName,
          "expected point-spread functions no larger than the image of ", frame[2], " x ", frame[3],
          " pixels, got ", s[2], " x ", s[3]);
  require(s[0] <= frame[2] && s[1] <= frame[3], kName, "expected no more cells than pixels, ",
          frame[2], " x ", frame[3], ", got ", s[0], " x ", s[1]);
  return std::make_unique<GridOperator<T>>(frame, normalised_grid(psfs), order, border);
}

#define BLURFIELD_INSTANTIATE(T)                               \
  template std::unique_ptr<BlurOperator<T>> psf_grid_operator( \
      const Shape&, const View<const double>&, GridOrder, const Border&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield
