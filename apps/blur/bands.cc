// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur/bands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "apps/blur/band_plan.h"
#include "apps/blur/encoding.h"
#include "apps/blur/row_window.h"
#include "apps/blur/shrunk.h"
#include "apps/blur/survey.h"
#include "apps/inputs.h"
#include "apps/progress.h"
#include "apps/stopwatch.h"
#include "apps/text_file.h"
#include "blurfield/io/rows/row_writer.h"
#include "blurfield/ops/uniform_blur.h"

namespace blurfield::app {
namespace {

constexpr Index kAtOnce = 64;      // rows that are read and looked at together
constexpr Index kFileRows = 1024;  // that decoders and encoders may hold

// "1.5G", rounded up.
std::string bytes_text(double bytes) {
  const auto [factor, unit] = bytes >= 1e9   ? std::pair(1e9, "G")
                              : bytes >= 1e6 ? std::pair(1e6, "M")
                                             : std::pair(1e3, "K");
  return fmt::format("{}{}", std::ceil(10 * bytes / factor) / 10, unit);
}

Index wrapped(Index y, Index height) { return (y % height + height) % height; }

// What a uniform blur of the whole image does, and its bands with it.
BlurMethod method_of(const BlurReport& whole) {
  if (whole.exact > 0) return BlurMethod::exact;
  return whole.residual > 0 ? BlurMethod::residual : BlurMethod::stack;
}

template <class T>
class Job {
 public:
  Job(const BlurRequest& request, double memory, BandInputs<T>& inputs, BlurSummary& summary)
      : request_(request),
        memory_(memory),
        inputs_(inputs),
        summary_(summary),
        shape_(inputs.image->shape()),
        encoding_(request, shape_, inputs.image->header().alpha),
        gaussian_(uniform_gaussian(request.gaussian)),
        options_(reach_options(request.gaussian, summary.threads)),
        blurred_channels_(shape_[1] + (inputs.mask ? 1 : 0)) {
    options_.extension = {*parse_mode(request.mode), encoding_.decode_cval(request.cval)};
    if (!request.report.empty()) {
      before_.emplace(shape_);
      after_.emplace(shape_);
      if (inputs.map) drawn_.emplace(inputs.map->shape());
    }
  }

  void plan();
  void run(const io::SaveOptions& saving);
  void write_report() const;

 private:
  void cut(const Survey& found);
  double row_bytes(Index planes) const {
    return static_cast<double>(planes * shape_[3]) * sizeof(T);
  }
  Index map_channels() const { return inputs_.map ? inputs_.map->shape()[1] : 0; }
  void allocate();
  void read_image(Index page, const Band& band);
  void read_chunk(Index page, Index from, const View<T>& plain, const View<T>& blurred);
  View<const T> read_field(const Band& band);
  void fill_around(const Band& band);
  void read_field_rows(Index y, const View<T>& rows);
  void blur(const View<const T>& field);
  View<const T> result(Index page, const Band& band);

  const BlurRequest& request_;
  double memory_;
  BandInputs<T>& inputs_;
  BlurSummary& summary_;
  Shape shape_;  // of the image
  Encoding<T> encoding_;
  std::vector<double> gaussian_;
  AdaptiveBlurOptions options_;
  Index blurred_channels_;
  BandPlan bands_;

