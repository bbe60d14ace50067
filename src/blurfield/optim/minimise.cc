// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/optim/minimise.h"

namespace blurfield {

std::string_view stop_name(Stop stop) {
  switch (stop) {
    case Stop::gradient:
      return "gradient";
    case Stop::change:
      return "change";
    case Stop::iterations:
      return "iterations";
    case Stop::time:
      return "time";
    case Stop::cancelled:
      return "cancelled";
    case Stop::no_descent:
      return "no descent";
  }
  return "unknown";
}

}  // namespace blurfield
