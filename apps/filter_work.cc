// SPDX-License-Identifier: BSD-3-Clause
#include "apps/filter_work.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "apps/display.h"
#include "apps/filter_summary.h"
#include "apps/filter_weights.h"
#include "apps/inputs.h"
#include "apps/pixels.h"
#include "apps/progress.h"
#include "apps/stopwatch.h"
#include "apps/text_file.h"

namespace blurfield::app {
namespace {

template <class T>
struct Job {
  explicit Job(const FilterRequest& asked) : request(asked), options(correlate_options(asked)) {}

  const FilterRequest& request;
  CorrelateOptions options;
  FilterSummary summary;
  WeightSums sums;
  Image<T> kernel;  // (kh, kw)
  io::Picture<T> picture;
};

// (pages, channels, H, W) of the result. Throws Error naming the file where it would be empty.
template <class T>
Shape output_shape(const Job<T>& job) {
  try {
    return correlate_shape(job.picture.pixels.shape(), job.kernel.shape(), job.options);
  } catch (const Error& error) {
    throw Error(message(job.request.in, ": ", error.what()));
  }
}

template <class T>
void load(Job<T>& job) {
  const Stopwatch watch;
  const FilterRequest& request = job.request;
  const Image<double> weights = load_weights(request);
  job.sums = sums_of(weights);
  job.kernel = Image<T>(weights.shape());
  std::transform(weights.data(), weights.data() + weights.elements(), job.kernel.data(),
                 [](double w) { return static_cast<T>(w); });
  const View<const T> taps(job.kernel.data(), {1, 1, weights.shape()[0], weights.shape()[1]});
  require_finite<T>(taps, request.weights(), "numbers that fit float32, as the image does");
  if (request.linear_light) require_encoded(job.summary.in);
  job.picture = io::load_picture<T>(request.in);
  job.summary.in = job.picture.info;
  require_finite<T>(job.picture.pixels, request.in);
  job.summary.load_seconds = watch.seconds();
  throw_if_cancelled();
}

// Where the kernel's anchor reads x for output 0 of an axis.
template <class T>
Index anchor_start(const Job<T>& job, int axis) {
  const CorrelateOptions& options = job.options;
  const Index last = job.kernel.shape()[axis] - 1;
  const Index anchor = (last + 1) / 2;
  const Index at = options.flip ? last - anchor : anchor;
  const Index steps = options.output == Output::same    ? 0
                      : options.output == Output::valid ? at
                                                        : at - last;
  return steps * (options.dilation.empty() ? 1 : options.dilation[static_cast<std::size_t>(axis)]);
}

// Alpha of a derivative's result: as it is, taken where the kernel's anchor stands.
template <class T>
void keep_alpha(const Job<T>& job, const View<const T>& x, const View<T>& out) {
  const std::vector<Index>& stride = job.options.stride;
  const Index y_step = stride.empty() ? 1 : stride[0];
  const Index x_step = stride.empty() ? 1 : stride[1];
  const Index y_start = anchor_start(job, 0);
  const Index x_start = anchor_start(job, 1);
  const Index alpha = x.channels() - 1;
  for (Index n = 0; n < out.batch(); ++n) {
    for (Index i = 0; i < out.height(); ++i) {
      const Index from = extend(y_start + i * y_step, x.height(), Mode::nearest);
      for (Index j = 0; j < out.width(); ++j) {
        out.at(n, alpha, i, j) =
            x.at(n, alpha, from, extend(x_start + j * x_step, x.width(), Mode::nearest));
      }
    }
  }
}

// The last channel is alpha. Filtered with the colours, it is divided by the kernel's sum, so that
// what is opaque stays so.
template <class T>
void divide_by_alpha(const View<T>& image, double sum) {
  constexpr double kTransparent = 1e-6;  // below that, rounding
  const View<T> alpha = channels(image, image.channels() - 1, 1);
  transform<T>(alpha, 1, [&](double a) { return a / sum > kTransparent ? a / sum : 0.0; });
  unpremultiply<T>(image);
  transform<T>(alpha, 1, [](double a) { return std::min(a, 1.0); });
}

template <class T>
Image<T> filter(Job<T>& job) {
  const View<T> x = job.picture.pixels;
  const bool alpha = job.picture.alpha;
  const Index colours = x.channels() - (alpha ? 1 : 0);
  const bool averages = alpha && job.sums.positive();
  Image<T> out(output_shape(job));
  const Index filtered = averages ? x.channels() : colours;
  if (alpha) premultiply<T>(x);
  const View<const T> from = channels(x, 0, filtered);
  Progress progress("filter", job.request.common.quiet);
  job.options.execution.progress = progress.callback();
  const Stopwatch watch;
  job.summary.plan = correlate<T>(from, job.kernel, channels(out.view(), 0, filtered), job.options);
  job.summary.filter_seconds = watch.seconds();
  if (averages) {
    divide_by_alpha<T>(out, job.sums.sum);
  } else if (alpha) {
    keep_alpha<T>(job, x, out);
  }
  throw_if_cancelled();
  return out;
}

// The response in the encoding of the input, or as --abs and --signed want it.
template <class T>
Image<T> process(Job<T>& job) {
  const FilterRequest& request = job.request;
  const Index colours = job.picture.pixels.shape()[1] - (job.picture.alpha ? 1 : 0);
  if (request.linear_light) {
    transform<T>(job.picture.pixels, colours, srgb_decode);
    job.options.extension.cval = srgb_decode(job.options.extension.cval);
  }
  Image<T> out = filter(job);
  if (request.linear_light) transform<T>(out, colours, srgb_encode);
  if (request.absolute) transform<T>(out, colours, [](double v) { return std::abs(v); });
  if (request.shifted) {
    const double grey = job.summary.in.white / 2;
    transform<T>(out, colours, [grey](double v) { return grey + v / 2; });
  }
  return out;
}

template <class T>
void run(const FilterRequest& request, const io::Info& info, io::SaveOptions saving) {
  Job<T> job(request);
  job.summary.in = info;
  job.summary.out_sample = saving.sample;
  job.summary.threads = thread_limit(job.options.execution);
  load(job);
  job.summary.kernel = job.kernel.shape();
  const Image<T> out = process(job);
  job.summary.out = out.shape();
  const Stopwatch watch;
  saving.alpha = job.picture.alpha;
  saving.metadata = job.picture.metadata;
  io::save<T>(request.out, out, saving);
  job.summary.save_seconds = watch.seconds();
  if (request.common.json) {
    print(summary_json(request, job.summary));
  } else if (!request.common.quiet) {
    print(summary_line(request, job.summary));
  }
}

}  // namespace

CorrelateOptions correlate_options(const FilterRequest& request) {
  CorrelateOptions options;
  options.extension = {*parse_mode(request.mode), request.cval};
  options.output = *parse_output(request.output);
  options.stride = request.stride;
  options.dilation = request.dilation;
  options.flip = !request.kernel.empty() && !request.correlate;  // the bank is to be correlated
  options.method = *parse_method(request.method);
  options.execution.threads = request.common.threads;
  return options;
}

void filter_file(const FilterRequest& request) {
  const io::Info info = io::probe(request.in);
  const io::SaveOptions saving =
      prepare_saving(request.out, request.bit_depth, request.force, info);
  if (needs_double(info.sample)) {
    run<double>(request, info, saving);
  } else {
    run<float>(request, info, saving);
  }
}

void make_bank(const FilterRequest& request) {
  io::SaveOptions saving;
  saving.overwrite = request.force;
  require_new(request.bank, request.force);
  io::check_can_save(request.bank, saving, 3, 1);
  const io::Picture<float> picture = io::load_picture<float>(request.in);
  const io::Info& info = picture.info;
  require_finite<float>(picture.pixels, request.in);
  report::Range range = display_range<float>(picture.pixels, io::is_float(info.sample), info.white);
  const Image<float> shown = displayed<float>(picture.pixels, picture.alpha, range);
  if (!(range.high > range.low)) range.high = range.low + 1;  // as displayed takes it
  Progress progress("filter", request.common.quiet);
  Execution execution;
  execution.threads = request.common.threads;
  execution.progress = progress.callback();
  const Montage montage = make_montage(
      request, std::filesystem::path(request.in).filename().string(), shown, range, execution);
  io::save<float>(request.bank, montage.sheet, saving);
  if (request.common.json) {
    print(montage_json(request, montage));
  } else if (!request.common.quiet) {
    print(montage_line(request, montage));
  }
}

}  // namespace blurfield::app
