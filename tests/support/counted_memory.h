// SPDX-License-Identifier: BSD-3-Clause
// Counts what a test program allocates by `new`. To be included by one file of a program: it
// replaces the program's operators.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace blurfield::test {

inline std::atomic<std::ptrdiff_t> live_bytes{0};
inline std::atomic<std::ptrdiff_t> peak_bytes{0};

// The most that `work` holds at once beyond what was held before.
template <class Work>
std::ptrdiff_t peak_of(const Work& work) {
  const std::ptrdiff_t before = live_bytes;
  peak_bytes = before;
  work();
  return peak_bytes - before;
}

namespace detail {

constexpr std::size_t kHeader = 64;

inline void* counted(std::size_t size) {
  const std::size_t whole = (size + 2 * kHeader - 1) / kHeader * kHeader;
  auto* block = static_cast<char*>(std::aligned_alloc(kHeader, whole));
  if (!block) throw std::bad_alloc();
  *reinterpret_cast<std::size_t*>(block) = size;
  const std::ptrdiff_t now = live_bytes += static_cast<std::ptrdiff_t>(size);
  std::ptrdiff_t peak = peak_bytes;
  while (now > peak && !peak_bytes.compare_exchange_weak(peak, now)) {
  }
  return block + kHeader;
}

inline void uncounted(void* pointer) noexcept {
  if (!pointer) return;
  char* block = static_cast<char*>(pointer) - kHeader;
  live_bytes -= static_cast<std::ptrdiff_t>(*reinterpret_cast<std::size_t*>(block));
  std::free(block);
}

}  // namespace detail
}  // namespace blurfield::test

void* operator new(std::size_t size) { return blurfield::test::detail::counted(size); }
void* operator new[](std::size_t size) { return blurfield::test::detail::counted(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  if (static_cast<std::size_t>(alignment) > blurfield::test::detail::kHeader) {
    throw std::bad_alloc();
  }
  return blurfield::test::detail::counted(size);
}
void operator delete(void* pointer) noexcept { blurfield::test::detail::uncounted(pointer); }
void operator delete[](void* pointer) noexcept { blurfield::test::detail::uncounted(pointer); }
void operator delete(void* pointer, std::size_t) noexcept {
  blurfield::test::detail::uncounted(pointer);
}
void operator delete[](void* pointer, std::size_t) noexcept {
  blurfield::test::detail::uncounted(pointer);
}
void operator delete(void* pointer, std::align_val_t) noexcept {
  blurfield::test::detail::uncounted(pointer);
}
void operator delete(void* pointer, std::size_t, std::align_val_t) noexcept {
  blurfield::test::detail::uncounted(pointer);
}
