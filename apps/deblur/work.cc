// SPDX-License-Identifier: BSD-3-Clause
#include "apps/deblur/work.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "apps/deblur/inputs.h"
#include "apps/deblur/judge.h"
#include "apps/deblur/model.h"
#include "apps/deblur/page.h"
#include "apps/deblur/summary.h"
#include "apps/inputs.h"
#include "apps/pixels.h"
#include "apps/progress.h"
#include "apps/text_file.h"

namespace blurfield::app {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// Shows how the work goes, keeps its trace, and passes signals on to it.
class Watch {
 public:
  Watch(const DeblurRequest& request, std::optional<Judge>& judge, Trace& trace)
      : bar_("deblur", request.common.quiet), judge_(judge), trace_(trace) {}

  template <class T>
  bool step(const DeblurStep<T>& step) {
    trace_.rows.push_back({static_cast<double>(step.iteration), step.value, step.lambda,
                           step.residual, step.change, step.seconds});
    std::string note = fmt::format("iteration {}, objective {:.4g}, lambda {:.3g}", step.iteration,
                                   step.value, step.lambda);
    if (judge_) {
      const Quality quality = judge_->quality<T>(step.image, false);
      trace_.rows.back().insert(trace_.rows.back().end(),
                                {quality.psnr, quality.ssim.value_or(kNone)});
      note += fmt::format(", {:.2f} dB", quality.psnr);
    }
    bar_.tell(fmt::format("{}, {:.0f} s", note, watch_.seconds()));
    return cancelling_signal() == 0;
  }

