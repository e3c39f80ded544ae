#!/usr/bin/env python3
"""The event log at size, the real binary: producing to 10,000 partitions beside 100, what an idle partition and an idle
connection hold in memory, the start after kill -9, and the CPU of checking each record of a stream.

Loads come from `weft bench stream` on the same machine. Ratios are taken in turn (A B B A ...). Memory is the process's
resident memory, before and after, at rest.
"""
import argparse
import asyncio
import json
import resource
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

from node_under_test import BINARY, ROOT, Node, Usage, bar, bench_folder, emit, resident_mb, spread, wait_until

FEW, MANY = 100, 10_000
RECORD_BYTES = 10_000  # of what is stored before a restart
TOPICS_OF_MANY = 10  # partitions are spread over as many streams
STREAM = "---\napiVersion: weft/v1\nkind: Stream\nmetadata: {{name: {name}, owner: bench}}\nspec: {{partitions: {partitions}, {rest}}}\n"
SCHEMA = """---
apiVersion: weft/v1
kind: Schema
metadata: {name: scale.checked.sent.v1, owner: bench}
spec:
  format: json-schema
  definition:
    $schema: https://json-schema.org/draft/2020-12/schema
    type: object
    required: [id, customer, lines]
    properties:
      id: {type: string, minLength: 1}
      customer: {type: object, required: [name], properties: {name: {type: string}, city: {type: string}}}
      lines: {type: array, items: {type: object, required: [sku, quantity], properties: {sku: {type: string}, quantity: {type: integer, minimum: 1}}}}
"""


def estate_of(folder, documents):
    folder.mkdir(parents=True)
    (folder / "estate.yaml").write_text("".join(documents))
    return folder


def stream(name, partitions, rest="opaque: true"):
    return STREAM.format(name=name, partitions=partitions, rest=rest)


