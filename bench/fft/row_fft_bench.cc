// SPDX-License-Identifier: BSD-3-Clause
// Complex transforms of rows, on one thread. GFLOP/s count 5 n log2(n) operations a row.
#include <benchmark/benchmark.h>

#include <cmath>

#include "blurfield/base/image.h"
#include "blurfield/base/random.h"
#include "blurfield/fft/row_fft.h"

namespace blurfield {
namespace {
template <class T>
void row_fft_forward(benchmark::State& state) {
  const fft::RowFft<T>& fft = fft::RowFft<T>::get(state.range(0));
  Image<std::complex<T>> in({fft::kRowBatch, fft.pitch()});
  Image<std::complex<T>> out({fft::kRowBatch, fft.pitch()});
  Random random(1);
  for (Index i = 0; i < in.elements(); ++i) in.data()[i] = static_cast<T>(random.uniform());
  for (auto _ : state) {
    fft.forward(in.data(), fft::kRowBatch, out.data());
    benchmark::ClobberMemory();
  }
  const auto size = static_cast<double>(fft.size());
  state.counters["GFLOP/s"] =
      benchmark::Counter(5e-9 * size * std::log2(size) * static_cast<double>(fft::kRowBatch),
                         benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(row_fft_forward<float>)->Arg(64)->Arg(160)->Arg(240)->Arg(256)->Arg(512)->Arg(2187);
BENCHMARK(row_fft_forward<double>)->Arg(64)->Arg(160)->Arg(240)->Arg(256)->Arg(512)->Arg(2187);

}  // namespace
}  // namespace blurfield
