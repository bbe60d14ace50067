// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/detail/convolution_operator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "blurfield/deblur/detail/extended_plane.h"
#include "blurfield/deblur/psf.h"
#include "blurfield/ops/correlate.h"

namespace blurfield::detail {
namespace {

template <class T>
class ConvolutionOperator final : public BlurOperator<T> {
 public:
  ConvolutionOperator(const Shape& frame, Image<double> psf, const Border& border)
      : BlurOperator<T>(frame, margin_of(psf.shape(), border), border),
        psf_(std::move(psf)),
        taps_(psf_.shape()) {
    std::transform(psf_.data(), psf_.data() + psf_.elements(), taps_.data(),
                   [](double v) { return static_cast<T>(v); });
    forward_.flip = true;
    forward_.extension = {border.extend ? Mode::constant : border.mode, 0.0};
    forward_.output = border.extend ? Output::valid : Output::same;
    forward_.method = plan_correlate<T>(this->scene(), taps_, forward_).method;
    adjoint_ = forward_;
    adjoint_.flip = false;
    if (border.extend || folds()) {
      adjoint_.extension.mode = Mode::constant;
      adjoint_.output = Output::full;
    }
  }

  void forward(const View<const T>& scene, const View<T>& frame,
               const Execution& execution) const override {
    this->check("blur", scene.shape, frame.shape);
    CorrelateOptions options = forward_;
    options.execution = execution;
    correlate<T>(scene, taps_, frame, options);
  }

  void adjoint(const View<const T>& frame, const View<T>& scene,
               const Execution& execution) const override {
    this->check("blur", scene.shape, frame.shape);
    CorrelateOptions options = adjoint_;
    options.execution = execution;
    if (!folds()) {
      correlate<T>(frame, taps_, scene, options);
      return;
    }
    Image<T> plane = Image<T>::uninitialised(correlate_shape(frame.shape, taps_.shape(), options));
    correlate<T>(frame, taps_, plane, options);
    const std::array<Index, 2> radius{psf_.shape()[0] / 2, psf_.shape()[1] / 2};
    detail::fold_plane<T>(plane, radius, this->border().mode, scene, execution.threads);
  }

  double multiply_adds() const override {
    return static_cast<double>(this->frame().elements()) * static_cast<double>(psf_.elements());
  }

  double norm_bound(const Execution& execution) const override {
    double sum = 0.0;
    Image<double> absolute(psf_.shape());
    for (Index i = 0; i < psf_.elements(); ++i) {
      sum += absolute.data()[i] = std::abs(psf_.data()[i]);
    }
    const bool negative =
        std::any_of(psf_.data(), psf_.data() + psf_.elements(), [](double v) { return v < 0; });
    if (!negative) return BlurOperator<T>::norm_bound(execution);
    const ConvolutionOperator other(this->frame(), normalised_psf(absolute), this->border());
    return sum * other.norm_bound(execution);
  }

  const Image<double>* psf() const override { return &psf_; }

 private:
  static std::array<Index, 2> margin_of(const Shape& psf, const Border& border) {
    if (!border.extend) return {0, 0};
    return {psf[0] / 2, psf[1] / 2};
  }

  // Whether the adjoint returns what the extension has copied beyond the frame to where it is from.
  bool folds() const {
    const Mode mode = forward_.extension.mode;
    return mode != Mode::constant && mode != Mode::wrap;
  }

  Image<double> psf_;
  Image<T> taps_;
  CorrelateOptions forward_;
  CorrelateOptions adjoint_;
};

}  // namespace

template <class T>
std::unique_ptr<BlurOperator<T>> convolution_operator(const Shape& frame, Image<double> psf,
                                                      const Border& border) {
  return std::make_unique<ConvolutionOperator<T>>(frame, std::move(psf), border);
}

template std::unique_ptr<BlurOperator<float>> convolution_operator(const Shape&, Image<double>,
                                                                   const Border&);
template std::unique_ptr<BlurOperator<double>> convolution_operator(const Shape&, Image<double>,
                                                                    const Border&);

}  // namespace blurfield::detail
