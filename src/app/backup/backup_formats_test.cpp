// What backups and archives are written as, byte for byte against docs/formats/golden/
// (base/golden_file.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/backup/archive_files.h"
#include "app/backup/backup_list.h"
#include "app/backup/point_in_time.h"
#include "base/golden_file.h"

namespace weft::app {
namespace {

using testing::HasSubstr;

const WallTime kMoment = from_unix_ms(1'764'316'800'123);
const std::string kDigest(64, 'a');

BackupList list() {
  BackupList held;
  held.weft_version = "0.1.0";
  held.taken = kMoment;
  held.log_position = 123'456;
  held.has_keys = true;
  held.history = "0123456789abcdef";
  held.files.push_back({"log/MANIFEST", 891, kDigest});
  return held;
}

ArchivedWal archived_wal() {
  ArchivedWal file;
  file.sequence = 7;
  file.first = 8192;
  file.end = 9192;
  file.bytes = 4096 + 1000;
  file.previous_end = 8192;
  file.sha256 = kDigest;
  file.created = kMoment;
  file.first_time = kMoment;
  file.last_time = kMoment + std::chrono::seconds(1);
  return file;
}

TEST(BackupListFormat, IsWhatWasCommitted) {
  auto encoded = backup_list_json(list());

  ASSERT_EQ(golden_file_or_new("backup-1.json", encoded), encoded);
  auto read = parse_backup_list(golden_file("backup-1.json"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(backup_list_json(*read), encoded);
}

TEST(BackupKeysFormat, OpensWhatWasCommitted) {
  NamedSecrets secrets{{"identity.key", "pepper"}, {"admin-token", "token"}};
  auto encoded =
      seal_keys(secrets, "correct horse battery staple", std::string(kSealRandomBytes, '\x07'));
  ASSERT_TRUE(encoded);

  ASSERT_EQ(golden_file_or_new("backup-keys-1.json", *encoded), *encoded);
  auto opened = open_keys(golden_file("backup-keys-1.json"), "correct horse battery staple");
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(*opened, secrets);
}

TEST(ArchiveNotes, AreWhatWasCommitted) {
  auto wal = archived_wal_json(archived_wal());
  ArchivedState state;
  state.taken = kMoment;
  state.bytes = 118'784;
  state.sha256 = kDigest;

  ASSERT_EQ(golden_file_or_new("archived-wal-1.json", wal), wal);
  ASSERT_EQ(golden_file_or_new("archived-state-1.json", archived_state_json(state)),
            archived_state_json(state));
  EXPECT_EQ(parse_archived_wal(golden_file("archived-wal-1.json")).value(), archived_wal());
  EXPECT_EQ(parse_archived_state(golden_file("archived-state-1.json")).value(), state);
}

TEST(ArchiveNotes, OfANewerVersionOrDamagedAreRefused) {
  auto json = archived_wal_json(archived_wal());
  auto newer = json;
  newer.replace(newer.find("\"format\":1"), 10, "\"format\":9");
  auto shorter = json;
  shorter.replace(shorter.find("5096"), 4, "5095");

  EXPECT_EQ(parse_archived_wal(newer).error().code, ErrorCode::FailedPrecondition);
  EXPECT_THAT(parse_archived_wal(shorter).error().message,
              HasSubstr("its size is not that of its positions"));
  EXPECT_EQ(parse_archived_wal(json.substr(0, json.size() / 2)).error().code, ErrorCode::DataLoss);
  EXPECT_EQ(parse_archived_wal("{}").error().code, ErrorCode::DataLoss);
}

TEST(Moment, IsATimeAPositionOrTheEnd) {
  EXPECT_EQ(parse_moment("2025-11-28T08:00:00.123Z")->time, kMoment);
  EXPECT_EQ(parse_moment("123456")->position, 123'456u);
  auto end = parse_moment("end");
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->time || end->position);
  for (const auto* text : {"", "yesterday", "-1", "12x", "2025-11-28"}) {
    EXPECT_EQ(parse_moment(text).error().code, ErrorCode::InvalidArgument) << text;
  }
}

}  // namespace
}  // namespace weft::app
