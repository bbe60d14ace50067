// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/deblur/psf_operator.h"

#include <utility>

#include "blurfield/deblur/detail/convolution_operator.h"
#include "blurfield/deblur/psf.h"

namespace blurfield {

template <class T>
std::unique_ptr<BlurOperator<T>> psf_operator(const Shape& frame, const View<const double>& psf,
                                              const Border& border) {
  constexpr const char* kName = "psf";
  Image<double> normalised = normalised_psf(psf);
  require(frame.rank() == 4, kName, "expected a frame (N, C, H, W), got shape ", frame.text());
  require(psf.shape[0] <= frame[2] && psf.shape[1] <= frame[3], kName,
          "expected one no larger than the image of ", frame[2], " x ", frame[3], " pixels, got ",
          psf.shape[0], " x ", psf.shape[1]);
  return detail::convolution_operator<T>(frame, std::move(normalised), border);
}

template std::unique_ptr<BlurOperator<float>> psf_operator(const Shape&, const View<const double>&,
                                                           const Border&);
template std::unique_ptr<BlurOperator<double>> psf_operator(const Shape&, const View<const double>&,
                                                            const Border&);

}  // namespace blurfield
