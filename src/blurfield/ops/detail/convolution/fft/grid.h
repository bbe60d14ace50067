// SPDX-License-Identifier: BSD-3-Clause
// Where the blocks of blocks.h lie in the arrays of a correlation.
#pragma once

#include <algorithm>

#include "blurfield/ops/detail/convolution/fft/blocks.h"
#include "blurfield/ops/detail/convolution/fft/pair.h"
#include "blurfield/ops/detail/convolution/phases.h"

namespace blurfield::detail {

// One axis of a block: the outputs of a phase from `begin` on.
struct FftBlockAxis {
  AxisPhase phase;
  Index begin = 0;
  Index count = 0;   // of outputs, may be 0
  Index window = 0;  // pixels read of every part

  FftBlockAxis() = default;
  FftBlockAxis(const CorrelationAxis& axis, const FftAxis& cut, Index p, Index block)
      : phase(axis_phase(axis, p)),
        begin(block * cut.valid),
        count(std::clamp<Index>(phase.count - begin, 0, cut.valid)),
        window(cut.window()) {}

  Positions inputs(Index part) const {
    return phase.positions(begin * phase.stride + part, window, phase.stride);
  }
  Positions outputs() const { return {phase.first + begin * phase.step, phase.step, count}; }
};

template <class T>
class FftGrid {
 public:
  FftGrid(const Correlation<T>& job, const FftBlocks& cut) : job_(job), cut_(cut) {}

  // Of a group, parts included: part (y, x) of channel c is (c parts_y + y) parts_x + x.
  Index parts() const { return cut_.y.parts * cut_.x.parts; }
  Index inputs() const { return job_.inputs() * parts(); }

  // The taps of an input's part.
  BlockInput<T> kernel(const View<const T>& kernels, Index set, Index k, Index channel) const {
    const Index taps = job_.y_axis.taps * job_.x_axis.taps;
    Plane<T> plane;
    plane.data =
        kernels.data + ((set * job_.outputs() + k) * job_.inputs() + channel / parts()) * taps;
    plane.height = job_.y_axis.taps;
    plane.width = plane.y_stride = job_.x_axis.taps;
    return {plane,
            {y_part(channel), axis_phase(job_.y_axis, 0).stride, cut_.y.taps},
            {x_part(channel), axis_phase(job_.x_axis, 0).stride, cut_.x.taps}};
  }
  // visit(i, j, tap) for the taps of an input's part: (i, j) of the part is number `tap` of all.
  template <class Visit>
  void for_each_tap(Index channel, const Visit& visit) const {
    const Index y_step = axis_phase(job_.y_axis, 0).stride;
    const Index x_step = axis_phase(job_.x_axis, 0).stride;
    for (Index y = y_part(channel); y < job_.y_axis.taps; y += y_step) {
      for (Index x = x_part(channel); x < job_.x_axis.taps; x += x_step) {
        visit(y / y_step, x / x_step, y * job_.x_axis.taps + x);
      }
    }
  }
  // What block `index` of group g reads of an input; nothing beyond the last block.
  BlockInput<T> input(Index g, Index index, Index channel) const {
    Block block;
    if (!find(index, block)) return {};
    return {Plane<T>(job_.x, block.n, g * job_.inputs() + channel / parts()),
            block.y.inputs(y_part(channel)), block.x.inputs(x_part(channel))};
  }
  // Its own pixels of an output, or of an array of its shape.
  BlockInput<T> read(const View<const T>& out, Index g, Index index, Index k) const {
    Block block;
    if (!find(index, block)) return {};
    return {Plane<T>(out, block.n, g * job_.outputs() + k), block.y.outputs(), block.x.outputs()};
  }
  BlockOutput<T> write(Index g, Index index, Index k) const {
    Block block;
    if (!find(index, block)) return {};
    const View<T>& out = job_.out;
    const Positions ys = block.y.outputs();
    const Positions xs = block.x.outputs();
    return {out.row(block.n, g * job_.outputs() + k, ys.first) + xs.first * out.x_stride(),
            ys.count, xs.count, ys.step * out.y_stride(), xs.step * out.x_stride()};
  }

 private:
  Index y_part(Index channel) const { return channel % parts() / cut_.x.parts; }
  Index x_part(Index channel) const { return channel % cut_.x.parts; }

  struct Block {
    Index n = 0;
    FftBlockAxis y;
    FftBlockAxis x;
  };
  // Pairs stay within an image: two images of very different brightness would share their rounding.
  bool find(Index index, Block& block) const {
    const Index blocks = cut_.x.blocks * cut_.y.blocks * cut_.x.phases * cut_.y.phases;
    const Index paired = blocks + blocks % 2;
    block.n = index / paired;
    index %= paired;
    if (index >= blocks) return false;
    const auto next = [&index](Index count) {
      const Index i = index % count;
      index /= count;
      return i;
    };
    const Index column = next(cut_.x.blocks);
    const Index row = next(cut_.y.blocks);
    const Index x_phase = next(cut_.x.phases);
    const Index y_phase = next(cut_.y.phases);
    block.y = FftBlockAxis(job_.y_axis, cut_.y, y_phase, row);
    block.x = FftBlockAxis(job_.x_axis, cut_.x, x_phase, column);
    return true;
  }

  const Correlation<T>& job_;
  const FftBlocks& cut_;
};

}  // namespace blurfield::detail
