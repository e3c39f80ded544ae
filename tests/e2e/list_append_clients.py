"""Clients that append to lists and read them while the real binary is killed, and what they saw as a history.

A producer whose aborted transaction has records without an acknowledgement is not used again: librdkafka gives the sequence
numbers of records that it purges at an abort to those of the next transaction, also when they have arrived; a server then
takes a record of the next transaction for a repetition, and it is lost although its transaction is committed.

Run by itself it works for as long as it is told and prints what it found as JSON:
python3 list_append_clients.py --seconds 120 [--seed N] [--fault NAME]
"""
import argparse
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import confluent_kafka
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from librdkafka import recovery
from list_append_rules import ABORTED, COMMITTED, UNKNOWN, History, Judgement, Poll, Send, Transaction
from weft_process import BINARY, OnFixedPorts, wait_until

TOPICS = {"lists.first.appended.v1": 2, "lists.second.appended.v1": 2}
PLACES = [(topic, partition) for topic, partitions in TOPICS.items() for partition in range(partitions)]
WRITERS = 4
PLAIN_WRITERS = 1
CALL_SECONDS = 10
PATIENCE_SECONDS = 60  # for one commit or one fresh producer, over all restarts
clock = time.monotonic


def estate_document():
    return "---\n".join(f"apiVersion: weft/v1\nkind: Stream\nmetadata: {{name: {name}, owner: tests}}\n"
                        f"spec: {{opaque: true, partitions: {partitions}}}\n" for name, partitions in TOPICS.items())


def client(servers, **more):
    return {"bootstrap.servers": servers, "reconnect.backoff.max.ms": 300, "log_level": 0, **recovery(), **more}


class Reader:
    """A read_committed consumer that now and then moves to other partitions or back to the start."""
    isolation = "read_committed"

    def __init__(self, servers, name, chance, history):
        self.name, self.chance, self.history = name, chance, history
        self.sessions = 0
        self.positions = {}
        self.servers = servers
        self.consumer = None
        self.move()

    def move(self):
        """A consumer of its own for each move, from offsets that are known: librdkafka 2.0 may abort when it is given other
        partitions quickly, and the end of a partition, once asked for, may come when the reader has moved on."""
        if self.consumer:
            self.consumer.close()
        self.consumer = Consumer(client(self.servers, **{"group.id": self.name, "isolation.level": self.isolation,
                                                         "enable.auto.commit": False, "auto.offset.reset": "error"}))
        self.sessions += 1
        self.session = f"{self.name}/{self.sessions}"
        from_start = self.chance.random() < 0.5
        starts = {place: 0 if from_start else self.chance.randint(0, self.positions.get(place, 0))
                  for place in self.chance.sample(range(len(PLACES)), self.chance.randint(1, len(PLACES)))}
        for place, offset in starts.items():
            self.history.starts[self.session, place] = offset
        self.consumer.assign([TopicPartition(*PLACES[place], offset) for place, offset in starts.items()])

    def poll(self, seconds=0.05):
        """The values that came; they are in the history."""
        messages = self.consumer.consume(self.chance.choice([1, 10, 100]), seconds)
        returned = clock()
        values = []
        for message in messages:
            error = message.error()
            if error is None:
                values.append(message.value().decode())
                self.history.polls.append(Poll(self.session, place_of(message), message.offset(), values[-1], returned))
                self.positions[place_of(message)] = message.offset() + 1
            else:
                # What came behind a place that is gone would otherwise be read as if nothing had happened.
                assert error.code() != KafkaError._AUTO_OFFSET_RESET and error.code() != KafkaError.OFFSET_OUT_OF_RANGE, error
        return values


def place_of(message):
    return PLACES.index((message.topic(), message.partition()))


