// SPDX-License-Identifier: BSD-3-Clause
// Adaptive blur by local filtering, a Gaussian of its own for every pixel, and the field of
// Gaussians recovered from a signal and its blurred version:
//   local_filtering OUT [--quick]
// It checks what it claims, writes OUT/index.html and its pictures as PNG, and exits with 1 and a
// message where a claim is not met. --quick changes nothing: all is done within seconds.
#include "blurfield/autodiff/blur.h"
#include "blurfield/autodiff/elementwise.h"
#include "blurfield/autodiff/slice.h"
#include "blurfield/ops/local_filter.h"
#include "blurfield/ops/sliding_window.h"
#include "blurfield/report/panel.h"
#include "examples/local_fields.h"

namespace {

using namespace blurfield;
using namespace blurfield::examples;
using namespace blurfield::report;
using blurfield::io::encode_png;

constexpr int kZoom = 6;
constexpr Index kSignals = 8;  // that share one field, beyond the document

// Kernels as pictures of one size, each over its own range.
std::vector<Image<float>> kernel_pictures(const std::vector<Kernel2d>& kernels) {
  int radius = 0;
  for (const Kernel2d& k : kernels) radius = std::max({radius, k.ry, k.rx});
  std::vector<Image<float>> pictures;
  for (const Kernel2d& k : kernels) {
    Image<double> frame({1, 1, 2 * radius + 1, 2 * radius + 1});
    for (int y = -k.ry; y <= k.ry; ++y) {
      for (int x = -k.rx; x <= k.rx; ++x) {
        frame.view().at(0, 0, y + radius, x + radius) = k.at(y, x);
      }
    }
    pictures.push_back(magnify(grey(frame, 0, k.at(0, 0)), 8));
  }
  return pictures;
}

Image<float> kernel_montage(const std::vector<Kernel2d>& kernels, Index columns) {
  const std::vector<Image<float>> pictures = kernel_pictures(kernels);
  return montage({pictures.begin(), pictures.end()}, columns);
}

void gaussians_chapter(Page& page, const std::string& out) {
  page.section("Gaussians from log-Cholesky parameters");
  page.paragraph(
      "Any real a, b, c are a covariance: Sigma = U^T U with U = [[e^a, b], [0, e^c]], in the "
      "order (y, x).");
  const Kernel2d tilted = kernel_of(cov_to_logchol(Cov{1, 1, 4}));
  Random random(9);
  std::vector<Kernel2d> kernels;
  for (int i = 0; i < 9; ++i) {
    kernels.push_back(
        kernel_of({0.5 * random.normal(), 0.5 * random.normal(), 0.5 * random.normal()}));
  }
  const Image<float> sheet = kernel_montage(kernels, 3);
  save_png(out + "/kernels.png", sheet);
  page.figure({picture_panel(kernel_montage({tilted}, 1).view(), encode_png,
                             "Covariance [[1, 1], [1, 4]]."),
               picture_panel(sheet.view(), encode_png,
                             "Nine random ones, parameters 0.5 times normal numbers.")});
}

double difference(const Image<double>& a, const Image<double>& b) {
  double most = 0;
  for (Index i = 0; i < a.elements(); ++i) {
    most = std::max(most, std::abs(a.data()[i] - b.data()[i]));
  }
  return most;
}

// The kernels of all pixels, of one radius, as local_filter takes them: (N, kh kw, H, W).
Image<double> stacked_kernels(const Image<double>& field, const std::array<int, 2>& radius) {
  const Shape& s = field.shape();
  const Index taps = (2 * radius[0] + 1) * (2 * radius[1] + 1);
  const Index pixels = s[2] * s[3];
  Image<double> weights({s[0], taps, s[2], s[3]});
  for (Index i = 0; i < s[0] * pixels; ++i) {
    const Kernel2d kernel = gaussian_kernel2d_logchol(theta_at(field, i), radius);
    double* to = weights.data() + i / pixels * taps * pixels + i % pixels;
    for (Index tap = 0; tap < taps; ++tap) {
      to[tap * pixels] = kernel.taps[static_cast<std::size_t>(tap)];
    }
  }
  return weights;
}

// The columns of im2col, each times its own weights (N, taps, H, W), for every channel.
Image<double> column_products(const Image<double>& x, const Image<double>& weights,
                              const std::vector<Index>& window) {
  CorrelateOptions options;
  options.extension.mode = Mode::constant;
  Image<double> columns(im2col_shape(x.shape(), window, options));
  im2col<double>(x, window, columns, options);
  const Shape& s = x.shape();
  const Index taps = weights.shape()[1];
  const Index pixels = s[2] * s[3];
  Image<double> out(s);
  for (Index i = 0; i < columns.elements(); ++i) {
    const Index n = i / (s[1] * taps * pixels);
    const Index tap = i / pixels % taps;
    const Index p = i % pixels;
    out.data()[i / (taps * pixels) * pixels + p] +=
        columns.data()[i] * weights.data()[(n * taps + tap) * pixels + p];
  }
  return out;
}

void filtering_chapter(Page& page, Outcomes& outcomes) {
  page.section("From convolution to local filtering");
  Random random(1);
  const Image<double> x = normal_image({2, 3, kSide, kSide}, random);
  const Image<double> field = normal_image({2, 3, kSide, kSide}, random, 0.2);
  std::array<int, 2> radius{};
  for (Index i = 0; i < 2 * kSide * kSide; ++i) {
    const auto own = gaussian_radius(theta_at(field, i), 2);
    for (std::size_t axis = 0; axis < 2; ++axis) radius[axis] = std::max(radius[axis], own[axis]);
  }
  AdaptiveBlurOptions options = blur_options();
  options.radius = {radius[0], radius[1]};
  const Image<double> exact = adaptive_blur<double>(x, field, options);
  const std::vector<Index> window{2 * radius[0] + 1, 2 * radius[1] + 1};
  const Image<double> weights = stacked_kernels(field, radius);
  const Image<double> products = column_products(x, weights, window);
  const Image<double> filtered =
      local_filter<double>(x, weights, {window, options.extension, options.execution});
  page.paragraph(
      "A convolution is the product of the matrix of all windows (im2col) with one vector of "
      "weights. Give every window weights of its own and it is a local filter. For two images of "
      "three channels, each image with its own field of Gaussians, both ways give what "
      "adaptive_blur computes without ever storing a kernel per pixel.");
  const auto last = [](const Image<double>& image) { return grey(as_image(image, 5), -2.5, 2.5); };
  page.figure({picture_panel(last(x).view(), encode_png, "Image 2, channel 3.", kZoom),
               picture_panel(last(exact).view(), encode_png, "Locally blurred.", kZoom)});
  outcomes.at_most("im2col times stacked kernels, difference from adaptive_blur", 1e-12,
                   difference(products, exact));
  outcomes.at_most("local_filter, difference from adaptive_blur", 1e-12,
                   difference(filtered, exact));
}

// Signals (N, 1, H, W) and what one field of Gaussians makes of them all.
struct Task {
  std::string name;
  Image<double> x;
  Image<double> truth;  // log-Cholesky, (1, 3, H, W)
  Image<double> target;

