// SPDX-License-Identifier: BSD-3-Clause
#include "apps/filter_weights.h"

#include <cmath>

#include "blurfield/io/kernel_file.h"

namespace blurfield::app {

WeightSums sums_of(const Image<double>& kernel) {
  WeightSums sums;
  for (Index i = 0; i < kernel.elements(); ++i) {
    sums.sum += kernel.data()[i];
    sums.magnitude += std::abs(kernel.data()[i]);
  }
  return sums;
}

Image<double> load_weights(const FilterRequest& request) {
  Image<double> kernel = request.filter.empty()
                             ? io::load_kernel(request.kernel)
                             : make_filter(request.filter, request.size, request.sigma);
  if (!request.normalise) return kernel;
  const WeightSums sums = sums_of(kernel);
  if (!sums.positive()) {
    throw Error(
        message(request.weights(), ": --normalise expects weights of a sum > 0, got ", sums.sum));
  }
  for (Index i = 0; i < kernel.elements(); ++i) kernel.data()[i] /= sums.sum;
  return kernel;
}

}  // namespace blurfield::app