class Client(threading.Thread):
    def __init__(self, servers, name, seed, history, ending):
        super().__init__(name=name, daemon=True)
        self.servers, self.history, self.ending = servers, history, ending
        self.chance = random.Random(f"{seed} {name}")
        self.count = 0
        self.problem = None

    def run(self):
        try:
            self.work()
        except Exception as error:  # pylint: disable=broad-except  # the main thread tells of it
            self.problem = f"{self.name}: {error!r}"

    def next(self, **more):
        self.count += 1
        transaction = Transaction(self.name, self.count, **more)
        self.history.transactions.append(transaction)
        return transaction

    def send(self, producer, transaction, acknowledged=None):
        place = self.chance.randrange(len(PLACES))
        sent = Send(f"{self.name}.{transaction.number}.{len(transaction.sends)}", place, clock())
        transaction.sends.append(sent)

        def delivered(error, message):
            if error is None:
                sent.acknowledged, sent.offset = clock(), message.offset()
                if acknowledged:
                    acknowledged()

        value = sent.value.encode()
        topic, partition = PLACES[place]
        producer.produce(topic, key=value * self.chance.choice([1, 1, 200]), value=value, partition=partition, on_delivery=delivered)
        producer.poll(0)


class PlainWriter(Client):
    """An idempotent producer without transactions: each record stands for itself, and is unknown until it is acknowledged."""

    def work(self):
        producer = Producer(client(self.servers, **{"enable.idempotence": True, "linger.ms": 0}))
        while not self.ending.is_set():
            for _ in range(self.chance.randint(1, 5)):
                transaction = self.next(asked=clock())

                def committed(transaction=transaction):
                    transaction.outcome = COMMITTED

                self.send(producer, transaction, committed)
            producer.flush(PATIENCE_SECONDS)
            self.ending.wait(self.chance.uniform(0, 0.05))
        assert producer.flush(PATIENCE_SECONDS) == 0, "records were not acknowledged within a minute"


class Writer(Client):
    """Runs transactions of sends and polls under one transactional id, over as many producers as it takes."""

    def __init__(self, *words, timeout_ms):
        super().__init__(*words)
        self.timeout_ms = timeout_ms
        self.producer = None
        self.reader = Reader(self.servers, f"reader of {self.name}", self.chance, self.history)

    def work(self):
        while not self.ending.is_set():
            if self.producer is None:
                self.producer = self.fresh_producer()
            self.transaction(self.producer)
        # The last word under this id: what an earlier producer left open is aborted.
        self.fresh_producer()
        self.reader.consumer.close()

    def fresh_producer(self):
        deadline = clock() + PATIENCE_SECONDS
        producer = Producer(client(self.servers, **{"transactional.id": self.name, "linger.ms": 0, "transaction.timeout.ms": self.timeout_ms,
                                                    "message.timeout.ms": self.timeout_ms}))
        while True:
            try:
                producer.init_transactions(CALL_SECONDS)
                return producer
            except KafkaException as error:
                assert error.args[0].retriable() and clock() < deadline, f"no producer: {error}"

    def transaction(self, producer):
        transaction = self.next()
        try:
            producer.begin_transaction()
            for _ in range(self.chance.randint(1, 5)):
                self.step(producer, transaction)
            self.send(producer, transaction)
            if self.chance.random() < 0.4:
                transaction.group = True
                place = TopicPartition(*PLACES[0], transaction.number)
                producer.send_offsets_to_transaction([place], self.reader.consumer.consumer_group_metadata(), CALL_SECONDS)
        except KafkaException as error:
            self.recover(producer, transaction, error)
            return
        fate = self.chance.random()
        if fate < 0.12:
            self.abort(producer, transaction)
        elif fate < 0.18:
            self.abandon(producer, transaction)
        else:
            self.commit(producer, transaction)

    def step(self, producer, transaction):
        fate = self.chance.random()
        if fate < 0.3:
            transaction.polled += self.reader.poll()
        elif fate < 0.34:
            self.reader.move()
        elif fate < 0.36:
            self.ending.wait(self.chance.uniform(0, 1.5 * self.timeout_ms / 1000) if self.timeout_ms < 2000 else 0)
        elif fate < 0.5:
            producer.flush(1)
        else:
            self.send(producer, transaction)

    def commit(self, producer, transaction):
        transaction.asked = clock()
        patient = self.chance.random() < 0.5
        deadline = clock() + (PATIENCE_SECONDS if patient else 0)
        while True:
            try:
                producer.commit_transaction(CALL_SECONDS if patient else 0.2)
                transaction.outcome = COMMITTED
                return
            except KafkaException as error:
                told = error.args[0]
                if not told.retriable() or told.txn_requires_abort():
                    self.recover(producer, transaction, error)
                    return
                if clock() > deadline:
                    self.producer = None  # nobody will ever know
                    return
                # The same call again, as the client's manual asks for.

    def recover(self, producer, transaction, error):
        """After a failed call: the client says whether the transaction can still be aborted."""
        if error.args[0].fatal():
            self.producer = None
            if transaction.asked == float("inf"):
                transaction.outcome = ABORTED
            return
        self.abort(producer, transaction)

    def abort(self, producer, transaction):
        deadline = clock() + PATIENCE_SECONDS
        while True:
            try:
                producer.abort_transaction(CALL_SECONDS)
                transaction.outcome = ABORTED
                if any(send.offset is None for send in transaction.sends):
                    self.producer = None  # see the top
                return
            except KafkaException as error:
                if error.args[0].retriable() and clock() < deadline:
                    continue
                self.producer = None
                # Nobody asked for its commit, so it cannot have been committed.
                transaction.outcome = UNKNOWN if transaction.asked < float("inf") else ABORTED
                return

    def abandon(self, producer, transaction):
        """Another producer of the same id takes over; then the first tries to commit."""
        self.producer = self.fresh_producer()
        transaction.asked, transaction.outcome = clock(), ABORTED
        try:
            producer.commit_transaction(CALL_SECONDS)
            transaction.outcome = COMMITTED  # it says so
        except KafkaException:
            pass


