// SPDX-License-Identifier: BSD-3-Clause
// The command line: parses, runs one command, and turns errors into one line and an exit code:
// 0 done, 1 failed, 2 wrong usage, 128 + signal when cancelled.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <new>

#include "apps/command.h"
#include "apps/progress.h"
#include "blurfield/report/html.h"

namespace {

using blurfield::app::Command;

constexpr int kFailed = 1;
constexpr int kUsage = 2;

void complain(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  fmt::print(stderr, "blurfield: {}\n", text);
}

void complain_usage(const CLI::ParseError& error, const std::string& command) {
  complain(fmt::format("{} (see blurfield{} --help)", error.what(),
                       command.empty() ? "" : " " + command));
}

int run(const Command& command) {
  try {
    command.run();
    return 0;
  } catch (const CLI::ParseError& error) {
    complain_usage(error, command.app->get_name());
    return kUsage;
  } catch (const blurfield::Cancelled& error) {
    complain(error.what());
    return 128 + blurfield::app::cancelling_signal();
  } catch (const std::bad_alloc&) {
    complain("out of memory");
  } catch (const std::exception& error) {
    complain(error.what());
  }
  return kFailed;
}

// Help and version go to standard output; anything else is one line on standard error.
int finish_parsing(const CLI::App& app, const CLI::ParseError& error,
                   const std::vector<Command>& commands) {
  std::string name;
  for (const Command& command : commands) {
    if (command.app->parsed()) name = command.app->get_name();
  }
  if (error.get_exit_code() == 0) {
    const bool version = dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr;
    return run({nullptr, [&] {
                  blurfield::app::print(version ? app.version() + "\n" : app.help() + "\n");
                }});
  }
  complain_usage(error, name);
  return kUsage;
}

int parse_and_run(int argc, char** argv) {
  // A file-size limit shall be an error like a full disk, not a death.
  std::signal(SIGXFSZ, SIG_IGN);
  blurfield::app::cancel_on_signals();
  std::string line;
  for (int i = 0; i < argc; ++i) line += (i ? " " : "") + blurfield::report::shell_quote(argv[i]);

  CLI::App app{
      "Blur that varies across an image: exact Gaussian blur of one width, or of a width\n"
      "and a shape of its own for every pixel; how to find them; how to undo them, and any known\n"
      "blur; and convolution with any kernel."};
  app.name("blurfield");
  blurfield::app::set_help_format(app);
  app.set_version_flag("--version", "blurfield " BLURFIELD_VERSION, "Print the version");
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  blurfield blur photo.png soft.png --sigma 3\n"
      "  blurfield blur photo.png portrait.png --sigma-map depth.png --sigma-range 0.5 12\n"
      "  blurfield estimate photo.png portrait.png sigma.tif\n"
      "  blurfield deblur portrait.png sharp.png --sigma-map sigma.tif\n"
      "  blurfield filter photo.png edges.png --filter sobel-x --abs\n"
      "  blurfield compare photo.png soft.png\n"
      "  blurfield info photo.png\n"
      "`blurfield COMMAND --help` explains a command and gives more examples.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 128 + signal when cancelled.");
  const std::vector<Command> commands = {
      blurfield::app::blur_command(app, line),   blurfield::app::estimate_command(app, line),
      blurfield::app::deblur_command(app, line), blurfield::app::filter_command(app, line),
      blurfield::app::compare_command(app),      blurfield::app::info_command(app)};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return finish_parsing(app, error, commands);
  }
  const auto chosen = std::find_if(commands.begin(), commands.end(),
                                   [](const Command& command) { return command.app->parsed(); });
  return run(*chosen);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (...) {  // memory is short even for the parser
    std::fputs("blurfield: out of memory\n", stderr);
    return kFailed;
  }
}
