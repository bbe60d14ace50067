// SPDX-License-Identifier: BSD-3-Clause
#include "apps/deblur/psfs.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

#include "apps/inputs.h"
#include "blurfield/deblur/psf.h"
#include "blurfield/io/kernel_file.h"

namespace blurfield::app {
namespace {

using Cells = std::array<Index, 2>;

void require_usable(const View<const double>& psf, const std::string& name) {
  try {
    normalised_psf(psf);
  } catch (const Error& error) {
    throw Error(message(name, ": ", error.what()));
  }
}

// The image (H, W) of cell i.
View<double> cell(Image<double>& grid, Index i) {
  const Index height = grid.shape()[2];
  const Index width = grid.shape()[3];
  return {grid.data() + i * height * width, {height, width}};
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && !name.starts_with('.')) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Image<double> load_folder(const std::string& folder, const Cells& cells) {
  const std::vector<std::string> files = files_in(folder);
  const Index count = cells[0] * cells[1];
  if (static_cast<Index>(files.size()) != count) {
    throw Error(message(folder, ": expected ", count, " images (--grid ", cells[0], "x", cells[1],
                        "), got ", files.size(), files.size() == 1 ? " file" : " files"));
  }
  Image<double> grid;
  for (Index i = 0; i < count; ++i) {
    const std::string& file = files[static_cast<std::size_t>(i)];
    const Image<double> psf = io::load_kernel(file);
    const Shape& shape = psf.shape();
    if (i == 0) grid = Image<double>({cells[0], cells[1], shape[0], shape[1]});
    if (shape[0] != grid.shape()[2] || shape[1] != grid.shape()[3]) {
      throw Error(message(file, ": expected ", grid.shape()[2], " x ", grid.shape()[3],
                          " pixels as in ", files.front(), ", got ", shape[0], " x ", shape[1]));
    }
    require_usable(psf, file);
    copy<double>(psf, cell(grid, i));
  }
  return grid;
}

// (1, C, H, W): pages and planes are channels.
Image<double> load_planes(const std::string& path) {
  if (has_extension(path, {".npy", ".txt"})) {
    const Image<double> kernel = io::load_kernel(path);
    return Image<double>(
        View<const double>(kernel.data(), {1, 1, kernel.shape()[0], kernel.shape()[1]}));
  }
  Image<double> planes = std::move(io::load_map<double>(path, false).pixels);
  require_finite<double>(planes, path);
  return planes;
}

Image<double> load_file(const std::string& path, const Cells& cells) {
  const Image<double> planes = load_planes(path);
  const View<const double> from = planes;
  const Index count = cells[0] * cells[1];
  const bool stack = from.channels() == count;
  const bool mosaic =
      from.channels() == 1 && from.height() % cells[0] == 0 && from.width() % cells[1] == 0;
  if (!stack && !mosaic) {
    throw Error(message(path, ": expected ", count, " pages or planes (--grid ", cells[0], "x",
                        cells[1], "), or one image that ", cells[0], " x ", cells[1],
                        " equal parts fill; got ", from.channels(), " of ", from.height(), " x ",
                        from.width(), " pixels"));
  }
  const Index height = stack ? from.height() : from.height() / cells[0];
  const Index width = stack ? from.width() : from.width() / cells[1];
  Image<double> grid({cells[0], cells[1], height, width});
  for (Index i = 0; i < count; ++i) {
    const double* corner =
        stack ? from.row(0, i, 0) : &from.at(0, 0, i / cells[1] * height, i % cells[1] * width);
    copy<double>({corner, {height, width}, {from.y_stride(), from.x_stride()}}, cell(grid, i));
    require_usable(cell(grid, i), message(path, ": cell ", i / cells[1], ", ", i % cells[1]));
  }
  return grid;
}

}  // namespace

Image<double> load_psf(const std::string& text) {
  if (auto psf = parse_psf(text)) return std::move(*psf);
  Image<double> psf = io::load_kernel(text);
  require_usable(psf, text);
  return psf;
}

Image<double> load_psf_grid(const std::string& path, const Cells& cells) {
  return std::filesystem::is_directory(path) ? load_folder(path, cells) : load_file(path, cells);
}

}  // namespace blurfield::app
