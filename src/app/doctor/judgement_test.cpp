#include "app/doctor/judgement.h"

#include <gmock/gmock.h>

#include <limits>

namespace weft::app {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = 1ull << 20;

TEST(Doctor, CallsAMediumThatAnswersWithinMicrosecondsAWarning) {
  EXPECT_EQ(judge_sync(5us, {}).verdict, Verdict::Warning);
  EXPECT_EQ(judge_sync(150us, {}).verdict, Verdict::Good);
  EXPECT_EQ(judge_sync(30ms, {}).verdict, Verdict::Warning);
}

TEST(Doctor, DoesNotBelieveAPlatterThatAnswersBeforeItCanTurn) {
  EXPECT_EQ(judge_sync(150us, DiskFacts{true}).verdict, Verdict::Warning);
  EXPECT_EQ(judge_sync(8ms, DiskFacts{true}).verdict, Verdict::Good);
}

TEST(Doctor, FindsALibraryThatTakesFsyncAway) {
  EXPECT_EQ(judge_mapped_libraries("7f00-7f01 r-xp 0 08:01 5 /usr/lib/libc.so.6\n").verdict,
            Verdict::Good);
  EXPECT_EQ(judge_mapped_libraries("7f00-7f01 r-xp 0 08:01 5 /usr/lib/libeatmydata.so\n").verdict,
            Verdict::Bad);
}

TEST(Doctor, CallsADiskBelowTheReserveBad) {
  EXPECT_EQ(judge_free_space(100'000'000, 1ull << 40, 256 * kMiB).verdict, Verdict::Bad);
  EXPECT_EQ(judge_free_space(100'000'000, 1ull << 40, 64 * kMiB).verdict, Verdict::Warning);
  EXPECT_EQ(judge_free_space(1ull << 30, 1ull << 40, 256 * kMiB).verdict, Verdict::Warning);
  EXPECT_EQ(judge_free_space(1ull << 39, 1ull << 40, 256 * kMiB).verdict, Verdict::Good);
}

constexpr std::string_view kMounts =
    "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro\n"
    "30 22 0:25 / /dev/shm rw,nosuid - tmpfs tmpfs rw\n"
    "31 22 254:2 / /srv/my\\040data rw - xfs /dev/vdb rw,nobarrier\n"
    "32 22 0:40 / /srv/old rw - nfs4 nas:/old rw\n"
    "33 22 254:3 / /srv/old rw - ext4 /dev/vdc ro\n";

std::string type_at(std::string_view folder) {
  auto facts = find_file_system(kMounts, folder);
  return facts ? facts->type : "none";
}

TEST(Doctor, FindsTheFileSystemOfAFolder) {
  EXPECT_EQ(type_at("/var/lib/weft"), "ext4");
  EXPECT_EQ(type_at("/dev/shm/x"), "tmpfs");
  EXPECT_EQ(type_at("/dev/shmx"), "ext4");
  EXPECT_EQ(type_at("/srv/my data/weft"), "xfs");
  EXPECT_EQ(type_at("relative"), "none");
}

TEST(Doctor, TakesTheMountThatHidesAnother) {
  EXPECT_EQ(type_at("/srv/old"), "ext4");
}

TEST(Doctor, JudgesFileSystemsByWhatTheyKeep) {
  EXPECT_EQ(judge_file_system({"ext4", "rw,relatime,rw"}).verdict, Verdict::Good);
  EXPECT_EQ(judge_file_system({"tmpfs", "rw"}).verdict, Verdict::Bad);
  EXPECT_EQ(judge_file_system({"xfs", "rw,nobarrier"}).verdict, Verdict::Bad);
  EXPECT_EQ(judge_file_system({"ext4", "rw,ro"}).verdict, Verdict::Bad);
  EXPECT_EQ(judge_file_system({"nfs4", "rw"}).verdict, Verdict::Warning);
  EXPECT_EQ(judge_file_system({"fuse.sshfs", "rw"}).verdict, Verdict::Warning);
  EXPECT_EQ(judge_file_system({"overlay", "rw"}).verdict, Verdict::Warning);
}

TEST(Doctor, WantsASynchronisedClock) {
  EXPECT_EQ(judge_clock({true, 20ms}).verdict, Verdict::Good);
  EXPECT_EQ(judge_clock({true, 5s}).verdict, Verdict::Warning);
  EXPECT_EQ(judge_clock({false, 20ms}).verdict, Verdict::Warning);
}

TEST(Doctor, WantsAFileForEachConnectionThatTheSettingsAllow) {
  EXPECT_EQ(judge_open_files(65536, 20000).verdict, Verdict::Good);
  EXPECT_EQ(judge_open_files(10000, 20000).verdict, Verdict::Warning);
  EXPECT_EQ(judge_open_files(1024, 100).verdict, Verdict::Warning);
}

TEST(Doctor, ReadsTheLimitOfARunningProcess) {
  constexpr std::string_view kLimits =
      "Limit                     Soft Limit           Hard Limit           Units     \n"
      "Max open files            1024                 524288               files     \n";
  EXPECT_EQ(open_files_of_limits(kLimits), 1024u);
  EXPECT_EQ(open_files_of_limits("Max open files   unlimited unlimited files"),
            std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(open_files_of_limits("nothing"), std::nullopt);
}

TEST(Doctor, WantsMemoryForWhatTheSettingsAllow) {
  EXPECT_EQ(judge_memory(2048 * kMiB, 512 * kMiB).verdict, Verdict::Good);
  EXPECT_EQ(judge_memory(256 * kMiB, 512 * kMiB).verdict, Verdict::Warning);
}

TEST(Doctor, TellsAPortOfThisNodeFromOneThatAnotherHolds) {
  EXPECT_EQ(judge_port("ports.admin", "127.0.0.1:8080", PortHolder::ThisNode, "").verdict,
            Verdict::Good);
  EXPECT_EQ(judge_port("ports.admin", "127.0.0.1:8080", PortHolder::Nobody, "").verdict,
            Verdict::Good);
  auto taken = judge_port("ports.admin", "127.0.0.1:8080", PortHolder::Another, "");
  EXPECT_EQ(taken.verdict, Verdict::Bad);
  EXPECT_THAT(taken.advice, HasSubstr("ports.admin"));
}

CertificateFacts sound() {
  CertificateFacts facts;
  facts.names = {"weft.example.com"};
  return facts;
}

TEST(Doctor, JudgesCertificatesByTimeNamesAndKey) {
  EXPECT_EQ(judge_certificate("kafka", sound()).verdict, Verdict::Good);

  auto expired = sound();
  expired.is_valid_now = false;
  expired.validity_warning = "the certificate expired";
  EXPECT_EQ(judge_certificate("kafka", expired).verdict, Verdict::Bad);
  auto soon = sound();
  soon.validity_warning = "the certificate expires soon";
  EXPECT_EQ(judge_certificate("kafka", soon).verdict, Verdict::Warning);
  auto nameless = sound();
  nameless.names.clear();
  EXPECT_EQ(judge_certificate("kafka", nameless).verdict, Verdict::Warning);
  auto elsewhere = sound();
  elsewhere.advertised = "broker.example.com";
  elsewhere.is_for_advertised = false;
  EXPECT_THAT(judge_certificate("kafka", elsewhere).observed, HasSubstr("broker.example.com"));
  auto open_key = sound();
  open_key.key_is_public = true;
  EXPECT_EQ(judge_certificate("kafka", open_key).verdict, Verdict::Bad);
}

TEST(Doctor, WantsTheDataFolderForItsOwnerAlone) {
  EXPECT_EQ(judge_folder({"/d", 040700, true}).verdict, Verdict::Good);
  EXPECT_EQ(judge_folder({"/d", 040755, true}).verdict, Verdict::Warning);
  EXPECT_EQ(judge_folder({"/d", 040700, false}).verdict, Verdict::Warning);
}

TEST(Doctor, NoticesANodeThatAnUpgradeLeftRunning) {
  EXPECT_EQ(judge_versions("1.1.0", "").verdict, Verdict::Good);
  EXPECT_EQ(judge_versions("1.1.0", "1.1.0").verdict, Verdict::Good);
  EXPECT_EQ(judge_versions("1.1.0", "1.0.0").verdict, Verdict::Warning);
}

TEST(Doctor, SaysWhatToDoAboutWhateverIsNotGood) {
  auto expired = sound();
  expired.is_valid_now = false;
  for (const auto& finding :
       {judge_sync(1us, {}), judge_free_space(0, 1, 2), judge_open_files(256, 1),
        judge_clock_year(1970), judge_clock({}), judge_memory(1, 2),
        judge_file_system({"tmpfs", ""}), judge_mapped_libraries("libeatmydata"),
        judge_port("ports.ops", "[::1]:80", PortHolder::Refused, "no"),
        judge_certificate("admin", expired), judge_folder({"/d", 0777, true}),
        judge_versions("2", "1")}) {
    EXPECT_NE(finding.verdict, Verdict::Good) << finding.subject;
    EXPECT_FALSE(finding.advice.empty()) << finding.subject;
  }
}

}  // namespace
}  // namespace weft::app