def load(brokers, topic, words, seconds):
    done = subprocess.run([str(BINARY), "bench", "stream", topic, "--brokers", brokers, "--warm-up", "1s", "--duration", f"{seconds}s",
                           "-o", "json", *words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"weft bench stream {topic}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    rows = {row["what"]: row for row in json.loads(done.stdout)["measured"]}
    return rows["produce"]


def settled_mb(node):
    """When it has stood still for a second."""
    last, since = resident_mb(node.pid), time.monotonic()
    while time.monotonic() - since < 1:
        time.sleep(0.1)
        now = resident_mb(node.pid)
        if abs(now - last) > 0.2:
            last, since = now, time.monotonic()
    return last


def partitions(folder, args):
    """A producer of 100 B that spreads over all partitions of one stream; the node has all streams in either case."""
    documents = [stream("scale.few.sent.v1", FEW)]
    documents += [stream(f"scale.many{i}.sent.v1", MANY // TOPICS_OF_MANY) for i in range(TOPICS_OF_MANY)]
    settings = ["kafka.anonymous=true"]
    small = Node(folder / "small", estate_of(folder / "small-estate", documents[:1]), settings)
    large = Node(folder / "large", estate_of(folder / "large-estate", documents), settings)
    words = ["--size", "1024", "--producers", "2", "--outstanding", "5000", "--property", "producer.linger.ms=5"]
    rates = {"few": [], "many": []}
    with small, large:
        idle = {"small": settled_mb(small), "large": settled_mb(large)}
        per_partition = (idle["large"] - idle["small"]) * 1024 / MANY
        emit({"bench": "scale", "case": "idle partitions", "resident_mb": idle, "kb_per_partition": round(per_partition, 2)})
        for number in range(args.rounds):
            for name in ("few", "many") if number % 2 == 0 else ("many", "few"):
                node = {"few": small, "many": large}[name]
                usage = Usage(node.pid)
                row = load(node.addresses["kafka"], "scale.few.sent.v1", words, args.seconds)
                spent = usage.end()
                rates[name].append(row["recordsPerSecond"])
                emit({"bench": "scale", "case": "partitions", "partitions": {"few": FEW, "many": FEW + MANY}[name], "round": number,
                      "records_per_second": row["recordsPerSecond"],
                      "cpu_us": round((spent["user"] + spent["system"]) * 1e6 / row["acknowledged"], 2), "other_cores": spent["other_cores"]})
        spread_rates = []
        for number in range(args.rounds):
            row = load(large.addresses["kafka"], f"scale.many{number % TOPICS_OF_MANY}.sent.v1", words, args.seconds)
            spread_rates.append(row["recordsPerSecond"])
        emit({"bench": "scale", "case": "1,000 partitions written at once", "records_per_second": spread(spread_rates)})
    ratio = spread(many / few for few, many in zip(rates["few"], rates["many"]))
    emit({"bench": "scale", "summary": "partitions", "rounds": args.rounds, "many_over_few": ratio,
          "bars": [bar("throughput with 10,000 partitions more >= 0.90 x", ratio["median"], ratio["median"] >= 0.9),
                   bar("idle partition <= 10 KB", per_partition, per_partition <= 10)]})


def restart(folder, args):
    """kill -9 under load, with 10,000 partitions that all hold records and `gigabytes` stored."""
    names = [f"scale.many{i}.sent.v1" for i in range(TOPICS_OF_MANY)]
    node = Node(folder / "restart", estate_of(folder / "restart-estate", [stream(name, MANY // TOPICS_OF_MANY) for name in names]),
                ["kafka.anonymous=true"])
    times = []
    with node:
        stored, turn = 0.0, 0
        while stored < args.gigabytes or turn < TOPICS_OF_MANY:
            row = load(node.addresses["kafka"], names[turn % TOPICS_OF_MANY],
                       ["--size", str(RECORD_BYTES), "--producers", "2", "--outstanding", "1000"], 1)  # no more than asked for
            stored += row["acknowledged"] * RECORD_BYTES / 1e9
            turn += 1
        for number in range(args.rounds):
            loading = subprocess.Popen([str(BINARY), "bench", "stream", names[number % TOPICS_OF_MANY], "--brokers", node.addresses["kafka"],
                                        "--size", "1000", "--warm-up", "0s", "--duration", "60s", "--drain", "1s"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            before = node.metrics().get("weft_eventlog_kafka_produced_bytes_total", 0)
            wait_until(lambda at=before: node.metrics().get("weft_eventlog_kafka_produced_bytes_total", 0) > at + 100, 30, "load")
            node.process.send_signal(signal.SIGKILL)
            node.process.wait()
            loading.kill()
            loading.wait()
            begun = time.monotonic()
            node.start()
            times.append(time.monotonic() - begun)
            emit({"bench": "scale", "case": "restart", "round": number, "ready_s": round(times[-1], 3), "stored_gb": round(stored, 2)})
    taken = spread(times)
    emit({"bench": "scale", "summary": "restart after kill -9", "stored_gb": round(stored, 2), "partitions": MANY, "ready_s": taken,
          "bars": [bar(f"start after kill -9 with {stored:.1f} GB and 10,000 partitions <= 2 s", taken["median"], taken["median"] <= 2)]})


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")], check=True, capture_output=True)
    return [f"tls.certificateFile={folder}/cert.pem", f"tls.keyFile={folder}/key.pem"]


async def hold(port, count, tls, held):
    """Connections that have asked for the API versions once, from several addresses of loopback."""
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = bytes.fromhex("00000010" "00120000" "00000001" "0006" + b"scaleb".hex())
    limit = asyncio.Semaphore(50)

    async def one(number):
        async with limit:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context,
                                                           local_addr=(f"127.0.1.{1 + number % 50}", 0))
            writer.write(request)
            size = int.from_bytes(await reader.readexactly(4), "big")
            await reader.readexactly(size)
            return writer

    writers = await asyncio.gather(*(one(number) for number in range(count)))
    await asyncio.to_thread(held)
    for writer in writers:
        writer.transport.abort()


def connections(folder, args):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    if min(hard, 65536) < args.connections + 1000:
        return emit({"bench": "scale", "case": "connections", "skipped": f"{hard} files may be open, {args.connections} are needed"})
    folder.mkdir(exist_ok=True)
    kilobytes, open_now = {}, {}
    for kind in ("plain", "tls"):
        with Node(folder / kind, None, ["kafka.anonymous=true", f"kafka.connectionsMax={args.connections + 100}", *certificate(folder)]) as node:
            before = settled_mb(node)
            port = int(node.addresses["kafka" if kind == "plain" else "kafkaTls"].rsplit(":", 1)[1])
            after = []

            def held(at=node, seen=after):
                seen.append(settled_mb(at))
                open_now[kind] = int(at.metrics().get("weft_eventlog_kafka_connections", 0))

            asyncio.run(hold(port, args.connections, kind == "tls", held))
            kilobytes[kind] = round((after[0] - before) * 1024 / args.connections, 2)
            emit({"bench": "scale", "case": "connections", "kind": kind, "held": open_now[kind], "resident_mb": [round(before, 1), round(after[0], 1)],
                  "kb_per_connection": kilobytes[kind]})
    emit({"bench": "scale", "summary": "idle Kafka connections", "held": open_now, "kb_per_connection": kilobytes,
          "bars": [bar(f"{args.connections} idle connections held, plain and TLS", min(open_now.values()), min(open_now.values()) >= args.connections)]})


def validation(folder, args):
    """The same records by kcat into a stream that checks each and into one that checks none."""
    records = folder / "records"
    with open(records, "w") as out:
        for number in range(args.records):
            lines = [{"sku": f"sku-{number % 97}-{i}", "quantity": i + 1} for i in range(25)]
            out.write(json.dumps({"id": f"order-{number}", "customer": {"name": "Customer", "city": "City"}, "lines": lines}) + "\n")
    size = records.stat().st_size / args.records
    documents = [SCHEMA, stream("scale.checked.sent.v1", 4, "schema: scale.checked.sent.v1, validation: every"), stream("scale.unchecked.sent.v1", 4)]
    costs = {"checked": [], "unchecked": []}
    with Node(folder / "node", estate_of(folder / "estate", documents), ["kafka.anonymous=true"]) as node:
        for number in range(args.rounds + 1):
            for name in ("checked", "unchecked") if number % 2 == 0 else ("unchecked", "checked"):
                usage = Usage(node.pid)
                subprocess.run(["kcat", "-P", "-b", node.addresses["kafka"], "-t", f"scale.{name}.sent.v1", "-l", str(records), "-X", "linger.ms=5",
                                "-X", "acks=all"], check=True, capture_output=True)
                spent = usage.end()
                if number > 0:  # the first warms up
                    costs[name].append((spent["user"] + spent["system"]) * 1e6 / args.records)
    cost = spread(checked - unchecked for checked, unchecked in zip(costs["checked"], costs["unchecked"]))
    per_kb = cost["median"] * 1024 / size
    emit({"bench": "scale", "summary": "validation of each record", "rounds": args.rounds, "record_bytes": round(size), "checked_us": spread(costs["checked"]),
          "unchecked_us": spread(costs["unchecked"]), "cost_us": cost,
          "bars": [bar("checking a record of 1 KB <= 2.5 us of CPU", per_kb, per_kb <= 2.5)]})


CASES = {"partitions": partitions, "restart": restart, "connections": connections, "validation": validation}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--connections", type=int, default=15_000)
    parser.add_argument("--records", type=int, default=200_000, help="of a round of validation")
    parser.add_argument("--quick", action="store_true", help="two rounds, 1 GB, 2,000 connections")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one; may be given several times")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.seconds, args.gigabytes, args.connections = 2, 2, 1, 2000
    for case in args.case or CASES:
        with bench_folder("scale") as folder:
            CASES[case](Path(folder), args)


if __name__ == "__main__":
    main()
