// The inside of GroupCoordinator; everything here runs on its home loop.
#pragma once

#include <set>

#include "eventlog/kafka/groups/coordinator.h"
#include "eventlog/kafka/state_stream.h"
#include "runtime/suspension.h"
#include "runtime/task_group.h"

namespace weft::kafka {

struct GroupCoordinator::State {
  State(CoordinatorOptions with, eventlog::EventLog& event_log, Clock& its_clock, Random& chance,
        Executor loop)
      : options(with),
        log(event_log),
        clock(its_clock),
        random(chance),
        home(loop),
        tasks(loop, "kafka groups", 4),
        stream(event_log, kGroupsStream, with.snapshot_bytes) {}

  // What was last written, and what of it is durable.
  struct Offset {
    CommittedOffset latest;
    CommittedOffset durable;
    eventlog::Offset written_at = -1;  // place of `durable` in the stream
    std::size_t bytes = 0;
    std::uint64_t removal = 0;  // the last one, if it was written after `latest`; 0: none
    int under_way = 0;          // commits and removals that are being written
    // False while what was written last may be another than `latest`, after a refused commit.
    bool is_latest_known() const { return removal == 0 && (under_way == 0 || latest != durable); }
  };
  struct Entry {
    Entry(const GroupKey& key, const GroupLimits& limits) : group(key.group, limits) {}
    Group group;
    std::map<OffsetKey, Offset> offsets;
    std::map<OffsetKey, int> pending;  // how many transactions may change it when they end
    std::optional<WallTime> empty_since;
  };
  template <class Reply>
  struct Waiter {
    Suspension done;
    std::optional<Reply> reply;
  };

  CoordinatorOptions options;
  eventlog::EventLog& log;
  Clock& clock;
  Random& random;
  Executor home;
  TaskGroup tasks;

  StateStream stream;
  std::map<GroupKey, Entry> groups;
  std::map<ReplyToken, Waiter<JoinReply>*> joins;
  std::map<ReplyToken, Waiter<SyncReply>*> syncs;
  ReplyToken last_token = 0;
  std::uint64_t last_removal = 0;
  Suspension stirred;  // a group may have a deadline now
  bool is_open = false;
  std::uint64_t live_bytes = 0;

  Task<JoinReply> join(GroupKey key, JoinInput input);
  Task<SyncReply> sync(GroupKey key, SyncRequest request);
  Task<KafkaError> heartbeat(GroupKey key, MemberIdentity member);
  Task<std::vector<KafkaError>> leave(GroupKey key, std::vector<MemberIdentity> members);
  Task<KafkaError> commit(GroupKey key, CommitRequest request);
  std::vector<eventlog::NewRecord> stage(const GroupKey& key, Entry& entry, Offsets& offsets);
  void settle_commit(const GroupKey& key, const Offsets& offsets,
                     std::optional<eventlog::Offset> written);
  Task<GroupOffsets> offsets(GroupKey key);
  Task<KafkaError> delete_group(GroupKey key);
  Task<KafkaError> delete_offsets(GroupKey key, std::vector<OffsetKey> which);
  Task<std::vector<GroupSummary>> list(std::string tenant);
  Task<GroupDescription> describe(GroupKey key);

  Task<Result<>> start();
  Result<> replay_record(const eventlog::Record& record);
  Task<void> stop();

  Task<void> watch();
  Task<void> expire();
  Task<void> write_snapshot();
  Task<void> expire_offsets();

  Entry* find(const GroupKey& key);
  Entry* find_or_make(const GroupKey& key);
  void deliver(GroupReplies replies);
  // After each input: notes when the group became empty, and forgets it when nothing is left of it.
  void settle(const GroupKey& key);
  Task<Result<eventlog::Offset>> append(std::vector<eventlog::NewRecord> records);
  Task<KafkaError> remove_offsets(GroupKey key, std::vector<OffsetKey> which);
  void settle_removal(const GroupKey& key, std::uint64_t removal,
                      const std::vector<OffsetKey>& which, std::optional<eventlog::Offset> written);
  eventlog::NewRecord record_of(const GroupKey& key, const OffsetKey& place,
                                const CommittedOffset* offset) const;
};

}  // namespace weft::kafka
