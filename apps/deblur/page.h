// SPDX-License-Identifier: BSD-3-Clause
// The page of `blurfield deblur --report`.
#pragma once

#include <string>

#include "apps/deblur/inputs.h"
#include "apps/deblur/model.h"
#include "apps/deblur/summary.h"

namespace blurfield::app {

template <class T>
struct PageImages {
  const Frame<T>& frame;
  const KnownBlur<T>& blur;
  const Image<double>& reference;  // empty without one
  View<const T> out;               // as it is saved
};

// Before and after, whole and in part, beside the reference; the blur as it acts on points of
// light; the course of the work, what was chosen and why, and the numbers.
template <class T>
std::string report_page(const DeblurRequest& request, const DeblurSummary& summary,
                        const PageImages<T>& images);

}  // namespace blurfield::app
