// SPDX-License-Identifier: BSD-3-Clause
// The gradient by the kernels, block by block as correlation.cc: the spectrum of the gradient is
// the sum, over all blocks, of the inputs' spectra times the cotangent's conjugate ones. In a pair
// of blocks the real part of its inverse is the sum of both; the imaginary part is of no use.
#include <algorithm>
#include <vector>

#include "blurfield/kernels/complex_product.h"
#include "blurfield/ops/detail/convolution/correlation.h"
#include "blurfield/ops/detail/convolution/fft/grid.h"
#include "blurfield/ops/detail/pool.h"

namespace blurfield::detail {
namespace {

// Bytes for sums, of which there are several: each is the work of one thread.
constexpr double kSums = 32e6;

// How many share the blocks' pairs. It must not depend on the number of threads.
Index share_count(Index pairs, double spectra_bytes) {
  const auto room = static_cast<Index>(std::clamp(kSums / spectra_bytes, 1.0, 16.0));
  return std::min({pairs, room, std::max<Index>(4, pairs / 4)});
}

template <class T>
class FftKernelGradient {
 public:
  explicit FftKernelGradient(const KernelGradient<T>& gradient)
      : gradient_(gradient),
        job_(gradient.job),
        cut_(fft_blocks(job_, kSums / 4)),
        grid_(job_, cut_),
        fft_(cut_.y.size, cut_.x.size),
        sets_(gradient.grad.shape[0]),
        pairs_(job_.groups() / sets_ * cut_.pairs),
        shares_(share_count(pairs_, cut_.spectra_bytes)),
        sums_({sets_ * shares_, fft_.panels() * job_.outputs() * grid_.inputs(),
               fft_.panel_size()}) {}

  void run() {
    parallel_tasks(sets_ * shares_, job_.execution, [&](Index i, const Tick& tick) {
      for (Index pair = i % shares_; pair < pairs_; pair += shares_) {
        add_pair(i / shares_ + pair / cut_.pairs, pair % cut_.pairs, i);
        tick(static_cast<double>(pair + 1) / static_cast<double>(pairs_));
      }
    });
    Execution quiet;  // quick beside the blocks: without progress
    quiet.threads = job_.execution.threads;
    parallel_for(sets_ * job_.outputs() * grid_.inputs(), quiet, [&](Index i) {
      const Index k = i / grid_.inputs();
      finish(k / job_.outputs(), k % job_.outputs(), i % grid_.inputs());
    });
  }

 private:
  using Complex = std::complex<T>;
  struct Workspace {
    typename PairFft<T>::Space space;
    Image<Complex> planes;  // one per input, then per output
    Image<Complex> panels;  // transformed of every input, and of an output
  };
  using Lease = typename Pool<Workspace>::Lease;

  void prepare(Workspace& work) const {
    if (!work.space.empty()) return;
    work.space = typename PairFft<T>::Space(fft_);
    work.planes = Image<Complex>({grid_.inputs() + job_.outputs(), fft_.plane_size()});
    work.panels = Image<Complex>({grid_.inputs() + 1, fft_.panel_size()});
  }

  Complex* sum(Index share, Index p, Index k, Index c) {
    const Index panel = ((share * fft_.panels() + p) * job_.outputs() + k) * grid_.inputs() + c;
    return sums_.data() + panel * fft_.panel_size();
  }

  // Adds a pair of blocks of group g to a share.
  void add_pair(Index g, Index pair, Index share) {
    Lease work(pool_);
    prepare(*work);
    const auto plane = [&](Index i) { return work->planes.data() + i * fft_.plane_size(); };
    const auto panel = [&](Index i) { return work->panels.data() + i * fft_.panel_size(); };
    for (Index c = 0; c < grid_.inputs(); ++c) {
      fft_.load({grid_.input(g, 2 * pair, c), grid_.input(g, 2 * pair + 1, c)}, job_.extension,
                cut_.y.window(), work->space, plane(c));
    }
    for (Index k = 0; k < job_.outputs(); ++k) {
      const View<const T>& cotangent = gradient_.cotangent;
      fft_.load({grid_.read(cotangent, g, 2 * pair, k), grid_.read(cotangent, g, 2 * pair + 1, k)},
                {Mode::constant, 0.0}, cut_.y.valid, work->space, plane(grid_.inputs() + k));
    }
    for (Index p = 0; p < fft_.panels(); ++p) {
      for (Index c = 0; c < grid_.inputs(); ++c) fft_.forward(plane(c), p, panel(c));
      for (Index k = 0; k < job_.outputs(); ++k) {
        Complex* output = panel(grid_.inputs());
        fft_.forward(plane(grid_.inputs() + k), p, output);
        for (Index c = 0; c < grid_.inputs(); ++c) {
          kernels::add_conjugate_product(panel(c), output, fft_.panel_columns(p) * fft_.pitch(),
                                         sum(share, p, k, c));
        }
      }
    }
  }

  // Adds up the shares, in order, and transforms back.
  void finish(Index set, Index k, Index c) {
    Lease work(pool_);
    prepare(*work);
    Complex* plane = work->planes.data();
    for (Index p = 0; p < fft_.panels(); ++p) {
      Complex* total = sum(set * shares_, p, k, c);
      for (Index i = 1; i < shares_; ++i) {
        const Complex* share = sum(set * shares_ + i, p, k, c);
        for (Index j = 0; j < fft_.panel_size(); ++j) total[j] += share[j];
      }
      fft_.backward(total, p, plane);
    }
    Image<T> taps({cut_.y.taps, cut_.x.taps});
    fft_.store(plane, {BlockOutput<T>{taps.data(), cut_.y.taps, cut_.x.taps, cut_.x.taps, 1}, {}},
               work->space);
    const double scale = 1.0 / static_cast<double>(fft_.rows() * fft_.columns());
    grid_.for_each_tap(c, [&](Index i, Index j, Index tap) {
      const Index kernel = (set * job_.outputs() + k) * job_.inputs() + c / grid_.parts();
      gradient_.grad.data[kernel * job_.y_axis.taps * job_.x_axis.taps + tap] =
          scale * static_cast<double>(taps.data()[i * cut_.x.taps + j]);
    });
  }

  const KernelGradient<T>& gradient_;
  const Correlation<T>& job_;
  const FftBlocks cut_;
  const FftGrid<T> grid_;
  const PairFft<T> fft_;
  const Index sets_;    // of kernels: one per group, or one
  const Index pairs_;   // of blocks, that add to a set
  const Index shares_;  // of pairs, summed on their own
  Image<Complex> sums_;
  Pool<Workspace> pool_;
};

}  // namespace

template <class T>
void kernel_gradient_fft(const KernelGradient<T>& gradient) {
  FftKernelGradient<T>(gradient).run();
}

template void kernel_gradient_fft(const KernelGradient<float>&);
template void kernel_gradient_fft(const KernelGradient<double>&);

}  // namespace blurfield::detail