  RowWindow<T> blurred_;  // what is blurred: the image, or with a mask weights and products
  RowWindow<T> plain_;    // with a mask, the image
  RowWindow<T> field_;
  Image<T> out_;
  std::optional<Shrunk<T>> before_, after_, drawn_;  // for the page
};

// Looks at the map, and decides how accurate the blur is.
template <class T>
void Job<T>::plan() {
  const Stopwatch watch;
  Shape blurred = shape_;
  blurred[1] = blurred_channels_;
  const double map_row = row_bytes(std::max<Index>(1, map_channels()));
  const auto tiles =
      std::clamp(static_cast<Index>(memory_ / 8 / map_row) / kTile, Index{5}, Index{20});
  options_.tolerance = tolerance_to_plan(request_, summary_.in);
  const Survey found = survey<T>(request_, inputs_, gaussian_, blurred, tiles * kTile, options_);
  summary_.taps = found.taps;
  summary_.accuracy = choose_accuracy(request_, summary_.in, found.plan);
  if (summary_.accuracy.tolerance > 0) summary_.report = found.plan;
  options_.tolerance = found.plan.truncated ? 0 : summary_.accuracy.tolerance;
  if (!inputs_.map) options_.method = method_of(found.plan);
  require_affordable(request_, found.taps, found.plan, options_.tolerance, summary_.threads);
  cut(found);
  summary_.load_seconds = watch.seconds();
}

// As many rows at a time as fit.
template <class T>
void Job<T>::cut(const Survey& found) {
  const auto bytes = [&](Index rows) {
    const Index planes = 2 * blurred_channels_ + (inputs_.mask ? shape_[1] : 0) + map_channels();
    const auto file_rows = static_cast<double>(std::min(kFileRows, shape_[2]));
    return file_rows * row_bytes(shape_[1] + map_channels()) +
           static_cast<double>(rows) * row_bytes(planes) + found.work_bytes(rows);
  };
  bands_ = BandPlan::of<T>(shape_[2], found.sigma, options_);
  Index fits = bands_.least_rows();
  if (bytes(fits) > memory_) {
    throw Error(
        fmt::format("{}: expected --memory {} or more for rows of {} pixels, {} at a time, got {}",
                    request_.in, bytes_text(bytes(fits)), shape_[3], fits, bytes_text(memory_)));
  }
  for (Index no_more = shape_[2] + 1; no_more - fits > 1;) {
    const Index rows = (fits + no_more) / 2;
    (bytes(rows) <= memory_ ? fits : no_more) = rows;
  }
  bands_.set_rows(fits);
  summary_.bands = bands_.count();
  summary_.band_rows = bands_.core();
  summary_.memory = memory_;
}

template <class T>
void Job<T>::allocate() {
  const Index rows = bands_.rows();
  const Index width = shape_[3];
  blurred_ = RowWindow<T>(blurred_channels_, rows, width);
  if (inputs_.mask) plain_ = RowWindow<T>(shape_[1], rows, width);
  if (inputs_.map) field_ = RowWindow<T>(map_channels(), rows, width);
  out_ = Image<T>::uninitialised({1, blurred_channels_, rows, width});
}

// Rows from.. of the file into what is blurred.
template <class T>
void Job<T>::read_chunk(Index page, Index from, const View<T>& plain, const View<T>& blurred) {
  const Part part{page, from, shape_};
  inputs_.image->read(page, from, plain);
  if (!inputs_.mask) require_finite<T>(plain, request_.in, "finite pixels (or --mask)", part);
  if (before_ && page == 0) before_->add(from, plain);
  encoding_.decode(plain);
  if (!inputs_.mask) return;
  Image<T> mask({1, 1, plain.height(), plain.width()});
  inputs_.mask->read(0, from, mask);
  require_weights<T>(mask, request_.mask, {0, from, inputs_.mask->shape()});
  copy<T>(weigh<T>(plain, mask), blurred);
}

template <class T>
void Job<T>::read_image(Index page, const Band& band) {
  const Stopwatch watch;
  blurred_.move(band.first, band.end);
  if (inputs_.mask) plain_.move(band.first, band.end);
  for (Index y = blurred_.first_missing(); y < band.end;) {
    const Index from = wrapped(y, shape_[2]);
    const Index count = std::min({kAtOnce, band.end - y, shape_[2] - from});
    const View<T> blurred = blurred_.rows(y, count);
    read_chunk(page, from, inputs_.mask ? plain_.rows(y, count) : blurred, blurred);
    throw_if_cancelled();
    y += count;
  }
  summary_.load_seconds += watch.seconds();
}

template <class T>
void Job<T>::read_field_rows(Index y, const View<T>& rows) {
  for (Index done = 0; done < rows.height();) {
    const Index from = wrapped(y + done, shape_[2]);
    View<T> part = rows;
    part.data = rows.row(0, 0, done);
    part.shape[2] = std::min({kAtOnce, rows.height() - done, shape_[2] - from});
    inputs_.map->read(0, from, part);
    make_field<T>(request_.gaussian, part, {0, from, inputs_.map->shape()});
    if (drawn_) drawn_->add(from, part);
    throw_if_cancelled();
    done += part.height();
  }
}

// Gaussians beyond the band's result change nothing if they gather: the narrowest cost least.
template <class T>
void Job<T>::fill_around(const Band& band) {
  const bool logchol = map_channels() == 3;
  const View<T> all = field_.all();
  for (Index c = 0; c < all.channels(); ++c) {
    const T narrow = !logchol ? T(0.1) : c == 1 ? T{0} : static_cast<T>(std::log(0.1));
    for (Index y = band.first; y < band.end; ++y) {
      if (y >= band.top && y < band.bottom) continue;
      T* row = all.row(0, c, y - band.first);
      if (y >= band.bottom && y / kTile == (band.bottom - 1) / kTile) {
        // The tile that the frame's last row lies in is the whole image's.
        std::copy_n(all.row(0, c, band.bottom - 1 - band.first), all.width(), row);
      } else {
        std::fill_n(row, all.width(), narrow);
      }
    }
  }
}

template <class T>
View<const T> Job<T>::read_field(const Band& band) {
  if (!inputs_.map) return {};
  const Stopwatch watch;
  field_.move(band.first, band.end);
  if (options_.scatter) {
    const Index y = field_.first_missing();
    if (y < band.end) read_field_rows(y, field_.rows(y, band.end - y));
  } else {
    read_field_rows(band.top, field_.rows(band.top, band.bottom - band.top));
    fill_around(band);
  }
  summary_.load_seconds += watch.seconds();
  return field_.all();
}

template <class T>
void Job<T>::blur(const View<const T>& field) {
  const Stopwatch watch;
  View<T> out = out_;
  out.shape[2] = blurred_.end() - blurred_.first();
  const View<const T> x = blurred_.all();
  const BlurReport report = field.empty() ? uniform_blur<T>(x, gaussian_, out, options_)
                                          : adaptive_blur<T>(x, field, out, options_);
  BlurReport& told = summary_.report;
  told.bytes = std::max(told.bytes, report.bytes);
  if (options_.tolerance == 0) told.error_bound = std::max(told.error_bound, report.error_bound);
  summary_.blur_seconds += watch.seconds();
  throw_if_cancelled();
}

// The band's result in the encoding of the file.
template <class T>
View<const T> Job<T>::result(Index page, const Band& band) {
  View<T> out = out_;
  out.data = out.row(0, 0, band.top - band.first);
  out.shape[2] = band.bottom - band.top;
  if (inputs_.mask) {
    const View<T> colours = channels(out, 0, shape_[1]);
    divide_by_weight<T>(out, plain_.rows(band.top, out.height()), options_.tolerance, colours);
    out = colours;
  }
  encoding_.encode(out);
  if (after_ && page == 0) after_->add(band.top, out);
  return out;
}

template <class T>
void Job<T>::run(const io::SaveOptions& saving) {
  allocate();
  io::SaveOptions options = saving;
  options.alpha = inputs_.image->header().alpha;
  options.metadata = inputs_.image->header().metadata;
  const auto writer = io::write_rows<T>(request_.out, shape_, options);
  Progress progress("blur", request_.common.quiet);
  const auto draw = progress.callback();
  double done = 0;
  double share = 0;
  options_.execution.progress = [&](double part) { return draw(done + share * part); };
  for (Index page = 0; page < shape_[0]; ++page) {
    blurred_.forget();
    plain_.forget();
    field_.forget();
    for (Index i = 0; i < bands_.count(); ++i) {
      const Band band = bands_.band(i);
      share =
          static_cast<double>(band.bottom - band.top) / static_cast<double>(shape_[0] * shape_[2]);
      read_image(page, band);
      blur(read_field(band));
      const View<const T> rows = result(page, band);
      const Stopwatch watch;
      writer->write(rows);
      summary_.save_seconds += watch.seconds();
      done += share;
    }
  }
  const Stopwatch watch;
  writer->finish();
  summary_.save_seconds += watch.seconds();
}

template <class T>
void Job<T>::write_report() const {
  if (!before_) return;
  const View<const T> field = drawn_ ? drawn_->picture() : View<const T>{};
  write_text_file(request_.report,
                  report_page<T>(request_, summary_,
                                 {before_->picture(), field, after_->picture(),
                                  inputs_.image->header().alpha, before_->factor()}),
                  request_.force);
}

}  // namespace

template <class T>
BandInputs<T>::BandInputs(const BlurRequest& request)
    : image(io::read_picture_rows<T>(request.in)) {
  const io::Info& in = image->header().info;
  const GaussianRequest& gaussian = request.gaussian;
  if (gaussian.varies()) {
    map = io::read_map_rows<T>(gaussian.map(), normalised(gaussian));
    require_map(gaussian, map->shape(), map->header().info.sample, in);
  }
  if (!request.mask.empty()) {
    mask = io::read_map_rows<T>(request.mask, true);
    require_mask(mask->shape(), request.mask, in);
  }
}

template <class T>
void blur_in_bands(const BlurRequest& request, double memory, BandInputs<T>& inputs,
                   const io::SaveOptions& saving, BlurSummary& summary) {
  summary.in = inputs.image->header().info;
  Job<T> job(request, memory, inputs, summary);
  job.plan();
  job.run(saving);
  job.write_report();
}

#define BLURFIELD_INSTANTIATE(T)                                                                  \
  template struct BandInputs<T>;                                                                  \
  template void blur_in_bands(const BlurRequest&, double, BandInputs<T>&, const io::SaveOptions&, \
                              BlurSummary&);
BLURFIELD_INSTANTIATE(float)
BLURFIELD_INSTANTIATE(double)
#undef BLURFIELD_INSTANTIATE

}  // namespace blurfield::app
