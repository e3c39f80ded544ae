"""Decides from what clients saw whether a log kept its promises. Knows no broker and believes none.

The workload is the one of Jepsen's and Elle's checks of Kafka: transactions append values, each of which exists once, to
several partitions and poll what others appended, while the server is killed. A transaction whose commit had no answer is
unknown: it may have happened, as a whole, or not.

Kafka's transactions do not keep two of them from writing between each other's records, so cycles of writes alone (G0), or
of writes and reads, by the order in the log are allowed there; they are counted. A cycle of reads alone is none of these:
each of its transactions would have seen another's records before that one was committed.
"""
import bisect
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field

COMMITTED, ABORTED, UNKNOWN = "committed", "aborted", "unknown"


@dataclass
class Send:
    value: str
    partition: int
    begun: float = 0.0
    acknowledged: float = math.inf
    offset: int | None = None


@dataclass
class Transaction:
    """`number` grows with each transaction of its writer. Times are seconds of one clock."""
    writer: str
    number: int
    sends: list = field(default_factory=list)
    polled: list = field(default_factory=list)  # values, in its own polls
    asked: float = math.inf  # when its commit was asked for
    outcome: str = UNKNOWN
    group: bool = False  # whether it committed its number as the offset of its writer's group


@dataclass
class Poll:
    """A record that a read_committed reader was given; a session ends where the reader moves itself."""
    session: str
    partition: int
    offset: int
    value: str
    returned: float


@dataclass
class History:
    transactions: list = field(default_factory=list)
    polls: list = field(default_factory=list)  # in the order of each session
    starts: dict = field(default_factory=dict)  # (session, partition) -> offset from which it reads
    committed: dict = field(default_factory=dict)  # partition -> [(offset, value)], the last read_committed read
    everything: dict = field(default_factory=dict)  # the same, read_uncommitted
    ends: dict = field(default_factory=dict)  # partition -> offset behind its last record
    stable_ends: dict = field(default_factory=dict)  # partition -> where the read_committed read ended
    groups: dict = field(default_factory=dict)  # writer -> its group's offset at the end; absent: none


