// SPDX-License-Identifier: BSD-3-Clause
// blurfield deblur: its help.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "apps/deblur/options.h"
#include "apps/deblur/work.h"

namespace blurfield::app {
namespace {

constexpr const char* kExamples = R"(Examples:
  A photograph out of focus, by a round aperture; light is what was blurred:
    blurfield deblur soft.png sharp.png --psf disk:4.5 --linear-light
  A shaken one, moved by 15 pixels, 30 degrees upwards; its burnt-out lights tell nothing:
    blurfield deblur shaken.jpg still.png --psf motion:15@30 --mask-saturated --linear-light
  A blur that varies, found by `estimate` from one pair, undone on another picture:
    blurfield estimate chart.png chart-soft.png sigma.tif
    blurfield deblur soft.png sharp.png --sigma-map sigma.tif --report sharp.html
  A star field with a measured PSF, photons counted; the sky's 120 and the bias of 1000 are known:
    blurfield deblur field.fits sharp.fits --psf star.fits --method rl --offset 1000 --background 120
  PSFs measured on a grid of 3 rows and 4 columns behind a lens:
    blurfield deblur frame.tif sharp.tif --psf-grid psfs/ --grid 3x4
  How good would it be? A trial against the sharp image:
    blurfield deblur soft.png trial.png --psf soft-psf.npy --reference sharp.png --report trial.html
What to mind:
  Deblurring magnifies noise where the blur took details away; the prior keeps it down, lambda
  weighs it. --noise helps where fine texture passes for noise. Saturated pixels were not blurred as
  light: leave them out. A PSF off its centre shifts the image. Photographs hold sRGB numbers, lenses
  blur light: --linear-light. Compressed pictures (JPEG) hold noise that no model knows.
  Ctrl-C, and --time-limit, stop the work and keep the best image so far.)";

}  // namespace

Command deblur_command(CLI::App& app, const std::string& line) {
  auto request = std::make_shared<DeblurRequest>();
  auto words = std::make_shared<DeblurWords>();
  request->line = line;
  CLI::App* deblur = app.add_subcommand(
      "deblur",
      "Give back the sharp image where the blur is known, the same everywhere or varying.\n"
      "Integer images map to 0..1 and back, clipped; float images and FITS keep their values.\n"
      "Colours are deblurred together, pages each with the same blur; alpha, profile and metadata\n"
      "stay.");
  add_deblur_options(*deblur, *request, *words);
  deblur->footer(kExamples);
  return {deblur, [deblur, request, words] {
            understand(*deblur, *words, *request);
            deblur_file(*request);
          }};
}

}  // namespace blurfield::app