  Task(const std::string& called, Image<double>&& signals, const Image<double>& field)
      : name(called),
        x(std::move(signals)),
        truth(field.view()),
        target(adaptive_blur<double>(x, truth, blur_options())) {}

  // What is learned: log-Cholesky parameters (1, 3, H, W) or log sigma (1, 1, H, W). The loss is
  // the mean squared error.
  auto loss() const {
    return [this](const Var<double>& s) {
      const Var<double> field = s.shape()[1] == 1 ? exp(s) : s;
      return mean(square(adaptive_blur(borrow(x), field, blur_options()) - borrow(target)));
    };
  }
  // The same, and a penalty on slopes of the parameters.
  auto smooth_loss(double lambda) const {
    return [this, lambda](const Var<double>& s) {
      const auto roughness = sum(square(difference_y(s))) + sum(square(difference_x(s)));
      return loss()(s) + lambda * roughness;
    };
  }
};

Image<double> blurred(const Task& task, const Image<double>& s) {
  return adaptive_blur<double>(task.x, as_logchol(s), blur_options());
}

// The same losses by Gauss-Newton, with the penalty's lambda if > 0. estimate() minimises
// 1/2 sum (error / noise)^2 + lambda / 2 sum slopes^2.
Estimate<double> by_gauss_newton(const Task& task, BlurModel model, double lambda, int iterations) {
  EstimateOptions options;
  options.model = model;
  options.blur = blur_options();
  options.noise = 1.0;
  options.prior = lambda > 0 ? FieldPrior::smooth : FieldPrior::none;
  options.lambda = lambda * static_cast<double>(task.x.elements());
  options.max_iterations = iterations;
  return estimate<double>(task.x, task.target, options);
}

// log-Cholesky parameters, or log sigma, of an estimated field.
Image<double> parameters_of(const Estimate<double>& found) {
  Image<double> s(found.field.view());
  if (s.shape()[1] == 1) {
    for (double& v : parameters(s)) v = std::log(v);
  }
  return s;
}

Panel signal_panel(const Image<double>& image, double most, const std::string& caption) {
  return picture_panel(grey(as_image(image, 0), -most, most).view(), encode_png, caption, kZoom);
}

// What is `most` or more is brightest; 0: the greatest error is.
Panel error_panel(const Image<double>& values, const std::string& caption, double most = 0) {
  if (most == 0) most = *std::max_element(values.data(), values.data() + values.elements());
  return map_panel(magnify(as_float(as_image(values, 0)), kZoom), 0, ColourMap::magma, "",
                   encode_png, caption, Range{0, most});
}

void show_recovery(Page& page, const Task& task, const Way& way, const std::string& file) {
  page.figure({signal_panel(task.x, 2.5, "The signal."),
               signal_panel(task.target, 1.2, "Smoothed: the target.")});
  std::vector<Panel> panels;
  std::vector<Image<float>> sheet;
  sheet.push_back(magnify(grey(as_image(task.target, 0), -1.2, 1.2), kZoom));
  for (std::size_t i = 0; i < way.kept.size(); ++i) {
    const Image<double> out = blurred(task, way.kept[i]);
    panels.push_back(signal_panel(out, 1.2, message("Iteration ", way.kept_at[i], ".")));
    sheet.push_back(magnify(grey(as_image(out, 0), -1.2, 1.2), kZoom));
  }
  page.figure(panels);
  save_png(file, montage({sheet.begin(), sheet.end()}, static_cast<Index>(sheet.size())));
  Image<double> errors = blurred(task, way.kept.back());
  for (Index i = 0; i < errors.elements(); ++i) {
    errors.data()[i] = std::pow(errors.data()[i] - task.target.data()[i], 2);
  }
  page.figure({error_panel(errors, "Squared error of the signal."),
               error_panel(parameter_errors(task.truth, way.kept.back()),
                           "Mean squared error of the parameters.")});
}

// The document's recovery, and Gauss-Newton beside it; returns the parameters by Adamax.
Image<double> recover(Page& page, Outcomes& outcomes, const Task& task, BlurModel model,
                      double original, const std::string& file) {
  Image<double> s({1, model == BlurModel::sigma ? 1 : 3, kSide, kSide});
  Way way("Adamax", {0, 25, 50, 100});
  run_adamax(task.loss(), s, 100, way);
  const auto found = by_gauss_newton(task, model, 0, 12);
  show_recovery(page, task, way, file);
  page.figure({loss_panel({way.values, loss_curve("Gauss-Newton", found.trace)}, "The loss.")});
  const double reached = way.values.y.back();
  outcomes.at_most(task.name + ": loss after 100 iterations of Adamax", original, reached);
  outcomes.at_most(task.name + ": loss after 12 iterations of Gauss-Newton", reached, found.loss);
  outcomes.tell(task.name + ": parameter error by Adamax",
                mean_of(parameter_errors(task.truth, s)));
  outcomes.tell(task.name + ": parameter error by Gauss-Newton",
                mean_of(parameter_errors(task.truth, parameters_of(found))));
  return s;
}

void recovery_chapter(Page& page, Outcomes& outcomes, const Image<double>& x,
                      const std::string& out) {
  // What the original reaches at most, over several seeds.
  constexpr double kFull = 2.2e-6;
  constexpr double kSphere = 1.2e-2;
  constexpr double kFullForSphere = 3.3e-3;
  page.section("Recovering covariances");
  page.paragraph(
      "The field has four bands: covariances diag(2, 2), diag(2, 4), [[1, 1], [1, 4]], and random "
      "ones. From a signal and its smoothed version, log-Cholesky parameters are learned for "
      "every pixel, from covariance 1, by 100 iterations of Adamax of rate 0.1. Gauss-Newton uses "
      "that each pixel of the result depends on its own parameters alone.");
  Random random(7);
  const Image<double> bands = band_field(random);
  const Task full("full", Image<double>(x.view()), bands);
  recover(page, outcomes, full, BlurModel::logchol, kFull, out + "/full.png");

  page.section("Recovering one sigma per pixel");
  page.paragraph("The bands have log sigma -1, -0.5, 0 and 0.5; log sigma is learned.");
  const Task sphere("spherical", Image<double>(x.view()), spherical_field());
  recover(page, outcomes, sphere, BlurModel::sigma, kSphere, out + "/spherical.png");

  page.section("One sigma per pixel recovered by covariances");
  page.paragraph("The same target; three parameters are learned for every pixel.");
  const Task both("full for spherical", Image<double>(x.view()), spherical_field());
  const Image<double> s = recover(page, outcomes, both, BlurModel::logchol, kFullForSphere,
                                  out + "/full_for_spherical.png");

  constexpr std::array<Index, 4> kAt{0, 8, 16, 31};
  std::vector<Kernel2d> means;
  std::vector<Kernel2d> grid;
  for (const Index y : kAt) {
    Logchol mean{};
    for (Index i = 0; i < kSide; ++i) {
      const Logchol theta = theta_at(s, y * kSide + i);
      for (std::size_t k = 0; k < 3; ++k) mean[k] += theta[k] / static_cast<double>(kSide);
    }
    means.push_back(kernel_of(mean));
    for (const Index column : kAt) grid.push_back(kernel_of(theta_at(s, y * kSide + column)));
  }
  page.paragraph(
      "The kernels of the mean parameters of rows 0, 8, 16 and 31 grow with y, as they should. "
      "Single kernels, at rows and columns 0, 8, 16 and 31, are surprisingly diverse: one signal "
      "does not tell three parameters per pixel.");
  const Image<float> sheet = kernel_montage(grid, 4);
  save_png(out + "/grid.png", sheet);
  page.figure({picture_panel(kernel_montage(means, 4).view(), encode_png, "Means of rows."),
               picture_panel(sheet.view(), encode_png, "Single pixels.")});
}

// A row of the last table: how far a field is from the truth.
void tell_field(Rows& rows, const std::string& what, const Task& task, const Image<double>& s) {
  rows.push_back({what, std::to_string(task.x.shape()[0]), number(task.loss()(borrow(s)).item(), 3),
                  number(mean_of(parameter_errors(task.truth, s)), 3),
                  number(covariance_error(task.truth, s), 3)});
}

void closer_chapter(Page& page, Outcomes& outcomes, const Image<double>& x) {
  page.section("Closer to the truth");
  page.paragraph(message(
      "More data: ", kSignals,
      " signals that share the field. Regularisation: a penalty on the squared slopes of the "
      "parameters (smooth), times 1e-5 for one signal and 1e-6 for more. And an optimiser that "
      "gets "
      "closer to the minimum. The loss of the table is the mean "
      "squared error, without the penalty; errors of parameters are means of squares, those of "
      "covariances the median of |Sigma' - Sigma| / |Sigma|."));
  Random random(7);
  const Image<double> bands = band_field(random);
  const Task one("one signal", Image<double>(x.view()), bands);
  const Task many("signals", normal_image({kSignals, 1, kSide, kSide}, random), bands);
  Rows rows{{"method", "signals", "loss", "error of parameters", "error of covariances"}};
  std::vector<Panel> panels;
  const auto add = [&](const std::string& what, const Task& task, const Image<double>& s) {
    tell_field(rows, what, task, s);
    panels.push_back(error_panel(
        parameter_errors(task.truth, s),
        message(what, ", ", task.x.shape()[0], task.x.shape()[0] == 1 ? " signal." : " signals."),
        0.5));
  };
  const auto by_adamax = [&](const std::string& what, const Task& task, const auto& loss) {
    Image<double> s({1, 3, kSide, kSide});
    Way way("");
    run_adamax(loss, s, 100, way);
    add(what, task, s);
    return mean_of(parameter_errors(task.truth, s));
  };
  const auto by_newton = [&](const std::string& what, const Task& task, double lambda) {
    const auto found = by_gauss_newton(task, BlurModel::logchol, lambda, 100);
    add(what, task, found.field);
    return mean_of(parameter_errors(task.truth, found.field));
  };
  const double adamax = by_adamax("Adamax", one, one.loss());
  const double prior = by_adamax("Adamax, smooth", one, one.smooth_loss(1e-5));
  const double signals = by_adamax("Adamax", many, many.loss());
  const double both = by_adamax("Adamax, smooth", many, many.smooth_loss(1e-6));
  by_newton("Gauss-Newton", one, 0);
  by_newton("Gauss-Newton, smooth", one, 1e-5);
  const double newton = by_newton("Gauss-Newton", many, 0);
  const double all = by_newton("Gauss-Newton, smooth", many, 1e-6);
  page.table(rows);
  page.paragraph("Where the parameters are wrong, squared errors over 0..0.5:");
  page.figure(panels);
  outcomes.tell("parameter error of Adamax, one signal", adamax);
  outcomes.at_most("the same with a prior", 0.5 * adamax, prior);
  outcomes.at_most("the same with more signals", 0.1 * adamax, signals);
  outcomes.at_most("the same with both", signals, both);
  outcomes.at_most("parameter error of Gauss-Newton with more signals", signals, newton);
  outcomes.at_most("the same with more signals and a prior", both, all);
}

void study(Page& page, Outcomes& outcomes, const std::string& out, bool) {
  Random random(1337);
  const Image<double> x = normal_image({1, 1, kSide, kSide}, random);
  gaussians_chapter(page, out);
  filtering_chapter(page, outcomes);
  recovery_chapter(page, outcomes, x, out);
  closer_chapter(page, outcomes, x);
}

}  // namespace

int main(int argc, char** argv) {
  return run_study(argc, argv, "local_filtering",
                   Page("Adaptive blur by local filtering",
                        "A Gaussian for every pixel, and the field of Gaussians learned."),
                   study);
}
