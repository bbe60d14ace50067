// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/downsampled.h"

#include <utility>

namespace blurfield {
namespace {

constexpr const char* kName = "downsampled";

template <class T>
class Downsampled final : public BlurOperator<T> {
 public:
  Downsampled(std::unique_ptr<BlurOperator<T>> blur, Index factor, const Shape& frame)
      : BlurOperator<T>(frame, blur->margin(), blur->border(), factor),
        blur_(std::move(blur)),
        factor_(factor) {}

  void forward(const View<const T>& scene, const View<T>& frame,
               const Execution& execution) const override {
    this->check(kName, scene.shape, frame.shape);
    Image<T> fine = Image<T>::uninitialised(blur_->frame());
    blur_->forward(scene, fine, execution);
    const View<const T> from = fine;
    const T share = T{1} / static_cast<T>(factor_ * factor_);
    for_each_row(execution, [&](Index n, Index c, Index y) {
      for (Index x = 0; x < frame.width(); ++x) {
        T sum{0};
        for (Index i = 0; i < factor_; ++i) {
          const T* row = from.row(n, c, y * factor_ + i) + x * factor_;
          for (Index j = 0; j < factor_; ++j) sum += row[j];
        }
        frame.at(n, c, y, x) = share * sum;
      }
    });
  }

  void adjoint(const View<const T>& frame, const View<T>& scene,
               const Execution& execution) const override {
    this->check(kName, scene.shape, frame.shape);
    Image<T> fine = Image<T>::uninitialised(blur_->frame());
    const View<T> to = fine;
    const T share = T{1} / static_cast<T>(factor_ * factor_);
    for_each_row(execution, [&](Index n, Index c, Index y) {
      for (Index i = 0; i < factor_; ++i) {
        T* row = to.row(n, c, y * factor_ + i);
        for (Index x = 0; x < to.width(); ++x) row[x] = share * frame.at(n, c, y, x / factor_);
      }
    });
    blur_->adjoint(fine, scene, execution);
  }

  double multiply_adds() const override {
    return blur_->multiply_adds() + static_cast<double>(blur_->frame().elements());
  }
  // The largest singular value of means over disjoint squares is 1 / factor.
  double norm_bound(const Execution& execution) const override {
    return blur_->norm_bound(execution) / static_cast<double>(factor_);
  }

 private:
  // f(n, c, y) for all rows of the frame, in parallel; quick beside the blur, without progress.
  template <class F>
  void for_each_row(const Execution& execution, const F& f) const {
    const Shape& shape = this->frame();
    parallel_for(shape[0] * shape[1] * shape[2], {execution.threads, {}}, [&](Index i) {
      const Index plane = i / shape[2];
      f(plane / shape[1], plane % shape[1], i % shape[2]);
    });
  }

  std::unique_ptr<BlurOperator<T>> blur_;
  Index factor_;
};

}  // namespace

template <class T>
std::unique_ptr<BlurOperator<T>> downsampled(std::unique_ptr<BlurOperator<T>> blur, Index factor) {
  require(blur != nullptr, kName, "expected a blur, got none");
  Shape frame = blur->frame();
  require(factor >= 1 && frame[2] % factor == 0 && frame[3] % factor == 0, kName,
          "expected a factor that divides the frame of ", frame[2], " x ", frame[3],
          " pixels, got ", factor);
  for (int axis = 2; axis < 4; ++axis) frame[axis] /= factor;
  return std::make_unique<Downsampled<T>>(std::move(blur), factor, frame);
}

template std::unique_ptr<BlurOperator<float>> downsampled(std::unique_ptr<BlurOperator<float>>,
                                                          Index);
template std::unique_ptr<BlurOperator<double>> downsampled(std::unique_ptr<BlurOperator<double>>,
                                                           Index);

}  // namespace blurfield
