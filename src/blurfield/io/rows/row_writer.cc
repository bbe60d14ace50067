// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/rows/row_writer.h"

#include <optional>
#include <utility>

#include "blurfield/io/atomic_file.h"
#include "blurfield/io/rows/fits_writer.h"
#include "blurfield/io/rows/tiff_writer.h"
#include "blurfield/io/sample.h"
#include "blurfield/io/vips_file.h"

namespace blurfield::io {
namespace {

template <class T>
class TiffRowWriter final : public RowWriter<T> {
 public:
  TiffRowWriter(const std::string& path, std::string shown_path, const Shape& shape,
                const SaveOptions& options)
      : shown_path_(std::move(shown_path)),
        sample_(options.sample),
        scale_(save_scale("tiff", options)) {
    guard([&] {
      writer_.emplace(path, shape, sample_, options.alpha, tiff_tags_vips(options, shape[1]));
    });
  }

  void write(const View<const T>& rows) override {
    with_sample(sample_, [&](auto s) {
      using S = decltype(s);
      for (Index y = 0; y < rows.height(); ++y) {
        S* to = static_cast<S*>(writer_->row());
        for (Index c = 0; c < rows.channels(); ++c) {
          const T* from = rows.row(0, c, y);
          for (Index x = 0; x < rows.width(); ++x) {
            to[x * rows.channels() + c] = to_sample<S>(from[x * rows.x_stride()], scale_);
          }
        }
        guard([&] { writer_->next_row(); });
      }
    });
  }

  void finish() override {
    guard([&] { writer_->finish(); });
    writer_.reset();
  }

 private:
  template <class F>
  void guard(F&& work) const {
    try {
      work();
    } catch (const Error& error) {
      throw Error(message(shown_path_, ": cannot write: ", error.what()));
    }
  }

  std::string shown_path_;
  Sample sample_;
  double scale_;
  std::optional<TiffWriter> writer_;
};

// The file under its temporary name, and its writer.
template <class T>
class NamedWriter final : public RowWriter<T> {
 public:
  NamedWriter(const std::string& path, const std::string& format, const Shape& shape,
              const SaveOptions& options)
      : path_(path), format_(format), options_(options) {
    const bool through_tiff = format != "tiff" && format != "fits";
    file_.emplace(path, "." + format, options.overwrite);
    if (through_tiff) tiff_.emplace(path, ".tiff", true);
    if (format == "fits") {
      writer_ = std::make_unique<FitsWriter<T>>(file_->temporary(), path, shape, options);
    } else {
      const std::string& temporary = through_tiff ? tiff_->temporary() : file_->temporary();
      writer_ = std::make_unique<TiffRowWriter<T>>(temporary, path, shape, options);
    }
  }

  void write(const View<const T>& rows) override { writer_->write(rows); }

  void finish() override {
    writer_->finish();
    writer_.reset();
    if (tiff_) convert_vips(tiff_->temporary(), file_->temporary(), path_, format_, options_);
    file_->commit();
  }

 private:
  std::string path_;
  std::string format_;
  SaveOptions options_;
  std::optional<AtomicFile> file_;
  std::optional<AtomicFile> tiff_;        // never gets a name
  std::unique_ptr<RowWriter<T>> writer_;  // closed before the files go
};

}  // namespace

template <class T>
std::unique_ptr<RowWriter<T>> write_rows(const std::string& path, const Shape& shape,
                                         const SaveOptions& options) {
  require(shape.rank() == 4 && shape.elements() > 0, "write_rows", "expected (N, C, H, W), got ",
          shape.text());
  const std::string format = format_to_save(path, options.sample);
  check_can_save(path, options, shape[1], shape[0]);
  if (format == "webp") {
    throw Error(path + ": cannot write: WebP is not written row by row; TIFF, PNG and FITS are");
  }
  return std::make_unique<NamedWriter<T>>(path, format, shape, options);
}

template std::unique_ptr<RowWriter<float>> write_rows(const std::string&, const Shape&,
                                                      const SaveOptions&);
template std::unique_ptr<RowWriter<double>> write_rows(const std::string&, const Shape&,
                                                       const SaveOptions&);

}  // namespace blurfield::io
