// SPDX-License-Identifier: BSD-3-Clause
// Runs a check on every SIMD target that this machine and the kernels have.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <string>

namespace blurfield::test {

template <class Check>
void for_each_target(const Check& check) {
  const auto all = hwy::SupportedTargets() & ~(HWY_SSSE3 | HWY_AVX3_DL);  // not built for
  int ran = 0;
  for (auto rest = all; rest != 0; rest &= rest - 1) {
    const auto target = rest & (~rest + 1);
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    SCOPED_TRACE(std::string("SIMD target ") + hwy::TargetName(target));
    check();
    ++ran;
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  EXPECT_GT(ran, 0);
}

}  // namespace blurfield::test
