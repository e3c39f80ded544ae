#!/usr/bin/env python3
"""A thousand consumer groups of one member each, beside Apache Kafka: how long until all have joined, then each commits
an offset every second and sends a heartbeat. The client speaks the protocol itself, so that a thousand members are a
thousand connections and not three thousand threads; latencies are from when a commit was due. Servers as in
stream_bench.py, asked in turn.
"""
import argparse
import asyncio
import contextlib
import os
import struct
import sys
import time
from pathlib import Path

from node_under_test import Usage, bench_folder, emit, spread
from stream_bench import JARS, VERSION, load, start_servers

TOPIC = "bench-groups"
FIND, JOIN, HEARTBEAT, SYNC, COMMIT = 10, 11, 12, 14, 8
VERSIONS = {FIND: 2, JOIN: 2, HEARTBEAT: 2, SYNC: 2, COMMIT: 5}  # before compact fields; both servers know them
SESSION_MS = 30_000
ROUND_SECONDS_MAX = 120
COORDINATOR_ERRORS = (14, 15, 16)  # loading, not available, not here: it is about to be


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


def blob(value):
    return struct.pack(">i", len(value)) + value


class Reply:
    def __init__(self, frame):
        self.frame, self.at = frame, 8  # behind the correlation id and the throttle time

    def number(self, form):
        value, = struct.unpack_from(form, self.frame, self.at)
        self.at += struct.calcsize(form)
        return value

    def text(self):
        size = self.number(">h")
        self.at += size
        return self.frame[self.at - size:self.at].decode()

    def expect_no_error(self, what):
        code = self.number(">h")
        if code != 0:
            raise SystemExit(f"groups: {what} was answered with error {code}")


class Member:
    """The only member of a group."""

    def __init__(self, group):
        self.group, self.member, self.generation, self.offset, self.correlation = group, "", -1, 0, 0

    async def connect(self, address):
        host, port = address.rsplit(":", 1)
        self.reader, self.writer = await asyncio.open_connection(host, int(port))

    async def ask(self, api, body):
        self.correlation += 1
        frame = struct.pack(">hhi", api, VERSIONS[api], self.correlation) + text("groups") + body
        self.writer.write(blob(frame))
        size = int.from_bytes(await self.reader.readexactly(4), "big")
        return Reply(await self.reader.readexactly(size))

    def who(self):
        return text(self.group) + struct.pack(">i", self.generation) + text(self.member)

    async def ask_coordinator(self, what, api, body):
        """Again and again while the broker gets ready for groups, which FindCoordinator makes it do."""
        while True:
            reply = await self.ask(api, body)
            if struct.unpack_from(">h", reply.frame, reply.at)[0] not in COORDINATOR_ERRORS:
                reply.expect_no_error(what)
                return reply
            await asyncio.sleep(0.1)

    async def join(self):
        await self.ask_coordinator("FindCoordinator", FIND, text(self.group) + b"\0")
        reply = await self.ask_coordinator("JoinGroup", JOIN, text(self.group) + struct.pack(">ii", SESSION_MS, SESSION_MS) + text(self.member)
                                           + text("consumer") + struct.pack(">i", 1) + text("range") + blob(b""))
        self.generation = reply.number(">i")
        reply.text(), reply.text()
        self.member = reply.text()
        reply = await self.ask(SYNC, self.who() + struct.pack(">i", 1) + text(self.member) + blob(b""))
        reply.expect_no_error("SyncGroup")

    async def commit(self):
        self.offset += 1
        reply = await self.ask(COMMIT, self.who() + struct.pack(">i", 1) + text(TOPIC) + struct.pack(">iiq", 1, 0, self.offset) + text(""))
        reply.number(">i"), reply.text(), reply.number(">i"), reply.number(">i")
        reply.expect_no_error("OffsetCommit")

    async def heartbeat(self):
        (await self.ask(HEARTBEAT, self.who())).expect_no_error("Heartbeat")

    async def live(self, begin, index, count, seconds, latencies):
        """Commits at its own moment of each second."""
        due = begin + index / count
        while due < begin + seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self.commit()
            latencies.append(time.monotonic() - due)
            await self.heartbeat()
            due += 1


def measure(server, name, count, seconds):
    return asyncio.run(asyncio.wait_for(load_groups(server, name, count, seconds), ROUND_SECONDS_MAX))


async def load_groups(server, name, count, seconds):
    members = [Member(f"{name}-{index}") for index in range(count)]
    limit = asyncio.Semaphore(100)

    async def enter(member):
        async with limit:
            await member.connect(server.brokers)
            await member.join()

    usage, begun = Usage(server.pid), time.monotonic()
    await asyncio.gather(*(enter(member) for member in members))
    joined, join_cpu = time.monotonic() - begun, usage.end()
    usage, latencies = Usage(server.pid), []
    begin = time.monotonic()
    await asyncio.gather(*(member.live(begin, index, count, seconds, latencies) for index, member in enumerate(members)))
    spent = usage.end()
    for member in members:
        member.writer.transport.abort()
    latencies.sort()
    cpu = {what: used["user"] + used["system"] for what, used in (("join", join_cpu), ("live", spent))}
    return {"other_cores": spent["other_cores"], "joined_s": round(joined, 3), "join_cpu_us": round(cpu["join"] * 1e6 / count, 1),
            "commits_per_second": round(len(latencies) / spent["wall"]), "commit_p50_ms": round(latencies[len(latencies) // 2] * 1e3, 2),
            "commit_p99_ms": round(latencies[len(latencies) * 99 // 100] * 1e3, 2),
            "cpu_us_per_commit_and_heartbeat": round(cpu["live"] * 1e6 / len(latencies), 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="two rounds of two seconds")
    args = parser.parse_args()
    if args.quick:
        args.seconds, args.rounds = 2, 2
    with bench_folder("groups") as folder, contextlib.ExitStack() as stack:
        servers = start_servers(Path(folder), stack, JARS.is_dir())
        emit({"bench": "groups", "kafka": VERSION if JARS.is_dir() else None, "groups": args.groups, "seconds": args.seconds, "rounds": args.rounds})
        for server in servers.values():  # makes the topic, and warms up
            load(server.brokers, TOPIC, ["--rate", "100"], 1)
            measure(server, "warm", args.groups, 1)
        runs = {name: [] for name in servers}
        for number in range(args.rounds):
            for name in list(servers) if number % 2 == 0 else reversed(list(servers)):
                os.sync()
                runs[name].append(measure(servers[name], f"round-{number}", args.groups, args.seconds))
                emit({"bench": "groups", "server": name, "round": number} | runs[name][-1])
        for name, of_server in runs.items():
            line = {key: spread(run[key] for run in of_server) for key in of_server[0]}
            if name != "weft":
                line["weft_ratio"] = {key: spread(own[key] / max(peer[key], 1e-9) for own, peer in zip(runs["weft"], of_server))
                                      for key in of_server[0] if key != "other_cores"}
            emit({"bench": "groups", "summary": name, "rounds": len(of_server)} | line)


if __name__ == "__main__":
    sys.exit(main())
