// SPDX-License-Identifier: BSD-3-Clause
#include "apps/estimate/work.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "apps/estimate/inputs.h"
#include "apps/estimate/page.h"
#include "apps/estimate/summary.h"
#include "apps/inputs.h"
#include "apps/progress.h"
#include "apps/stopwatch.h"
#include "apps/text_file.h"

namespace blurfield::app {
namespace {

// Shows how the search goes, and passes signals on to it.
class Watch {
 public:
  explicit Watch(const EstimateRequest& request)
      : bar_("estimate", request.common.quiet), limit_(request.options.max_iterations) {}

  // During an operation; returns whether to go on.
  bool tick() {
    bar_.draw(done_, fmt::format("{}, {:.0f} s", note_, watch_.seconds()));
    return cancelling_signal() == 0;
  }

  bool step(const EstimateStep& step) {
    done_ = static_cast<double>(step.iteration) / static_cast<double>(limit_);
    note_ =
        fmt::format("iteration {} of at most {}, loss {:.4g}", step.iteration, limit_, step.loss);
    return tick();
  }

 private:
  Progress bar_;
  Stopwatch watch_;
  int limit_;
  double done_ = 0;
  std::string note_ = "looking for a start";
};

// One value per parameter spread over the image; a field remains.
template <class T>
Image<T> over_image(Image<T> field, const Shape& image) {
  const Shape small = field.shape();
  if (small[2] == image[2] && small[3] == image[3]) return field;
  Image<T> out({small[0], small[1], image[2], image[3]});
  const Index plane = image[2] * image[3];
  for (Index i = 0; i < small[0] * small[1]; ++i) {
    std::fill_n(out.data() + i * plane, plane, field.data()[i]);
  }
  return out;
}

io::SaveOptions map_saving(io::Sample sample, bool overwrite) {
  io::SaveOptions saving;
  saving.sample = sample;
  saving.overwrite = overwrite;
  return saving;
}

io::SaveOptions confidence_saving(const EstimateRequest& request) {
  return map_saving(holds_integers_only(request.confidence) ? io::Sample::u8 : io::Sample::f32,
                    request.force);
}

// Every error that writing would throw.
void check_outputs(const EstimateRequest& request, io::Sample sample) {
  const BlurModel model = request.options.model;
  const Index channels = model == BlurModel::sigma_yx ? 2 : model == BlurModel::logchol ? 3 : 1;
  if (holds_integers_only(request.out)) {
    throw Error(message(request.out, ": a field is of ", io::sample_name(sample),
                        " samples: expected a name in .tif or .fits"));
  }
  require_new(request.out, request.force);
  io::check_can_save(request.out, map_saving(sample, request.force), channels, 1);
  if (!request.confidence.empty()) {
    require_new(request.confidence, request.force);
    io::check_can_save(request.confidence, confidence_saving(request), 1, 1);
  }
  if (!request.trace.empty()) check_can_write(request.trace, request.force);
  if (!request.report.empty()) check_can_write(request.report, request.force);
}

template <class T>
Estimate<T> search(const EstimateRequest& request, const ImagePair<T>& pair) {
  Watch watch(request);
  EstimateOptions options = request.options;
  options.blur.execution.threads = request.common.threads;
  options.blur.execution.progress = [&](double) { return watch.tick(); };
  options.least_noise = rounding_noise(pair.blurred_info);
  options.callback = [&](const EstimateStep& step) { return watch.step(step); };
  Estimate<T> found = estimate<T>(pair.sharp, pair.blurred, options,
                                  pair.mask.empty() ? View<const T>{} : pair.mask.view());
  found.field = over_image(std::move(found.field), pair.sharp.shape());
  return found;
}

template <class T>
void save_all(const EstimateRequest& request, const ImagePair<T>& pair, const Estimate<T>& found,
              EstimateSummary& summary) {
  const Stopwatch watch;
  io::save<T>(request.out, found.field, map_saving(summary.out_sample, request.force));
  if (!request.confidence.empty()) {
    io::save<T>(request.confidence, found.confidence, confidence_saving(request));
  }
  if (!request.trace.empty()) {
    write_text_file(request.trace, trace_csv(summary.trace), request.force);
  }
  summary.save_seconds = watch.seconds();
  if (!request.report.empty()) {
    write_text_file(request.report, report_page<T>(request, summary, pair, found), request.force);
  }
}

template <class T>
void run(const EstimateRequest& request) {
  EstimateSummary summary;
  summary.out_sample = std::is_same_v<T, double> ? io::Sample::f64 : io::Sample::f32;
  summary.threads = thread_limit({request.common.threads, {}});
  check_outputs(request, summary.out_sample);
  const Stopwatch loading;
  const ImagePair<T> pair = load_pair<T>(request);
  summary.load_seconds = loading.seconds();
  summary.sharp = pair.sharp_info;
  summary.blurred = pair.blurred_info;
  summary.channels = pair.sharp.shape()[1];
  summary.warnings = pair.warnings;
  for (const std::string& warning : summary.warnings) {
    fmt::print(stderr, "blurfield: warning: {}\n", warning);
  }
  throw_if_cancelled();

  const Stopwatch searching;
  const Estimate<T> found = search(request, pair);
  summary.estimate_seconds = searching.seconds();
  summary.spreads = spreads_of<T>(request.options.model, found.field, found.confidence);
  summary.sigmas = found.sigmas;
  summary.noise = found.noise;
  summary.lambda = found.lambda;
  summary.loss = found.loss;
  summary.known = found.known;
  summary.result = found.result;
  summary.trace = trace_of(found.trace);
  save_all(request, pair, found, summary);
  if (request.common.json) {
    print(summary_json(request, summary));
  } else if (!request.common.quiet) {
    print(summary_text(request, summary));
  }
  if (found.result.stop == Stop::cancelled) {
    throw Cancelled(message("cancelled after ", found.result.iterations,
                            " iteration(s): ", request.out, " holds the best field so far"));
  }
}

}  // namespace

void estimate_files(const EstimateRequest& request) {
  const io::Info sharp = io::probe(request.sharp);
  const io::Info blurred = io::probe(request.blurred);
  if (needs_double(sharp.sample) || needs_double(blurred.sample)) {
    run<double>(request);
  } else {
    run<float>(request);
  }
}

}  // namespace blurfield::app
