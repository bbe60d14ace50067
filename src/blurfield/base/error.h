// SPDX-License-Identifier: BSD-3-Clause
// The one error type of the library. Errors are thrown at the edge of an operation, never in a
// kernel; the message names the operation, what was expected and what came.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace blurfield {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A progress callback asked to stop (see Execution).
class Cancelled : public Error {
 public:
  using Error::Error;
};

// Concatenates its arguments as text: `message("sigma ", 3, " at ", y)`.
template <class... Args>
std::string message(const Args&... args) {
  std::ostringstream text;
  text.precision(9);
  (text << ... << args);
  return text.str();
}

// Throws Error("operation: what") unless `ok`.
template <class... Args>
void require(bool ok, const char* operation, const Args&... what) {
  if (!ok) throw Error(message(operation, ": ", what...));
}

}  // namespace blurfield
