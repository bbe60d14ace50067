// SPDX-License-Identifier: BSD-3-Clause
#include "apps/command.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <sstream>

namespace blurfield::app {
namespace {

constexpr std::size_t kNameColumn = 30;
constexpr std::size_t kTextWidth = 68;

std::string wrapped(const std::string& text) {
  std::string out;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (column > 0 && column + 1 + end - at > kTextWidth) {
      out += '\n';
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out.append(text, at, end - at);
    column += end - at;
    at = end + 1;
  }
  return out;
}

// CLI11's help without its type annotations, wrapped, commands by the first line of their text.
class HelpFormat : public CLI::Formatter {
 public:
  HelpFormat() { column_width(kNameColumn); }

  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string type = option->get_type_name();  // "MODE:{reflect,...}"
    return type.empty() ? type : " " + type.substr(0, type.find(':'));
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string preset = option->get_default_str();
    return wrapped(option->get_description() +
                   (preset.empty() ? preset : fmt::format(" (default {})", preset)));
  }
  std::string make_subcommand(const CLI::App* sub) const override {
    const std::string text = sub->get_description();
    std::ostringstream out;
    CLI::detail::format_help(out, sub->get_name(), text.substr(0, text.find('\n')), kNameColumn);
    return out.str();
  }
};

std::function<std::string(const std::string&)> number(bool positive, bool may_be_auto) {
  return [=](const std::string& text) {
    if (may_be_auto && text == "auto") return std::string();
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const bool finite = !text.empty() && *end == '\0' && std::isfinite(value);
    if (finite && (positive ? value > 0 : value >= 0)) return std::string();
    return fmt::format("expected {}a number {} 0, got {}", may_be_auto ? "auto or " : "",
                       positive ? ">" : ">=", text);
  };
}

}  // namespace

std::function<std::string(const std::string&)> positive_number() { return number(true, false); }
std::function<std::string(const std::string&)> number_not_negative() {
  return number(false, false);
}
std::function<std::string(const std::string&)> number_or_auto(bool positive) {
  return number(positive, true);
}

std::optional<double> unless_auto(const std::string& text) {
  if (text == "auto") return std::nullopt;
  return std::strtod(text.c_str(), nullptr);
}

void refuse_usage(const std::string& text) { throw CLI::ValidationError(text); }

void require_for(const CLI::App& app, std::initializer_list<const char*> options, bool holds,
                 const char* what) {
  for (const char* option : options) {
    if (!holds && app.count(option) > 0) refuse_usage(message(option, " needs ", what));
  }
}

void require_distinct(std::vector<NamedFile> taken, const std::vector<NamedFile>& outputs) {
  const auto place = [](const std::string& path) {
    std::error_code ignored;
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, ignored), ignored);
  };
  for (const NamedFile& output : outputs) {
    if (output.path.empty()) continue;
    for (const NamedFile& other : taken) {
      if (other.path.empty() || place(output.path) != place(other.path)) continue;
      refuse_usage(message(output.name, ": expected a file of its own, got ", output.path,
                           ", which is ", other.name));
    }
    taken.push_back(output);
  }
}

void set_help_format(CLI::App& app) { app.formatter(std::make_shared<HelpFormat>()); }

void add_extension(CLI::App& app, const char* group, std::string& mode, double& cval) {
  app.add_option("--mode", mode,
                 "Beyond the border: reflect (d c b a | a b c d | d c b a), mirror, nearest, "
                 "constant, wrap")
      ->type_name("MODE")
      ->check(CLI::IsMember({"reflect", "mirror", "nearest", "constant", "wrap"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--cval", cval,
                 "The value of --mode constant, on the scale of the pixels "
                 "(0..1 for integers)")
      ->type_name("V")
      ->capture_default_str()
      ->group(group);
}

void add_bit_depth(CLI::App& app, const char* group, std::string& bit_depth) {
  app.add_option("--bit-depth", bit_depth, "8, 16 (integers) or 32f; default: the input's")
      ->type_name("D")
      ->check(CLI::IsMember({"8", "16", "32f"}))
      ->group(group);
}

void add_reach(CLI::App& app, const char* group, std::optional<double>& truncate,
               std::vector<int>& radius) {
  app.add_option("--truncate", truncate,
                 "Kernels end after T sigma (default: 4, or what --tolerance allows)")
      ->type_name("T")
      ->check(positive_number())
      ->group(group);
  auto* one = app.add_option("--radius", radius, "Kernels end after R pixels instead")
                  ->type_name("R")
                  ->expected(1)
                  ->check(CLI::NonNegativeNumber)
                  ->group(group);
  app.add_option("--radius-yx", radius, "One radius along y and one along x")
      ->type_name("RY RX")
      ->expected(2)
      ->check(CLI::NonNegativeNumber)
      ->excludes(one)
      ->group(group);
}

void add_tolerance(CLI::App& app, const char* group, std::optional<double>& tolerance,
                   const std::string& text) {
  app.add_option("--tolerance", tolerance, text)
      ->type_name("E")
      ->check([](const std::string& given) {
        char* end = nullptr;
        const double value = std::strtod(given.c_str(), &end);
        const bool right = !given.empty() && *end == '\0' && value >= 0 && value < 1;
        return right ? std::string()
                     : fmt::format("expected 0 (exact) or a number below 1, got {}", given);
      })
      ->group(group);
}

void add_common(CLI::App& app, Common& common) {
  app.add_option("--threads", common.threads, "At most N threads (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  app.add_flag("--quiet", common.quiet, "Neither progress bar nor summary");
  app.add_flag("--json", common.json, "One JSON object on standard output instead of text");
  app.set_help_flag("-h,--help", "Print this help");  // once more, to stand last
}

void print(const std::string& text) {
  const bool ok = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!ok || std::fflush(stdout) != 0) {
    throw Error(message("standard output: cannot write: ", std::strerror(errno)));
  }
}

std::string describe(const io::Info& info) {
  return fmt::format("{} x {}, {} channel{}, {}{}", info.height, info.width, info.channels,
                     info.channels == 1 ? "" : "s",
                     info.pages > 1 ? fmt::format("{} pages, ", info.pages) : "",
                     io::sample_name(info.sample));
}

}  // namespace blurfield::app
