// SPDX-License-Identifier: BSD-3-Clause
// What the commands share. Each command is one translation unit that declares its options on a
// CLI11 app and returns what to run once they are parsed.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "blurfield/io/picture.h"

namespace CLI {
class App;
}

namespace blurfield::app {

struct Common {
  bool quiet = false;  // neither progress nor summary
  bool json = false;   // one JSON object on standard output
  int threads = 0;     // upper limit, 0 = all cores
};

struct Command {
  CLI::App* app = nullptr;
  std::function<void()> run;  // throws Error
};

// `line` is the command line as the user gave it, quoted for a shell.
Command blur_command(CLI::App& app, const std::string& line);
Command compare_command(CLI::App& app);
Command deblur_command(CLI::App& app, const std::string& line);
Command estimate_command(CLI::App& app, const std::string& line);
Command filter_command(CLI::App& app, const std::string& line);
Command info_command(CLI::App& app);

// Sets how help is laid out, for commands added afterwards too.
void set_help_format(CLI::App& app);

// Declare --mode and --cval, and --bit-depth, in a group of the help.
void add_extension(CLI::App& app, const char* group, std::string& mode, double& cval);
void add_bit_depth(CLI::App& app, const char* group, std::string& bit_depth);

// Declares --truncate, --radius and --radius-yx: where a blur's kernels end.
void add_reach(CLI::App& app, const char* group, std::optional<double>& truncate,
               std::vector<int>& radius);

// Declares --tolerance, a number >= 0 and < 1; `text` is its help.
void add_tolerance(CLI::App& app, const char* group, std::optional<double>& tolerance,
                   const std::string& text);

// Declares --threads, --quiet, --json and --help; to be called last.
void add_common(CLI::App& app, Common& common);

// Checks for CLI11's options: say what is wrong with a text that is no finite number > 0, none
// >= 0, or neither "auto" nor a finite number >= 0 (> 0 if `positive`).
std::function<std::string(const std::string&)> positive_number();
std::function<std::string(const std::string&)> number_not_negative();
std::function<std::string(const std::string&)> number_or_auto(bool positive);
// The number, empty for "auto".
std::optional<double> unless_auto(const std::string& text);

// Throws the error of wrong usage.
[[noreturn]] void refuse_usage(const std::string& text);
// Refuses those of the options that were given: "--rate needs --method adamax".
void require_for(const CLI::App& app, std::initializer_list<const char*> options, bool holds,
                 const char* what);

struct NamedFile {
  const char* name;  // "OUT", "--report"
  std::string path;  // empty: not asked for
};
// Refuses an output that is one of the files taken or another output.
void require_distinct(std::vector<NamedFile> taken, const std::vector<NamedFile>& outputs);

// Writes to standard output; throws Error where that fails (a full disk).
void print(const std::string& text);

// "512 x 512, 3 channels, uint8": height x width, also "2 pages" where there are several.
std::string describe(const io::Info& info);

}  // namespace blurfield::app