class Judgement:
    """What was found: `violations` is empty when all was kept."""

    def __init__(self, history):
        self.history = history
        self.violations = []
        self.write_cycles = 0
        self.mixed_cycles = 0
        self.sends = {send.value: (transaction, send) for transaction in history.transactions for send in transaction.sends}
        self.place = {value: (partition, offset) for partition, records in history.everything.items()
                      for offset, value in records}
        self.visible = {value for records in history.committed.values() for _, value in records}
        for rule in (self.offsets_are_unique, self.values_are_unique, self.outcomes_are_kept, self.reads_are_committed,
                     self.readers_skip_nothing, self.order_is_the_writers, self.order_is_that_of_time,
                     self.groups_move_with_records, self.nothing_is_stuck, self.cycles):
            rule()

    def say(self, rule, what):
        self.violations.append(f"{rule}: {what}")

    def rules_broken(self):
        return sorted({violation.split(":")[0] for violation in self.violations})

    def observations(self):
        """All who saw a value somewhere: (partition, offset, value, who)."""
        for poll in self.history.polls:
            yield poll.partition, poll.offset, poll.value, f"reader {poll.session}"
        for name, read in (("committed", self.history.committed), ("everything", self.history.everything)):
            for partition, records in read.items():
                for offset, value in records:
                    yield partition, offset, value, f"the last read of what is {name}"
        for transaction, send in self.sends.values():
            if send.offset is not None:
                yield send.partition, send.offset, send.value, f"the acknowledgement to {transaction.writer}"

    def offsets_are_unique(self):
        seen = {}
        for partition, offset, value, who in self.observations():
            known, first = seen.setdefault((partition, offset), (value, who))
            if known != value:
                self.say("inconsistent", f"{partition}@{offset} is {known} to {first} and {value} to {who}")

    def values_are_unique(self):
        seen = {}
        for partition, offset, value, who in self.observations():
            if value not in self.sends:
                self.say("phantom", f"{value} at {partition}@{offset} was never sent, said {who}")
                continue
            if partition != self.sends[value][1].partition:
                self.say("misplaced", f"{value} was sent to {self.sends[value][1].partition}, and {who} saw it in {partition}")
            known, first = seen.setdefault(value, ((partition, offset), who))
            if known != (partition, offset):
                self.say("duplicate", f"{value} is at {known[0]}@{known[1]} to {first} and at {partition}@{offset} to {who}")
        for name, read in (("committed", self.history.committed), ("everything", self.history.everything)):
            counts = Counter(value for records in read.values() for _, value in records)
            for value, times in counts.items():
                if times > 1:
                    self.say("duplicate", f"{value} is {times} times in the last read of what is {name}")

    def outcomes_are_kept(self):
        for transaction in self.history.transactions:
            values = [send.value for send in transaction.sends]
            there = [value for value in values if value in self.visible]
            name = f"transaction {transaction.number} of {transaction.writer}"
            if transaction.outcome == COMMITTED and len(there) < len(values):
                self.say("lost", f"{name} was committed; {sorted(set(values) - set(there))} are gone")
            if transaction.outcome == ABORTED and there:
                self.say("aborted read", f"{name} was aborted; {there} are there")
            if transaction.outcome == UNKNOWN and 0 < len(there) < len(values):
                self.say("torn", f"of {name}, whose outcome is unknown, {there} are there, and not {sorted(set(values) - set(there))}")
        for value in self.visible - set(self.place):
            self.say("inconsistent", f"{value} is read by read_committed readers alone")

    def reads_are_committed(self):
        for poll in self.history.polls:
            if poll.value not in self.sends:
                continue
            transaction, _ = self.sends[poll.value]
            if transaction.outcome == ABORTED:
                self.say("aborted read", f"reader {poll.session} saw {poll.value} of an aborted transaction")
            elif poll.returned < transaction.asked:
                self.say("dirty read", f"reader {poll.session} saw {poll.value} before its commit was asked for")
            elif poll.value not in self.visible:
                self.say("lost", f"reader {poll.session} saw {poll.value}; it is gone")

    def readers_skip_nothing(self):
        """Between two records that a reader was given, no committed record may lie: this also finds reads of a part of a
        transaction (G1b), of a partition at an older state, and backwards."""
        at = {partition: {value: index for index, (_, value) in enumerate(records)}
              for partition, records in self.history.committed.items()}
        last = {}
        for poll in self.history.polls:
            index = at.get(poll.partition, {}).get(poll.value)
            if index is None:
                continue  # said elsewhere
            key = (poll.session, poll.partition)
            expected = last[key] + 1 if key in last else self.first_from(poll.partition, self.history.starts[key])
            if index < expected:
                self.say("backwards", f"reader {poll.session} was given {poll.value} of {poll.partition} again or late")
            elif index > expected:
                skipped = self.history.committed[poll.partition][expected]
                self.say("skipped", f"reader {poll.session} was given {poll.value} of {poll.partition}, not {skipped[1]} before")
            last[key] = index

    def first_from(self, partition, offset):
        """The index of the first committed record at that offset or behind it."""
        return bisect.bisect_left(self.history.committed[partition], (offset, ""))

    def order_is_the_writers(self):
        last = {}
        ordered = sorted(self.history.transactions, key=lambda transaction: (transaction.writer, transaction.number))
        for transaction in ordered:
            for send in transaction.sends:
                if send.value not in self.place:
                    continue
                key = (transaction.writer, send.partition)
                offset = self.place[send.value][1]
                if key in last and offset < last[key][0]:
                    self.say("reordered", f"{transaction.writer} sent {last[key][1]} before {send.value}, which is before it in {send.partition}")
                last[key] = (offset, send.value)

    def order_is_that_of_time(self):
        """What was acknowledged before another send began has the smaller offset."""
        for partition, records in self.history.everything.items():
            latest = None
            for _, value in sorted(records):
                if value not in self.sends:
                    continue
                send = self.sends[value][1]
                if latest is not None and send.acknowledged < latest.begun:
                    self.say("late", f"{value} was acknowledged before {latest.value} was sent, and is behind it in {partition}")
                if latest is None or send.begun > latest.begun:
                    latest = send

    def groups_move_with_records(self):
        numbers = defaultdict(set)
        for transaction in self.history.transactions:
            if transaction.group and any(send.value in self.visible for send in transaction.sends):
                numbers[transaction.writer].add(transaction.number)
        for writer in {transaction.writer for transaction in self.history.transactions if transaction.group}:
            offset, latest = self.history.groups.get(writer), max(numbers[writer], default=None)
            if offset != latest:
                self.say("offsets apart", f"the group of {writer} is at {offset}; its last visible transaction is {latest}")

    def nothing_is_stuck(self):
        for partition, end in self.history.ends.items():
            if self.history.stable_ends.get(partition) != end:
                self.say("stuck", f"{partition} ends at {end}, and for read_committed readers at {self.history.stable_ends.get(partition)}")

    def writes(self):
        """ww edges of transactions by their neighbourhood in the log."""
        edges = defaultdict(set)
        for records in self.history.committed.values():
            owners = [id(self.sends[value][0]) for _, value in sorted(records) if value in self.sends]
            for before, after in zip(owners, owners[1:]):
                if before != after:
                    edges[before].add(after)
        return edges

    def reads(self):
        """wr edges: from the writer of what a transaction polled to that transaction."""
        edges = defaultdict(set)
        for transaction in self.history.transactions:
            for value in transaction.polled:
                if value in self.sends and self.sends[value][0] is not transaction:
                    edges[id(self.sends[value][0])].add(id(transaction))
        return edges

    def cycles(self):
        names = {id(transaction): f"{transaction.number} of {transaction.writer}" for transaction in self.history.transactions}
        writes, reads = self.writes(), self.reads()
        for cycle in strong_components(reads):
            self.say("read cycle", "each saw another's records: " + ", ".join(sorted(names[each] for each in cycle)))
        self.write_cycles = len(strong_components(writes))
        both = {node: writes[node] | reads[node] for node in {*writes, *reads}}
        self.mixed_cycles = len(strong_components(both))


def strong_components(edges):
    """Tarjan's strongly connected components of more than one node, without recursion."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in list(edges):
        if root in index:
            continue
        work = [(root, iter(edges.get(root, ())))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            after = next(following, None)
            if after is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = [stack.pop()]
                    while component[-1] != node:
                        component.append(stack.pop())
                    on_stack.difference_update(component)
                    if len(component) > 1:
                        found.append(component)
            elif after not in index:
                index[after] = low[after] = len(index)
                stack.append(after)
                on_stack.add(after)
                work.append((after, iter(edges.get(after, ()))))
            elif after in on_stack:
                low[node] = min(low[node], index[after])
    return found
