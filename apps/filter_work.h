// SPDX-License-Identifier: BSD-3-Clause
// The work of `blurfield filter`, from file to file, and what it prints.
#pragma once

#include "apps/filter_request.h"

namespace blurfield::app {

// IN to OUT, by --kernel or --filter; request.size is set.
void filter_file(const FilterRequest& request);

// All filters on IN, to --bank.
void make_bank(const FilterRequest& request);

}  // namespace blurfield::app
