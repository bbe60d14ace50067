// SPDX-License-Identifier: BSD-3-Clause
// Our side of a comparison. Reads one job per line, runs it and answers with one line, so that
// run.py can alternate between this process and a peer:
//   uniform  H W THREADS SIGMA TOLERANCE X OUT          -> seconds bytes
//   adaptive H W THREADS CHANNELS TRUNCATE RADIUS GRADIENT X FIELD OUT
//                                                       -> seconds bytes
//   tolerance H W THREADS CHANNELS TOLERANCE METHOD PASS X FIELD OUT
//                                                       -> seconds bytes exact stack residual nodes
//   adamax   H W THREADS CHANNELS TRUNCATE RADIUS X TARGET START OUT
//                                                       -> seconds bytes
//   correlate C H W K KH KW THREADS METHOD X KERNEL OUT -> seconds bytes method
//   document H W THREADS FORM SOLVER PSF BLURRED START  -> seconds objective evaluations products
//   richardson-lucy H W SIDE THREADS ITERATIONS PSF BLURRED OUT
//                                                       -> seconds
//   peak                                                -> GFLOP/s target
//   copy FLOATS THREADS                                 -> seconds
//   plot POINTS OUT                                     -> curves
// X, TARGET, FIELD, START, KERNEL, OUT are files of float32, row-major; OUT may be - for none.
// RADIUS 0 leaves it to TRUNCATE; TOLERANCE 0 is exact. With GRADIENT 1 the vjp by image and field
// is timed too, its cotangent is the output, and OUT holds output, grad_x and grad_field. KERNEL is
// a bank (K, C, KH, KW), applied with zeros beyond the border; `method` is what METHOD auto chose.
// tolerance times one PASS, reflected at the border: forward, image or field (the vjp by one of
// them, whose cotangent is X), METHOD auto, exact, stack or residual; `exact`, `stack` and
// `residual` are the parts of the pixels that each computed. adamax learns log sigma (CHANNELS 1)
// or log-Cholesky parameters from START; `seconds` is per iteration, the run's last gradient
// included, and OUT holds the gradient at START. `bytes` is how far memory in use rose above inputs
// and outputs. document and richardson-lucy take files of float64; the former minimises document
// 004's objective, FORM built-in or var, by SOLVER newton-cg or lbfgs, its PSF 13 x 13, the
// latter's SIDE x SIDE. POINTS is text, the axes' labels in two lines, then `x y name of the curve`
// in every line, and OUT an SVG with logarithmic axes.
#include <functional>
#include <iostream>
#include <map>
#include <sstream>

#include "bench/peers/jobs.h"
#include "bench/peers/machine.h"

namespace {

void peak_job(std::istream& /*job*/) {
  std::cout << blurfield::bench::fma_peak() << ' ' << blurfield::bench::simd_target() << std::endl;
}

}  // namespace

int main() try {
  using namespace blurfield::bench;
  const std::map<std::string, void (*)(std::istream&)> jobs = {
      {"uniform", uniform_job},     {"adaptive", adaptive_job},
      {"tolerance", tolerance_job}, {"adamax", adamax_job},
      {"correlate", correlate_job}, {"peak", peak_job},
      {"copy", copy_job},           {"plot", plot_job},
      {"document", document_job},   {"richardson-lucy", richardson_lucy_job}};
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream job(line);
    std::string name;
    job >> name;
    const auto found = jobs.find(name);
    blurfield::require(found != jobs.end(), "ours", "no such job: '", name, "'");
    found->second(job);
  }
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
