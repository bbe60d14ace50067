// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/autodiff/convolution.h"

#include "blurfield/autodiff/operation.h"
#include "blurfield/ops/sliding_window.h"

namespace blurfield {
namespace {

template <class T>
struct Correlate {
  static constexpr const char* kName = "correlate";
  static constexpr std::array<const char*, 2> kInputs{"image", "kernel"};
  CorrelateOptions options;

  Shape shape(const Inputs<T, 2>& in) const {
    return correlate_shape(in[0].shape, in[1].shape, options);
  }
  void forward(const Inputs<T, 2>& in, const View<T>& out) const {
    correlate<T>(in[0], in[1], out, options);
  }
  void vjp(const Inputs<T, 2>& in, const View<const T>& cotangent,
           const Outputs<T, 2>& grad) const {
    correlate_vjp<T>(in[0], in[1], cotangent, grad[0], grad[1], options);
  }
  void jvp(const Inputs<T, 2>& in, const Inputs<T, 2>& dot, const View<T>& out_dot) const {
    correlate_jvp<T>(in[0], in[1], dot[0], dot[1], out_dot, options);
  }
  Dependence dependence(std::size_t i) const {
    return i == 0 ? on_image(options.extension) : Dependence::linear;
  }
};

template <class T>
struct LocalFilter {
  static constexpr const char* kName = "local_filter";
  static constexpr std::array<const char*, 2> kInputs{"image", "weights"};
  LocalFilterOptions options;

  Shape shape(const Inputs<T, 2>& in) const { return in[0].shape; }
  void forward(const Inputs<T, 2>& in, const View<T>& out) const {
    local_filter<T>(in[0], in[1], out, options);
  }
  void vjp(const Inputs<T, 2>& in, const View<const T>& cotangent,
           const Outputs<T, 2>& grad) const {
    local_filter_vjp<T>(in[0], in[1], cotangent, grad[0], grad[1], options);
  }
  void jvp(const Inputs<T, 2>& in, const Inputs<T, 2>& dot, const View<T>& out_dot) const {
    local_filter_jvp<T>(in[0], in[1], dot[0], dot[1], out_dot, options);
  }
  Dependence dependence(std::size_t i) const {
    return i == 0 ? on_image(options.extension) : Dependence::linear;
  }
};

// im2col and col2im are each other's adjoint, but for cval.
CorrelateOptions linear_part(CorrelateOptions options) {
  options.extension.cval = 0.0;
  return options;
}

template <class T>
struct Im2col {
  static constexpr const char* kName = "im2col";
  static constexpr std::array<const char*, 1> kInputs{"image"};
  std::vector<Index> window;
  CorrelateOptions options;

  Shape shape(const Inputs<T, 1>& in) const { return im2col_shape(in[0].shape, window, options); }
  void forward(const Inputs<T, 1>& in, const View<T>& out) const {
    im2col<T>(in[0], window, out, options);
  }
  void vjp(const Inputs<T, 1>&, const View<const T>& cotangent, const Outputs<T, 1>& grad) const {
    col2im<T>(cotangent, window, grad[0], options);
  }
  void jvp(const Inputs<T, 1>&, const Inputs<T, 1>& dot, const View<T>& out_dot) const {
    im2col<T>(dot[0], window, out_dot, linear_part(options));
  }
  Dependence dependence(std::size_t) const { return on_image(options.extension); }
};

template <class T>
struct Col2im {
  static constexpr const char* kName = "col2im";
  static constexpr std::array<const char*, 1> kInputs{"columns"};
  std::vector<Index> window;
  Shape image;
  CorrelateOptions options;

  Shape shape(const Inputs<T, 1>&) const { return image; }
  void forward(const Inputs<T, 1>& in, const View<T>& out) const {
    col2im<T>(in[0], window, out, options);
  }
  void vjp(const Inputs<T, 1>&, const View<const T>& cotangent, const Outputs<T, 1>& grad) const {
    im2col<T>(cotangent, window, grad[0], linear_part(options));
  }
  void jvp(const Inputs<T, 1>&, const Inputs<T, 1>& dot, const View<T>& out_dot) const {
    forward(dot, out_dot);
  }
  Dependence dependence(std::size_t) const { return Dependence::linear; }
};

}  // namespace

template <class T>
Var<T> correlate(const Var<T>& x, const Var<T>& kernel, const CorrelateOptions& options) {
  return apply_operation(Correlate<T>{options}, std::array{x, kernel});
}

template <class T>
Var<T> local_filter(const Var<T>& x, const Var<T>& weights, const LocalFilterOptions& options) {
  return apply_operation(LocalFilter<T>{options}, std::array{x, weights});
}

template <class T>
Var<T> im2col(const Var<T>& x, const std::vector<Index>& window, const CorrelateOptions& options) {
  return apply_operation(Im2col<T>{window, options}, std::array{x});
}

template <class T>
Var<T> col2im(const Var<T>& columns, const std::vector<Index>& window, const Shape& x,
              const CorrelateOptions& options) {
  return apply_operation(Col2im<T>{window, x, options}, std::array{columns});
}

#define BLURFIELD_INSTANTIATE(T)                                                             \
  template Var<T> correlate(const Var<T>&, const Var<T>&, const CorrelateOptions&);          \
  template Var<T> local_filter(const Var<T>&, const Var<T>&, const LocalFilterOptions&);     \
  template Var<T> im2col(const Var<T>&, const std::vector<Index>&, const CorrelateOptions&); \
  template Var<T> col2im(const Var<T>&, const std::vector<Index>&, const Shape&,             \
                         const CorrelateOptions&)
BLURFIELD_INSTANTIATE(float);
BLURFIELD_INSTANTIATE(double);

}  // namespace blurfield
