// SPDX-License-Identifier: BSD-3-Clause
// FITS files as CFITSIO opens them. Inside the FITS part of io only.
#pragma once

#include <fitsio.h>

#include <string>

#include "blurfield/io/picture.h"

namespace blurfield::io {

// CFITSIO's status as our error; `check` forgets its message stack.
class FitsStatus {
 public:
  FitsStatus(std::string path, const char* doing);
  int* get() { return &status_; }
  void check();

 private:
  std::string path_;
  const char* doing_;
  int status_ = 0;
};

// An open file, closed when it goes.
struct FitsHandle {
  FitsHandle() = default;
  FitsHandle(const FitsHandle&) = delete;
  FitsHandle& operator=(const FitsHandle&) = delete;
  ~FitsHandle();
  fitsfile* file = nullptr;
};

// A sample type: BITPIX, or CFITSIO's code for BITPIX with the BZERO of an unsigned type, and the
// type of its numbers in memory.
struct FitsType {
  Sample sample;
  int image;
  int data;
};
inline constexpr FitsType kFitsTypes[] = {
    {Sample::u8, BYTE_IMG, TBYTE},    {Sample::i8, SBYTE_IMG, TSBYTE},
    {Sample::i16, SHORT_IMG, TSHORT}, {Sample::u16, USHORT_IMG, TUSHORT},
    {Sample::i32, LONG_IMG, TINT},    {Sample::u32, ULONG_IMG, TUINT},
    {Sample::f32, FLOAT_IMG, TFLOAT}, {Sample::f64, DOUBLE_IMG, TDOUBLE}};

template <class T>
inline constexpr int kFitsData = sizeof(T) == sizeof(float) ? TFLOAT : TDOUBLE;

}  // namespace blurfield::io
