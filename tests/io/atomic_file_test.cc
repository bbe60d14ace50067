// SPDX-License-Identifier: BSD-3-Clause
#include "blurfield/io/atomic_file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/io/files.h"

namespace blurfield::io {
namespace {

namespace fs = std::filesystem;

TEST(AtomicFile, AppearsAtCommitOnly) {
  const Folder folder;
  {
    AtomicFile file(folder / "a.txt", ".txt", false);
    EXPECT_EQ(fs::path(file.temporary()).parent_path(), fs::path(folder / "").parent_path());
    EXPECT_EQ(fs::path(file.temporary()).extension(), ".txt");
    write_bytes(file.temporary(), "new");
    EXPECT_FALSE(fs::exists(folder / "a.txt"));
    file.commit();
    EXPECT_EQ(read_bytes(folder / "a.txt"), "new");
  }
  EXPECT_EQ(folder.files(), 1U);
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const Folder folder;
  try {
    const AtomicFile file(folder / "a.txt", ".txt", false);
    write_bytes(file.temporary(), "half");
    EXPECT_EQ(folder.files(), 1U);
    throw Error("failed");
  } catch (const Error&) {
  }
  EXPECT_EQ(folder.files(), 0U);
}

TEST(AtomicFile, ReplacesOnlyIfAsked) {
  const Folder folder;
  write_bytes(folder / "a", "old");
  fs::permissions(folder / "a", fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_THROW(AtomicFile(folder / "a", "", false), Error);
  AtomicFile file(folder / "a", "", true);
  write_bytes(file.temporary(), "new");
  EXPECT_EQ(read_bytes(folder / "a"), "old");
  file.commit();
  EXPECT_EQ(read_bytes(folder / "a"), "new");
  EXPECT_EQ(fs::status(folder / "a").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(AtomicFile, LosesARaceWithoutHarm) {
  const Folder folder;
  {
    AtomicFile file(folder / "a", "", false);
    write_bytes(file.temporary(), "mine");
    write_bytes(folder / "a", "theirs");
    EXPECT_NE(error_of([&] { file.commit(); }).find("exists"), std::string::npos);
  }
  EXPECT_EQ(read_bytes(folder / "a"), "theirs");
  EXPECT_EQ(folder.files(), 1U);
}

TEST(AtomicFile, WritesThroughLinks) {
  const Folder folder;
  fs::create_directory(folder / "sub");
  write_bytes(folder / "sub/target", "old");
  fs::create_symlink("sub/target", folder / "link");
  fs::create_symlink("link", folder / "link2");
  AtomicFile file(folder / "link2", "", true);
  write_bytes(file.temporary(), "new");
  file.commit();
  EXPECT_TRUE(fs::is_symlink(folder / "link2"));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_bytes(folder / "sub/target"), "new");
  fs::create_symlink("sub/missing", folder / "dangling");
  AtomicFile created(folder / "dangling", "", false);
  write_bytes(created.temporary(), "made");
  created.commit();
  EXPECT_TRUE(fs::is_symlink(folder / "dangling"));
  EXPECT_EQ(read_bytes(folder / "sub/missing"), "made");
  fs::create_symlink("ring", folder / "ring");
  EXPECT_THROW(AtomicFile(folder / "ring", "", true), Error);
}

TEST(AtomicFile, RefusesFoldersAndMissingFolders) {
  const Folder folder;
  EXPECT_NE(error_of([&] { AtomicFile(folder / "", "", true); }).find("folder"), std::string::npos);
  EXPECT_NE(error_of([&] { AtomicFile(folder / "no/a", "", true); }).find("folder"),
            std::string::npos);
  write_bytes(folder / "file", "x");
  EXPECT_THROW(AtomicFile(folder / "file/a", "", true), Error);
  if (geteuid() != 0) {
    fs::permissions(folder / "", fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_THROW(AtomicFile(folder / "a", "", false), Error);
    fs::permissions(folder / "", fs::perms::owner_all);
  }
}

TEST(AtomicFile, SignalHandlerRemovesTemporaryFiles) {
  const Folder folder;
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGTERM, [](int) {
      remove_temporary_files();
      _exit(3);
    });
    const AtomicFile one(folder / "a", "", false);
    const AtomicFile two(folder / "b", "", false);
    write_bytes(one.temporary(), "half");
    if (folder.files() != 2) _exit(4);
    std::raise(SIGTERM);
    _exit(5);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_EQ(folder.files(), 0U);
}

TEST(Save, ToTheInputItselfIsSafe) {
  const Folder folder;
  const auto image = random_picture<float>({1, 1, 40, 30}, Sample::u8, 2);
  const auto other = random_picture<float>({1, 1, 40, 30}, Sample::u8, 3);
  for (const char* extension : {".png", ".tif", ".fits"}) {
    const std::string path = folder / (std::string("a") + extension);
    const std::string hard = folder / (std::string("hard") + extension);
    const std::string soft = folder / (std::string("soft") + extension);
    save<float>(path, image, {});
    fs::create_hard_link(path, hard);
    fs::create_symlink(path, soft);
    const std::string before = read_bytes(path);
    save<float>(hard, other, {.overwrite = true});
    EXPECT_EQ(read_bytes(path), before) << "a hard link is another name";
    save<float>(soft, other, {.overwrite = true});
    EXPECT_TRUE(fs::is_symlink(soft));
    EXPECT_EQ(read_bytes(path), read_bytes(hard));
    EXPECT_NE(read_bytes(path), before);
  }
}

TEST(Save, ReportsAFullDevice) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const Folder folder;
  const auto image = random_picture<float>({1, 3, 40, 30}, Sample::u8, 2);
  const auto fails = [&](const std::string& path, const SaveOptions& options) {
    const std::string text = error_of([&] { save<float>(path, image, options); });
    EXPECT_EQ(text.find(path), 0U) << text;
    EXPECT_NE(text.find("No space left"), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos);
  };
  fails("/dev/full", {});
  fails("/dev/full", {.sample = Sample::f32});
  for (const char* name : {"a.png", "a.jpg", "a.tif", "a.webp", "a.fits"}) {
    fs::create_symlink("/dev/full", folder / name);
    fails(folder / name, {});
  }
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST(Save, WritesToPipes) {
  const Folder folder;
  ASSERT_EQ(mkfifo((folder / "pipe.png").c_str(), 0600), 0);
  const int reader = open((folder / "pipe.png").c_str(), O_RDONLY | O_NONBLOCK);
  const auto image = random_picture<float>({1, 1, 10, 10}, Sample::u8, 2);
  save<float>(folder / "pipe.png", image, {});
  std::string bytes(60000, '\0');
  const ssize_t count = read(reader, bytes.data(), bytes.size());
  close(reader);
  ASSERT_GT(count, 0);
  write_bytes(folder / "a.png", bytes.substr(0, static_cast<std::size_t>(count)));
  EXPECT_EQ(values(load_picture<float>(folder / "a.png").pixels), values(image));
}

// While it lives writing fails beyond a file size, like on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit small{bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit old_{};
};

// In the middle of a file, near its end and at its start.
TEST(Save, LeavesNothingWhenTheDiskIsFull) {
  const Folder folder;
  const auto image = random_picture<float>({1, 1, 300, 400}, Sample::f32, 1);
  for (const char* name : {"a.png", "a.jpg", "a.tif", "b.tif", "a.webp", "a.fits"}) {
    const std::string path = folder / name;
    const Sample sample = name[0] == 'b' ? Sample::f64 : Sample::u8;
    save<float>(path, image, {.sample = sample});
    const rlim_t size = fs::file_size(path);
    fs::remove(path);
    for (const rlim_t limit : {size / 2, size - 1, rlim_t{100}}) {
      const std::string text = error_of([&] {
        const FileSizeLimit full(limit);
        save<float>(path, image, {.sample = sample});
      });
      EXPECT_EQ(text.find(path + ": cannot write"), 0U) << text;
      EXPECT_EQ(text.find('\n'), std::string::npos) << text;
      EXPECT_EQ(folder.files(), 0U) << name;
    }
  }
}

}  // namespace
}  // namespace blurfield::io
