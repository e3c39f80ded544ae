#!/usr/bin/env python3
"""Weft beside Apache Kafka (KRaft, one broker): the same load by the same client, `weft bench stream`; and beside NATS
JetStream, whose own client loads it.

The servers are asked in turn (A B C C B A ...), each alone while the others stand still (SIGSTOP): Weft, whose
acknowledgement means fsynced; Kafka that flushes every message and NATS that syncs always, which promise the same; both
as they come, which acknowledge from memory. What one has left to the disk is written before the next is asked. CPU is
utime + stime of all threads of the server over a run, per record (per transaction, per MB) of it. The client shares the
machine, as `other_cores` and the tool's own `clientCores` tell. Kafka's jars are those of `./dev interop`; without them,
and without NATS, Weft is measured alone. Latencies end to end are set beside the disk's own syncs, catching up beside a bare sendfile(2).
"""
import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import nats_peer
import raw_sendfile
from node_under_test import BINARY, ROOT, Node, Usage, bar, bench_folder, emit, end, free_port, spread, wait_until

VERSION = "4.1.1"
JARS = ROOT / "build/interop/kafka" / VERSION / "lib"
NAMESPACE = ("apiVersion: weft/v1\nkind: Namespace\nmetadata: {name: bench, owner: bench}\n"
             "spec: {prefix: bench-, opaque: true, autoCreate: false}\n")
