// SPDX-License-Identifier: BSD-3-Clause
#include "apps/blur/work.h"

#include <optional>

#include "apps/blur/bands.h"
#include "apps/blur/whole.h"
#include "apps/inputs.h"
#include "apps/progress.h"
#include "apps/text_file.h"

namespace blurfield::app {
namespace {

// The files by rows, if that is how to work on them; else nothing. Throws Error where --memory asks
// for it and it cannot be.
template <class T>
std::optional<BandInputs<T>> by_rows(const BlurRequest& request, const io::Info& in) {
  if (bytes_in_memory(request, in) <= request.memory.value_or(kUsualMemory)) return {};
  if (request.memory) return BandInputs<T>(request);
  if (has_extension(request.out, {".webp"})) return {};
  try {
    return BandInputs<T>(request);
  } catch (const Error&) {
    return {};  // in memory: it will fit, or be refused
  }
}

template <class T>
void run(const BlurRequest& request, const io::Info& in, const io::SaveOptions& saving) {
  BlurSummary summary;
  summary.in = in;
  summary.out_sample = saving.sample;
  summary.threads = thread_limit({request.common.threads, {}});
  if (auto inputs = by_rows<T>(request, in)) {
    blur_in_bands<T>(request, request.memory.value_or(kUsualMemory), *inputs, saving, summary);
  } else {
    blur_whole<T>(request, saving, summary);
  }
  if (request.common.json) {
    print(summary_json(request, summary));
  } else if (!request.common.quiet) {
    print(summary_line(request, summary));
  }
}

}  // namespace

void blur_file(const BlurRequest& request) {
  const io::Info info = io::probe(request.in);
  const io::SaveOptions saving =
      prepare_saving(request.out, request.bit_depth, request.force, info);
  if (!request.report.empty()) check_can_write(request.report, request.force);
  if (request.linear_light) require_encoded(info);
  if (needs_double(info.sample)) {
    run<double>(request, info, saving);
  } else {
    run<float>(request, info, saving);
  }
}

}  // namespace blurfield::app