def crash_points():
    """The log's, as the binary lists them."""
    listed = subprocess.run([str(BINARY), "serve", "--data", "/nonexistent"], text=True, capture_output=True, timeout=20,
                            env={"WEFT_CRASH_AT": "?"}).stderr
    return [point for point in listed.split("there are:\n")[1].split() if point.startswith("log.")]


class Chaos:
    """Ends the node's lives: kills it at moments by chance, lets it kill itself at a point that the binary names, stops it."""

    def __init__(self, weft, seed):
        self.weft = weft
        self.chance = random.Random(f"{seed} chaos")
        self.points = crash_points()
        self.kills = self.stops = 0
        self.at_points = set()

    def life(self, seconds):
        point = self.chance.choice([None, *self.points])
        how = signal.SIGTERM if point == "log.during-close" or self.chance.random() < 0.1 else signal.SIGKILL
        if point:
            self.weft.environment["WEFT_CRASH_AT"] = f"{point}:{self.chance.choice([1, 1, 2, 10, 50, 200])}"
        by_itself = True
        try:
            self.weft.start()
            self.weft.process.wait(min(seconds, self.chance.uniform(0.2, 3)))
        except subprocess.TimeoutExpired:
            by_itself = False
            self.weft.process.send_signal(how)
        except AssertionError:
            assert self.weft.process.poll() == -signal.SIGKILL, self.weft.log_text()[-2000:]  # a point of the start
        finally:
            self.weft.environment.pop("WEFT_CRASH_AT", None)
        status = self.weft.process.wait(30)
        self.weft.log.close()
        self.count(status, how, point if by_itself or how == signal.SIGTERM else None)

    def count(self, status, how, point):
        if status == 0 and how == signal.SIGTERM:
            self.stops += 1
            return
        assert status == -signal.SIGKILL, f"{status}: {self.weft.log_text()[-2000:]}"
        self.kills += 1
        if point:
            self.at_points.add(point)


def node(folder):
    from conftest import free_port

    estate = Path(folder) / "estate"
    estate.mkdir()
    (estate / "streams.yaml").write_text(estate_document())
    ports = [f"ports.{name}=0" for name in ("admin", "gateway", "ops", "otlp")]
    return OnFixedPorts(folder, estate=estate, settings=[
        *ports, f"ports.kafka={free_port()}", "kafka.anonymous=true", "kafka.rebalanceDelay=0s",
        "log.walFileBytes=1MiB", "log.reserveBytes=1MiB"])