BROKER = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3600000
"""
# As Kafka's own start script has them.
JAVA = ["java", "-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
        "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true"]
# A client that cares for latency does not linger.
END_TO_END = ["--size", "1024", "--consumers", "1", "--property", "producer.linger.ms=0"]
BESIDE = "a new consumer beside live traffic"
CASES = {
    "100 B, 1 producer": ["--size", "100"],
    "100 B, 4 producers": ["--size", "100", "--producers", "4"],
    "1 KiB, 1 producer": ["--size", "1024"],
    "1 KiB, 4 producers": ["--size", "1024", "--producers", "4", "--outstanding", "2000"],
    "1 KiB at 1,000/s, end to end": [*END_TO_END, "--rate", "1000"],
    "1 KiB at 10,000/s, end to end": [*END_TO_END, "--rate", "10000"],
    "1 KiB at 50,000/s, end to end": [*END_TO_END, "--rate", "50000"],
    "1 KiB, 100 partitions": ["--size", "1024", "--producers", "4", "--outstanding", "2000", "--property",
                              "producer.batch.size=16384"],
    "transactions of 10": ["--size", "100", "--transaction", "10", "--property", "producer.linger.ms=0"],
    "catch up": None,
    BESIDE: None,
}
# Size, clients, and unacknowledged records of each: more than its client lets wait stall it.
NATS_CASES = {
    "100 B, 4 producers": (100, 4, 2000),
    "1 KiB, 4 producers": (1024, 4, 2000),
}
PARTITIONS = 4
LOAD_GRACE_SECONDS = 120  # to begin, and for the last outcomes
PARTITIONS_OF = {"1 KiB, 100 partitions": 100}
FILL = ["--size", "1024", "--rate", "150000", "--producers", "4", "--outstanding", "2000"]  # what is caught up with
CATCH_UP = ["--producers", "0", "--consumers", "1"]


class Kafka:
    """One broker of Apache Kafka that is its own controller."""

    def __init__(self, folder, settings=""):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.port = free_port()
        self.settings = self.folder / "server.properties"
        self.settings.write_text(BROKER.format(port=self.port, controller=free_port(), folder=folder) + settings)

    def __enter__(self):
        self._java("kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", self.settings)
        with open(self.folder / "kafka.log", "wb") as log:
            self.process = subprocess.Popen([*JAVA, "-cp", f"{JARS}/*", "kafka.Kafka", str(self.settings)], stdout=log,
                                            stderr=log, cwd=self.folder)
        self.brokers = f"127.0.0.1:{self.port}"
        wait_until(self._answers, 60, "Kafka's start")
        return self

    def _java(self, *words):
        subprocess.run([*JAVA, "-cp", f"{JARS}/*", *map(str, words)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def _answers(self):
        if self.process.poll() is not None:
            sys.exit(f"Kafka ended:\n{(self.folder / 'kafka.log').read_text(errors='replace')[-2000:]}")
        return subprocess.run(["kcat", "-b", self.brokers, "-m", "2", "-L"], capture_output=True).returncode == 0

    def __exit__(self, *_):
        end(self.process)

    @property
    def pid(self):
        return self.process.pid


@contextlib.contextmanager
def alone(name, servers):
    """The others stand still. Two Kafkas that idle cost the p99 of whoever shares two cores with them 1.5 ms."""
    others = [server.pid for other, server in servers.items() if other != name]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(0.5)  # what its timers owe since it stood still itself
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


def load(brokers, topic, words, seconds, partitions=PARTITIONS):
    command = [str(BINARY), "bench", "stream", topic, "--brokers", brokers, "--partitions", str(partitions), "--warm-up",
               "0s", "--duration", f"{seconds}s", "-o", "json", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + LOAD_GRACE_SECONDS)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return json.loads(done.stdout)


def measure(server, topic, words, seconds):
    os.sync()
    usage = Usage(server.pid)
    report = load(server.brokers, topic, words, seconds)
    spent = usage.end()
    cpu = spent["user"] + spent["system"]
    rows = {row["what"]: row for row in report["measured"]}
    line = {"other_cores": spent["other_cores"], "client_cores": report.get("clientCores", 0)}
    if "catch up" in rows:
        row = rows["catch up"]
        return line | {"mb_per_second": row["megabytesPerSecond"], "records_per_second": row["recordsPerSecond"],
                       "cpu_us": round(cpu * 1e6 / row["records"], 3), "cpu_ms_per_mb": round(cpu * 1e9 / row["bytes"], 3)}
    row = rows["produce"]
    line |= {"records_per_second": row["recordsPerSecond"], "mb_per_second": row["megabytesPerSecond"],
             "cpu_us": round(cpu * 1e6 / row["acknowledged"], 2), "p50_ms": row["latencyMs"]["p50"],
             "p99_ms": row["latencyMs"]["p99"]}
    if "commit" in rows:
        commit = rows["commit"]
        line |= {"transactions_per_second": commit["recordsPerSecond"], "commit_p50_ms": commit["latencyMs"]["p50"],
                 "commit_p99_ms": commit["latencyMs"]["p99"],
                 "cpu_us_per_transaction": round(cpu * 1e6 / max(1, commit["records"]), 1)}
    if "end to end" in rows:
        line |= {"end_to_end_p50_ms": rows["end to end"]["latencyMs"]["p50"],
                 "end_to_end_p99_ms": rows["end to end"]["latencyMs"]["p99"]}
    return line


def measure_beside(server, topic, seconds):
    """Latency end to end of 5,000 records/s, alone and while a new consumer reads another topic from its beginning, again and again."""
    live = [*END_TO_END, "--rate", "5000"]
    alone = measure(server, topic, live, seconds)
    read, ended = [], threading.Event()

    def catch_up():
        while not ended.is_set():
            rows = load(server.brokers, f"{topic}-old", CATCH_UP, seconds)["measured"]
            read.append(next(row for row in rows if row["what"] == "catch up")["megabytesPerSecond"])

    reader = threading.Thread(target=catch_up)
    reader.start()
    try:
        beside = measure(server, topic, live, seconds)
    finally:
        ended.set()
        reader.join()
    return {"other_cores": beside["other_cores"], "alone_p50_ms": alone["end_to_end_p50_ms"], "alone_p99_ms": alone["end_to_end_p99_ms"],
            "beside_p50_ms": beside["end_to_end_p50_ms"], "beside_p99_ms": beside["end_to_end_p99_ms"],
            "records_per_second": beside["records_per_second"], "catch_up_mb_per_second": round(statistics.median(read), 1)}


def fdatasync_p99_us(folder):
    """Of 4 KiB, with nothing else to do."""
    done = subprocess.run([ROOT / "build/release/raw_limits_bench", str(folder), "0.5"], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return next(row["p99"] for row in rows if row["name"] == "fdatasync_4k")


# What the machine does without a server, beside which the server is set.
BARE = {"end to end": fdatasync_p99_us, "catch up": raw_sendfile.measure}


def emit_bars(case, runs, raw, args):
    """Where a bar stands for the case."""
    if case == "1 KiB at 10,000/s, end to end":
        p99, most = spread(run["end_to_end_p99_ms"] for run in runs["weft"])["median"], 2 * spread(raw)["median"] / 1000 + 1
        emit({"bench": "stream", "case": case, "fdatasync_p99_us": spread(raw), "rounds": args.rounds,
              "bars": [bar(f"end to end p99 <= 2 x fdatasync p99 + 1 ms = {most:.2f} ms", p99, p99 <= most)]})
    if case == "catch up":
        cpu, alone = (spread(row["cpu_ms_per_mb"] for row in rows)["median"] for rows in (runs["weft"], raw))
        emit({"bench": "stream", "case": case, "sendfile_alone": {key: spread(row[key] for row in raw) for key in raw[0]},
              "bars": [bar("CPU of catching up <= 1.1 x sendfile alone", cpu / alone, cpu <= 1.1 * alone),
                       bar("CPU of catching up <= 0.15 s/GB, as set", cpu, cpu <= 0.15)]})


def run_case(case, servers, nats, args):
    words, topic = CASES[case], "bench-" + "".join(letter if letter.isalnum() else "-" for letter in case)
    if words is None:  # the same bytes for everybody
        words = CATCH_UP
        for server in servers.values():
            load(server.brokers, f"{topic}-old" if case == BESIDE else topic, FILL, 2 * args.seconds)
    if case == BESIDE:
        words = [*END_TO_END, "--rate", "5000"]
    for server in servers.values():  # makes the topic, too
        load(server.brokers, topic, words, args.seconds, PARTITIONS_OF.get(case, PARTITIONS))  # caches, files, and what a virtual machine compiles
    of_case = {**servers, **nats}
    runs, raw = {name: [] for name in of_case}, []
    for number in range(args.rounds):
        if bare := BARE.get(case.split(", ")[-1]):
            with alone(None, of_case):
                raw.append(bare(args.folder))
        for name in list(of_case) if number % 2 == 0 else reversed(list(of_case)):
            with alone(name, of_case):
                if case == BESIDE:
                    run = measure_beside(servers[name], topic, args.seconds)
                elif name in servers:
                    run = measure(servers[name], topic, words, args.seconds)
                else:
                    os.sync()
                    run = of_case[name].publish(case, *NATS_CASES[case], args.seconds)
            runs[name].append(run)
            emit({"bench": "stream", "case": case, "server": name, "round": number} | run)
    emit_bars(case, runs, raw, args)
    for name, of_server in runs.items():
        line = {key: spread(run[key] for run in of_server) for key in of_server[0]}
        if name != "weft":
            line["weft_ratio"] = {key: spread(own[key] / max(peer[key], 1e-9) for own, peer in zip(runs["weft"], of_server))
                                  for key in of_server[0] if key not in ("other_cores", "client_cores") and key in runs["weft"][0]}
        emit({"bench": "stream", "summary": case, "server": name, "rounds": len(of_server)} | line)


def start_servers(folder, stack, kafka):
    (folder / "estate").mkdir()
    (folder / "estate/estate.yaml").write_text(NAMESPACE)
    weft = stack.enter_context(Node(folder / "weft", folder / "estate", ["kafka.anonymous=true", "kafka.rebalanceDelay=0s"]))
    weft.brokers = weft.addresses["kafka"]
    servers = {"weft": weft}
    if kafka:
        servers["kafka flushed"] = stack.enter_context(Kafka(folder / "flushed", "log.flush.interval.messages=1\n"))
        servers["kafka"] = stack.enter_context(Kafka(folder / "kafka"))
    return servers


def start_nats(folder, stack):
    return {"nats synced": stack.enter_context(nats_peer.Nats(folder / "nats-synced", "always")),
            "nats": stack.enter_context(nats_peer.Nats(folder / "nats", "2m"))}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one; may be given several times")
    args = parser.parse_args()
    if args.quick:
        args.seconds, args.rounds = 2, 2
    kafka, no_nats = JARS.is_dir(), nats_peer.missing()
    emit({"bench": "stream", "kafka": VERSION if kafka else None, "seconds": args.seconds, "rounds": args.rounds,
          "partitions": PARTITIONS, "load": [round(value, 2) for value in os.getloadavg()]}
         | ({} if kafka else {"skipped": f"Apache Kafka: {JARS} is missing; ./dev interop kafka_tools fetches it"})
         | ({"skipped_nats": no_nats} if no_nats else {}))
    for case in args.case or CASES:  # each in a folder of its own: at a GB/s a few of them fill a disk
        with bench_folder("stream") as name, contextlib.ExitStack() as stack:
            args.folder = Path(name)
            servers = start_servers(args.folder, stack, kafka)
            nats = start_nats(args.folder, stack) if case in NATS_CASES and not no_nats else {}
            run_case(case, servers, nats, args)


if __name__ == "__main__":
    main()