 private:
  Progress bar_;
  Stopwatch watch_;
  std::optional<Judge>& judge_;
  Trace& trace_;
};

// What quantised frequencies leave at usual qualities: less shows in flat parts, which a blurred
// image is full of.
double compression_noise(const io::Info& info) {
  constexpr double kLossy = 1.25 / 255;
  return info.format == "jpeg" || info.format == "webp" ? kLossy : 0.0;
}

// What was loaded, and what comes of it.
template <class T>
struct Job {
  const DeblurRequest& request;
  io::SaveOptions saving;
  DeblurSummary summary;
  Frame<T> frame;
  KnownBlur<T> blur;
  std::unique_ptr<BlurOperator<T>> seen;  // the blur as the frame saw it
  Image<double> reference;
  std::optional<Judge> judge;
};

template <class T>
void load(Job<T>& job) {
  const Stopwatch watch;
  const DeblurRequest& request = job.request;
  DeblurSummary& summary = job.summary;
  job.frame = load_frame<T>(request);
  if (!job.frame.weight.empty() && closed_form(request.settings.method)) {
    throw Error(message(request.in, ": --method ", deblur_method_name(request.settings.method),
                        " cannot leave pixels out, and ", job.frame.left_out,
                        " are masked, not finite or transparent"));
  }
  summary.in = job.frame.picture.info;
  summary.left_out = job.frame.left_out;
  job.blur = load_blur<T>(request, summary.in, job.frame.y.shape());
  summary.accuracy = job.blur.accuracy;
  job.seen = frame_operator<T>(request, job.blur, job.frame.y.shape());
  Shape out = job.frame.y.shape();
  for (const int axis : {2, 3}) out[axis] *= request.upscale;
  job.reference = load_reference(request, out);
  if (!job.reference.empty()) {
    const bool integers = !io::is_float(job.saving.sample) && !summary.in.physical;
    job.judge.emplace(request, job.reference, integers,
                      io::is_float(summary.in.sample) ? 0.0 : summary.in.white);
    summary.data_range = job.judge->data_range();
    summary.before =
        job.judge->template quality<T>(enlarged<T>(job.frame.y, request.upscale), true);
  }
  summary.load_seconds = watch.seconds();
  throw_if_cancelled();
}

template <class T>
Deblurred<T> solve(Job<T>& job) {
  const Stopwatch watch;
  const DeblurRequest& request = job.request;
  DeblurSummary& summary = job.summary;
  summary.trace.columns = {"iteration", "value", "lambda", "residual", "change", "seconds"};
  if (job.judge) summary.trace.columns.insert(summary.trace.columns.end(), {"psnr", "ssim"});
  Watch watcher(request, job.judge, summary.trace);
  DeblurOptions<T> options;
  static_cast<DeblurSettings&>(options) = request.settings;
  options.threads = request.common.threads;
  options.least_noise = std::max(rounding_noise(summary.in), compression_noise(summary.in));
  options.callback = [&](const DeblurStep<T>& step) { return watcher.step(step); };
  Deblurred<T> found =
      deblur<T>(*job.seen, job.frame.y, options,
                job.frame.weight.empty() ? View<const T>{} : job.frame.weight.view());
  summary.deblur_seconds = watch.seconds();
  summary.method = found.method;
  summary.noise = found.noise;
  summary.lambda = found.lambda;
  summary.prior_scale = found.prior_scale;
  summary.residual = found.residual;
  summary.freedom = found.freedom;
  summary.why = found.why;
  if (summary.accuracy.tolerance > 0) {
    summary.why.push_back(fmt::format("Gaussians to a tolerance of {} ({})",
                                      summary.accuracy.tolerance, summary.accuracy.why));
  }
  summary.warnings = found.warnings;
  for (const std::string& warning : summary.warnings) {
    fmt::print(stderr, "blurfield: warning: {}: {}\n", request.in, warning);
  }
  summary.result = found.result;
  if (job.judge) summary.after = job.judge->template quality<T>(found.image, true);
  return found;
}

// The image as it is saved: encoded like IN, with its alpha.
template <class T>
Image<T> assembled(const Job<T>& job, const View<const T>& found) {
  const io::Picture<T>& picture = job.frame.picture;
  const Index colours = found.channels();
  Shape shape = found.shape;
  if (picture.alpha) ++shape[1];
  Image<T> out(shape);
  const View<T> part = channels(out.view(), 0, colours);
  copy<T>(found, part);
  encode<T>(job.request, part);
  if (picture.alpha) {
    const View<const T> alpha = channels<const T>(picture.pixels, colours, 1);
    copy<T>(enlarged<T>(alpha, job.request.upscale), channels(out.view(), colours, 1));
  }
  return out;
}

template <class T>
void save_all(Job<T>& job, const View<const T>& out) {
  const Stopwatch watch;
  const DeblurRequest& request = job.request;
  io::SaveOptions saving = job.saving;
  saving.alpha = job.frame.picture.alpha;
  saving.metadata = job.frame.picture.metadata;
  io::save<T>(request.out, out, saving);
  if (!request.trace.empty()) {
    write_text_file(request.trace, trace_csv(job.summary.trace), request.force);
  }
  job.summary.save_seconds = watch.seconds();
  if (request.report.empty()) return;
  write_text_file(request.report,
                  report_page<T>(request, job.summary, {job.frame, job.blur, job.reference, out}),
                  request.force);
}

template <class T>
void run(const DeblurRequest& request, const io::SaveOptions& saving) {
  Job<T> job{request, saving, {}, {}, {}, {}, {}, {}};
  job.summary.out_sample = saving.sample;
  job.summary.threads = thread_limit({request.common.threads, {}});
  load(job);
  const Deblurred<T> found = solve(job);
  save_all<T>(job, assembled<T>(job, found.image));
  if (request.common.json) {
    print(summary_json(request, job.summary));
  } else if (!request.common.quiet) {
    print(summary_text(request, job.summary));
  }
  if (found.result.stop == Stop::cancelled) {
    throw Cancelled(message("cancelled after ", found.result.iterations,
                            " iteration(s): ", request.out, " holds the best scene so far"));
  }
}

}  // namespace

void deblur_file(const DeblurRequest& request) {
  const io::Info info = io::probe(request.in);
  const io::SaveOptions saving =
      prepare_saving(request.out, request.bit_depth, request.force, info);
  for (const std::string& file : {request.trace, request.report}) {
    if (!file.empty()) check_can_write(file, request.force);
  }
  if (needs_double(info.sample)) {
    run<double>(request, saving);
  } else {
    run<float>(request, saving);
  }
}

}  // namespace blurfield::app
