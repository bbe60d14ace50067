// SPDX-License-Identifier: BSD-3-Clause
// Correlation by products of spectra, block by block (blocks.h), two blocks at a time
// (pair.h). A task transforms a pair of blocks of all inputs of a group, multiplies and sums,
// and transforms all outputs back.
#include "blurfield/ops/detail/convolution/correlation.h"

#include <algorithm>

#include "blurfield/kernels/complex_product.h"
#include "blurfield/ops/detail/convolution/fft/grid.h"
#include "blurfield/ops/detail/pool.h"

namespace blurfield::detail {
namespace {

template <class T>
class FftCorrelation {
 public:
  explicit FftCorrelation(const Correlation<T>& job)
      : job_(job),
        cut_(fft_blocks(job)),
        grid_(job, cut_),
        fft_(cut_.y.size, cut_.x.size),
        sets_(job.kernels.stride[0] == 0 ? 1 : job.groups()),
        spectra_({sets_ * fft_.panels() * job.outputs() * grid_.inputs(), fft_.panel_size()}) {}

  void run() {
    Execution quiet;  // quick beside the blocks: without progress
    quiet.threads = job_.execution.threads;
    parallel_for(sets_ * job_.outputs() * grid_.inputs(), quiet, [&](Index i) {
      const Index k = i / grid_.inputs();
      transform_kernel(k / job_.outputs(), k % job_.outputs(), i % grid_.inputs());
    });
    parallel_for(job_.groups() * cut_.pairs, job_.execution,
                 [&](Index i) { correlate_pair(i / cut_.pairs, i % cut_.pairs); });
  }

 private:
  using Complex = std::complex<T>;
  struct Workspace {
    typename PairFft<T>::Space space;
    Image<Complex> planes;  // one per input, then per output
    Image<Complex> panels;  // transformed of every input, and a product
  };
  using Lease = typename Pool<Workspace>::Lease;

  void prepare(Workspace& work) const {
    if (!work.space.empty()) return;
    work.space = typename PairFft<T>::Space(fft_);
    work.planes = Image<Complex>({std::max(grid_.inputs(), job_.outputs()), fft_.plane_size()});
    work.panels = Image<Complex>({grid_.inputs() + 1, fft_.panel_size()});
  }

  // All inputs' spectra for output k, panel p, follow each other.
  Complex* spectrum(Index set, Index p, Index k) {
    return spectra_.data() +
           ((set * fft_.panels() + p) * job_.outputs() + k) * grid_.inputs() * fft_.panel_size();
  }

  // The conjugate spectrum of one part of a kernel, and the factor that makes transforms inverse.
  void transform_kernel(Index set, Index k, Index channel) {
    Lease work(pool_);
    prepare(*work);
    Complex* plane = work->planes.data();
    Complex* panel = work->panels.data();
    const BlockInput<T> taps = grid_.kernel(job_.kernels, set, k, channel);
    fft_.load({taps, {}}, {Mode::constant, 0.0}, cut_.y.taps, work->space, plane);
    const T scale = T{1} / static_cast<T>(fft_.rows() * fft_.columns());
    const auto column = [&](Index x) {
      return spectrum(set, x / fft_.kPanel, k) + channel * fft_.panel_size() +
             x % fft_.kPanel * fft_.pitch();
    };
    for (Index x = 0; x <= fft_.columns() / 2; ++x) {
      if (x % fft_.kPanel == 0) fft_.forward(plane, x / fft_.kPanel, panel);
      const Complex* from = panel + x % fft_.kPanel * fft_.pitch();
      Complex* to = column(x);
      for (Index y = 0; y < fft_.rows(); ++y) to[y] = std::conj(from[y]) * scale;
      if (x == 0 || 2 * x == fft_.columns()) continue;
      // The kernel is real: half of its spectrum gives the other.
      Complex* mirror = column(fft_.columns() - x);
      mirror[0] = from[0] * scale;
      for (Index y = 1; y < fft_.rows(); ++y) mirror[y] = from[fft_.rows() - y] * scale;
    }
  }

  void correlate_pair(Index g, Index pair) {
    Lease work(pool_);
    prepare(*work);
    Complex* panels = work->panels.data();
    Complex* product = panels + grid_.inputs() * fft_.panel_size();
    const auto plane = [&](Index i) { return work->planes.data() + i * fft_.plane_size(); };
    for (Index c = 0; c < grid_.inputs(); ++c) {
      fft_.load({grid_.input(g, 2 * pair, c), grid_.input(g, 2 * pair + 1, c)}, job_.extension,
                cut_.y.window(), work->space, plane(c));
    }
    for (Index p = 0; p < fft_.panels(); ++p) {
      for (Index c = 0; c < grid_.inputs(); ++c) {
        fft_.forward(plane(c), p, panels + c * fft_.panel_size());
      }
      // Outputs take the place of inputs, whose panel p is not needed any more.
      for (Index k = 0; k < job_.outputs(); ++k) {
        kernels::sum_products(panels, fft_.panel_size(), spectrum(sets_ == 1 ? 0 : g, p, k),
                              fft_.panel_size(), grid_.inputs(),
                              fft_.panel_columns(p) * fft_.pitch(), product);
        fft_.backward(product, p, plane(k));
      }
    }
    for (Index k = 0; k < job_.outputs(); ++k) {
      fft_.store(plane(k), {grid_.write(g, 2 * pair, k), grid_.write(g, 2 * pair + 1, k)},
                 work->space);
    }
  }

  const Correlation<T>& job_;
  const FftBlocks cut_;
  const FftGrid<T> grid_;
  const PairFft<T> fft_;
  const Index sets_;  // of kernels: one per group, or one
  Image<Complex> spectra_;
  Pool<Workspace> pool_;
};

}  // namespace

template <class T>
void correlate_fft(const Correlation<T>& job) {
  FftCorrelation<T>(job).run();
}

template void correlate_fft(const Correlation<float>&);
template void correlate_fft(const Correlation<double>&);

}  // namespace blurfield::detail
