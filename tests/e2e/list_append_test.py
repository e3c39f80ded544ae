"""Transactions of appends and polls under kill -9, and proof that the judge of their histories finds each kind of fault."""
import copy
import math
import sys

import pytest
from list_append_process import told_by_clients
from list_append_rules import ABORTED, COMMITTED, UNKNOWN, History, Judgement, Poll, Send, Transaction, strong_components

SECONDS = 15


def sound_history():
    """Two partitions. `a` committed 1, aborted 2 and does not know 3, which is there; `b` committed 1 and does not know
    2, which is not. Offsets of markers have no record."""
    def transaction(writer, number, outcome, asked, *sends, polled=()):
        return Transaction(writer, number, [Send(*send) for send in sends], list(polled), asked, outcome, True)

    history = History()
    history.transactions = [
        transaction("a", 1, COMMITTED, 3, ("a1x", 0, 1, 2, 0), ("a1y", 1, 1, 2, 0)),
        transaction("b", 1, COMMITTED, 8, ("b1x", 0, 5, 6, 2), ("b1y", 0, 6.5, 7, 3), polled=["a1x"]),
        transaction("a", 2, ABORTED, math.inf, ("a2x", 0, 10, 11, 5), ("a2y", 1, 11)),
        transaction("b", 2, UNKNOWN, 13, ("b2x", 0, 12, 12.5, 7), ("b2y", 1, 12)),
        transaction("a", 3, UNKNOWN, 16, ("a3x", 0, 15, 15.5, 9), ("a3y", 1, 15), polled=["b1y", "b1x"])]
    history.committed = {0: [(0, "a1x"), (2, "b1x"), (3, "b1y"), (9, "a3x")], 1: [(0, "a1y"), (3, "a3y")]}
    history.everything = {0: [(0, "a1x"), (2, "b1x"), (3, "b1y"), (5, "a2x"), (7, "b2x"), (9, "a3x")],
                          1: [(0, "a1y"), (3, "a3y")]}
    history.ends = {0: 11, 1: 5}
    history.stable_ends = {0: 11, 1: 5}
    history.groups = {"a": 3, "b": 1}
    history.starts = {("r/1", 0): 0, ("r/1", 1): 0, ("r/2", 0): 1}
    history.polls = [Poll("r/1", 0, 0, "a1x", 4), Poll("r/1", 1, 0, "a1y", 4), Poll("r/1", 0, 2, "b1x", 9),
                     Poll("r/1", 0, 3, "b1y", 9), Poll("r/2", 0, 2, "b1x", 9)]
    return history


def drop(history, value, *reads):
    for read in reads:
        for records in read.values():
            records[:] = [record for record in records if record[1] != value]


def lose_an_acknowledged_record(history):
    drop(history, "b1y", history.committed, history.everything)
    history.polls = [poll for poll in history.polls if poll.value != "b1y"]


def tear_an_unknown_transaction(history):
    drop(history, "a3y", history.committed)


def show_a_part_of_what_never_happened(history):
    history.committed[0].insert(3, (7, "b2x"))
    history.groups["b"] = 2


def commit_what_was_aborted(history):
    history.committed[0].insert(3, (5, "a2x"))
    history.committed[1].insert(1, (1, "a2y"))
    history.everything[1].insert(1, (1, "a2y"))


def give_a_reader_what_was_aborted(history):
    history.polls.append(Poll("r/2", 0, 5, "a2x", 20))


def give_a_reader_what_is_not_yet_committed(history):
    history.polls[0].returned = 2.5


def give_a_reader_what_is_gone_later(history):
    history.polls.append(Poll("r/2", 0, 7, "b2x", 20))


def store_a_record_twice(history):
    history.committed[0].insert(1, (1, "a1x"))
    history.everything[0].insert(1, (1, "a1x"))


def store_an_aborted_record_twice(history):
    history.everything[0].insert(4, (6, "a2x"))


def store_what_nobody_sent(history):
    history.committed[1].insert(1, (1, "ghost"))
    history.everything[1].insert(1, (1, "ghost"))


def store_it_in_another_partition(history):
    for read in (history.committed, history.everything):
        read[0].insert(3, (4, "a3y"))
        read[1].pop()


def tell_two_readers_of_one_offset_differently(history):
    history.polls[2].value, history.polls[3].value = "b1y", "b1x"


def acknowledge_another_offset(history):
    history.transactions[0].sends[0].offset = 1


def skip_a_record(history):
    del history.polls[2]


def begin_behind_the_start(history):
    del history.polls[0]


def give_a_record_again(history):
    history.polls.append(Poll("r/1", 0, 2, "b1x", 10))


