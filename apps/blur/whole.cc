// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur/whole.h"

#include "apps/blur/encoding.h"
#include "apps/inputs.h"
#include "apps/pixels.h"
#include "apps/progress.h"
#include "apps/stopwatch.h"
#include "apps/text_file.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield::app {
namespace {

template <class T>
struct Job {
  const BlurRequest& request;
  BlurSummary& summary;
  io::Picture<T> picture;
  std::vector<double> gaussian;  // of a uniform blur
  Image<T> field;                // of an adaptive one
  Image<T> mask;
  AdaptiveBlurOptions options;
};

template <class T>
void load(Job<T>& job) {
  const Stopwatch watch;
  const BlurRequest& request = job.request;
  job.gaussian = uniform_gaussian(request.gaussian);
  job.field = load_field<T>(request.gaussian, job.summary.in);
  job.mask = load_mask<T>(request.mask, job.summary.in);
  job.picture = io::load_picture<T>(request.in);
  job.summary.in = job.picture.info;
  if (job.mask.empty()) {
    require_finite<T>(job.picture.pixels, request.in, "finite pixels (or --mask)");
  }
  job.summary.load_seconds = watch.seconds();
  throw_if_cancelled();
}

template <class T>
BlurReport plan(const Job<T>& job, const Shape& shape) {
  return job.field.empty() ? uniform_blur_plan<T>(shape, job.gaussian, job.options)
                           : adaptive_blur_plan<T>(shape, job.field, job.options);
}

// How accurate the blur is to be, and whether it is to be at all.
template <class T>
void choose(Job<T>& job) {
  BlurSummary& summary = job.summary;
  Shape shape = job.picture.pixels.shape();
  if (!job.mask.empty()) ++shape[1];
  summary.taps = job.field.empty() ? uniform_blur_taps(shape, job.gaussian, job.options)
                                   : adaptive_blur_taps<T>(shape, job.field, job.options);
  job.options.tolerance = tolerance_to_plan(job.request, summary.in);
  const BlurReport planned = plan(job, shape);
  summary.accuracy = choose_accuracy(job.request, summary.in, planned);
  job.options.tolerance = summary.accuracy.tolerance;
  require_affordable(job.request, summary.taps, planned, job.options.tolerance, summary.threads);
}

template <class T>
Image<T> blur(Job<T>& job, const Image<T>& x) {
  Image<T> out(x.shape());
  Progress progress("blur", job.request.common.quiet);
  job.options.execution.progress = progress.callback();
  const Stopwatch watch;
  job.summary.report = job.field.empty() ? uniform_blur<T>(x, job.gaussian, out, job.options)
                                         : adaptive_blur<T>(x, job.field, out, job.options);
  job.summary.blur_seconds = watch.seconds();
  throw_if_cancelled();
  return out;
}

// The blurred pixels in the encoding of the input.
template <class T>
Image<T> process(Job<T>& job) {
  Encoding<T> encoding(job.request, job.picture.pixels.shape(), job.picture.alpha);
  job.options.extension.cval = encoding.decode_cval(job.options.extension.cval);
  Image<T> x(job.picture.pixels.view());
  encoding.decode(x);
  if (!job.mask.empty()) {
    const Image<T> weighed = blur(job, weigh<T>(x, job.mask));
    divide_by_weight<T>(weighed, Image<T>(x.view()), job.options.tolerance, x);
  } else {
    x = blur(job, x);
  }
  encoding.encode(x);
  return x;
}

}  // namespace

double bytes_in_memory(const BlurRequest& request, const io::Info& in) {
  const bool masked = !request.mask.empty();
  const auto channels = static_cast<double>(in.channels * in.pages);
  // The picture, a copy and the result; products with the weights and their blur; the maps.
  double planes = 3 * channels;
  if (masked) planes += 2 * (channels + static_cast<double>(in.pages)) + 1;
  if (!request.gaussian.logchol_map.empty()) planes += 3;
  if (!request.gaussian.sigma_map.empty()) planes += 1;
  const double element = needs_double(in.sample) ? sizeof(double) : sizeof(float);
  return planes * element * static_cast<double>(in.width) * static_cast<double>(in.height);
}

template <class T>
void blur_whole(const BlurRequest& request, const io::SaveOptions& saving, BlurSummary& summary) {
  Job<T> job{request, summary, {}, {}, {}, {}, reach_options(request.gaussian, summary.threads)};
  job.options.extension = {*parse_mode(request.mode), request.cval};
  load(job);
  choose(job);
  const Image<T> out = process(job);
  const Stopwatch watch;
  io::SaveOptions options = saving;
  options.alpha = job.picture.alpha;
  options.metadata = job.picture.metadata;
  io::save<T>(request.out, out, options);
  summary.save_seconds = watch.seconds();
  if (request.report.empty()) return;
  const View<const T> field = job.field.empty() ? View<const T>{} : job.field.view();
  write_text_file(
      request.report,
      report_page<T>(request, summary, {job.picture.pixels, field, out, job.picture.alpha, 1}),
      request.force);
}

template void blur_whole<float>(const BlurRequest&, const io::SaveOptions&, BlurSummary&);
template void blur_whole<double>(const BlurRequest&, const io::SaveOptions&, BlurSummary&);

}  // namespace blurfield::app
