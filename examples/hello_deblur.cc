// SPDX-License-Identifier: BSD-3-Clause
// Blurs a photograph as a lens that is sharp in the middle only does, and gives it back:
//   hello_deblur            from the project's root
#include <cstdio>

#include "blurfield/deblur/deblur.h"
#include "blurfield/deblur/gaussian_operator.h"
#include "examples/photographs.h"

int main() try {
  using namespace blurfield;
  const Image<float> scene = examples::photograph("ascent.png", 256);
  const Image<float> sigmas = examples::outward(scene.shape());  // pixels, one per pixel

  AdaptiveBlurOptions lens;
  lens.scatter = true;  // each pixel spreads its light
  Image<float> photo = adaptive_blur(scene, sigmas, lens);
  examples::add_noise(photo, 0.005);

  const auto blur = adaptive_operator<float>(photo.shape(), sigmas, {}, lens);
  const Deblurred<float> sharp = deblur<float>(*blur, photo);

  std::printf("%.1f dB, deblurred %.1f dB\n", examples::psnr(photo, scene),
              examples::psnr(sharp.image, scene));
  for (const std::string& reason : sharp.why) std::printf("%s\n", reason.c_str());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "hello_deblur: %s\n", error.what());
  return 1;
}