def swap_a_writers_records(history):
    history.transactions[1].sends.reverse()
    for send, begun in zip(history.transactions[1].sends, (5, 6.5)):
        send.begun, send.acknowledged = begun, math.inf


def order_against_time(history):
    history.transactions[1].sends[0].begun = history.transactions[1].sends[1].begun = 15.7


def forget_offsets_of_a_transaction(history):
    history.groups["a"] = 1


def keep_offsets_of_an_aborted_transaction(history):
    history.transactions.pop()
    drop(history, "a3x", history.committed, history.everything)
    drop(history, "a3y", history.committed, history.everything)
    history.groups["a"] = 2


def leave_a_transaction_open(history):
    history.stable_ends[0] = 9


def let_two_transactions_see_each_other(history):
    history.transactions[0].polled = ["b1x"]


BROKEN = {
    lose_an_acknowledged_record: ["lost"],
    tear_an_unknown_transaction: ["torn"],
    show_a_part_of_what_never_happened: ["torn"],
    commit_what_was_aborted: ["aborted read"],
    give_a_reader_what_was_aborted: ["aborted read"],
    give_a_reader_what_is_not_yet_committed: ["dirty read"],
    give_a_reader_what_is_gone_later: ["lost"],
    store_a_record_twice: ["duplicate"],
    store_an_aborted_record_twice: ["duplicate"],
    store_what_nobody_sent: ["phantom"],
    store_it_in_another_partition: ["misplaced"],
    tell_two_readers_of_one_offset_differently: ["duplicate", "inconsistent"],
    acknowledge_another_offset: ["duplicate"],
    skip_a_record: ["skipped"],
    begin_behind_the_start: ["skipped"],
    give_a_record_again: ["backwards"],
    swap_a_writers_records: ["reordered"],
    order_against_time: ["late"],
    forget_offsets_of_a_transaction: ["offsets apart"],
    keep_offsets_of_an_aborted_transaction: ["offsets apart"],
    leave_a_transaction_open: ["stuck"],
    let_two_transactions_see_each_other: ["read cycle"],
}


def test_a_sound_history_breaks_no_rule():
    assert Judgement(sound_history()).violations == []


@pytest.mark.parametrize("fault", BROKEN, ids=lambda fault: fault.__name__)
def test_the_judge_finds(fault):
    history = copy.deepcopy(sound_history())
    fault(history)
    found = Judgement(history).rules_broken()
    assert set(BROKEN[fault]) <= set(found), found


def test_the_judge_names_each_rule_in_some_fault():
    assert {rule for rules in BROKEN.values() for rule in rules} == {
        "inconsistent", "phantom", "misplaced", "duplicate", "lost", "aborted read", "torn", "dirty read", "backwards",
        "skipped", "reordered", "late", "offsets apart", "stuck", "read cycle"}


def test_cycles_of_writes_are_counted_and_allowed():
    history = sound_history()
    history.transactions[0].sends[1].acknowledged = history.transactions[4].sends[1].acknowledged = math.inf
    history.transactions[0].sends[1].offset = None
    history.transactions[4].sends[1].begun = 1
    history.transactions[0].writer = "c"
    history.groups["c"] = 1
    for read in (history.committed, history.everything):
        read[1] = [(0, "a3y"), (3, "a1y")]
    history.polls = [poll for poll in history.polls if poll.partition == 0]
    judgement = Judgement(history)
    assert judgement.violations == []
    assert judgement.write_cycles == 1 and judgement.mixed_cycles == 1


def test_strong_components_are_found_at_any_depth():
    chain = {node: {node + 1} for node in range(20_000)}
    assert strong_components(chain) == []
    assert [sorted(component) for component in strong_components({**chain, 20_000: {19_998}, 7: {8, 5}})] == [
        [19_998, 19_999, 20_000], [5, 6, 7]]


def test_transactions_keep_their_promises_under_kill_minus_nine():
    pytest.importorskip("confluent_kafka")
    told = told_by_clients(sys.executable, SECONDS)
    assert told["violations"] == []
    assert told["kills"] + told["stops"] >= 3 and told["committed"] > 100 and told["aborted"] > 10 and told["polled"] > 100, told


def test_readers_that_ask_for_uncommitted_records_are_found_out():
    pytest.importorskip("confluent_kafka")
    rules = {violation.split(":")[0] for violation in told_by_clients(sys.executable, 4, "--fault", "uncommitted")["violations"]}
    assert rules & {"dirty read", "aborted read"}


def test_a_node_that_comes_back_with_older_data_is_found_out():
    pytest.importorskip("confluent_kafka")
    rules = {violation.split(":")[0] for violation in told_by_clients(sys.executable, 4, "--fault", "forgetful")["violations"]}
    assert "lost" in rules