def read_to_the_end(servers, isolation):
    """All partitions from their starts to where this isolation ends: records and ends."""
    consumer = Consumer(client(servers, **{"group.id": "last", "isolation.level": isolation, "enable.auto.commit": False,
                                           "auto.offset.reset": "error", "enable.partition.eof": True}))
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in PLACES])
    records, ends = {place: [] for place in range(len(PLACES))}, {}
    deadline = clock() + PATIENCE_SECONDS
    while len(ends) < len(PLACES):
        assert clock() < deadline, f"{isolation}: no end of all partitions within {PATIENCE_SECONDS} s"
        for message in consumer.consume(500, 1):
            if message.error() is None:
                records[place_of(message)].append((message.offset(), message.value().decode()))
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ends[place_of(message)] = message.offset()
    consumer.close()
    return records, ends


def read_groups(servers, history):
    for writer in {transaction.writer for transaction in history.transactions if transaction.group}:
        consumer = Consumer(client(servers, **{"group.id": f"reader of {writer}", "enable.auto.commit": False}))
        offset = consumer.committed([TopicPartition(*PLACES[0])], timeout=CALL_SECONDS)[0].offset
        if offset >= 0:
            history.groups[writer] = offset
        consumer.close()


def run(weft, seconds, seed, fault):
    """Works for that many seconds under kills; gives the history and the chaos. The node runs at the end."""
    history, ending = History(), threading.Event()
    if fault == "uncommitted":
        Reader.isolation = "read_uncommitted"
    weft.start()
    writers = [Writer(weft.kafka, f"w{number}", seed, history, ending, timeout_ms=1000 if number == 0 else 20_000)
               for number in range(WRITERS)]
    plain = [PlainWriter(weft.kafka, f"p{number}", seed, history, ending) for number in range(PLAIN_WRITERS)]
    for each in [*writers, *plain]:
        each.start()
    chaos = Chaos(weft, seed)
    weft.kill()
    deadline = clock() + seconds
    while clock() < deadline:
        chaos.life(deadline - clock() + 0.2)
    if fault == "forgetful":
        shutil.copytree(weft.data, weft.folder / "earlier")
    weft.start()
    if fault == "forgetful":
        last = len(history.transactions)
        wait_until(lambda: any(each.outcome == COMMITTED for each in history.transactions[last:]), PATIENCE_SECONDS, "a commit")
    ending.set()
    for each in [*writers, *plain]:
        each.join(4 * PATIENCE_SECONDS)
        assert not each.is_alive(), f"{each.name} did not end although the node runs"
        assert each.problem is None, each.problem
    if fault == "forgetful":
        weft.kill()
        shutil.rmtree(weft.data)
        (weft.folder / "earlier").rename(weft.data)
        weft.start()
        for each in writers:
            each.fresh_producer()  # what was open earlier is aborted
    history.committed, history.stable_ends = read_to_the_end(weft.kafka, "read_committed")
    history.everything, history.ends = read_to_the_end(weft.kafka, "read_uncommitted")
    read_groups(weft.kafka, history)
    return history, chaos


def summary(history, chaos, judgement):
    outcomes = [transaction.outcome for transaction in history.transactions]
    return {"librdkafka": confluent_kafka.libversion()[0], "kills": chaos.kills, "stops": chaos.stops, "at": sorted(chaos.at_points),
            "transactions": len(outcomes), **{outcome: outcomes.count(outcome) for outcome in (COMMITTED, ABORTED, UNKNOWN)},
            "polled": len(history.polls), "stored": sum(map(len, history.everything.values())),
            "write cycles": judgement.write_cycles, "mixed cycles": judgement.mixed_cycles, "violations": judgement.violations[:20]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--fault", choices=["uncommitted", "forgetful"],
                        help="break a promise on purpose: readers that ask for uncommitted records, a node that comes back with older data")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        weft = node(folder)
        try:
            history, chaos = run(weft, options.seconds, options.seed, options.fault)
        finally:
            if weft.process and weft.process.poll() is None:
                weft.kill()
    judgement = Judgement(history)
    print(json.dumps({"seed": options.seed, **summary(history, chaos, judgement)}))
    return 1 if judgement.violations else 0


if __name__ == "__main__":
    sys.exit(main())
