"""One run from start to verdict."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .channel import Channel
from .exposition import Exposition
from .golden import GoldenAnswers
from .load import Clients
from .processes import MOCK_KEY, Program, start_gateway, start_mock
from .report import Report
from .session import Shared
from .verdict import Memory, checks
from .watch import Admin, Descriptors, Sample, Watch, start_time
from .wire import Request, read_body, read_head

HOST = "127.0.0.1"
REST_SECONDS = 40.0
WARM_UP_RATE = 2
"""Of the rate of the run. What the process holds in memory after a peak it may keep: what it grows by from then on is lost."""
SAMPLE_SECONDS = 1.0


@dataclass(frozen=True)
class Settings:
    binaries: Path
    folder: Path
    dead_port: int
    minutes: float
    """Behind the warm-up."""
    warm_up: float
    """Minutes."""
    seed: int
    clients: int
    rate: float
    pin: bool

    @property
    def seconds(self) -> float:
        return self.minutes * 60

    @property
    def warm_up_seconds(self) -> float:
        return self.warm_up * 60

    @property
    def least(self) -> int:
        """How often each kind has to be seen: what it is to show must not come down to a handful of exchanges."""
        return max(3, int(2 * self.minutes))

    @property
    def sample_seconds(self) -> float:
        """Short runs have short windows, which need samples too."""
        return min(SAMPLE_SECONDS, self.seconds / 600)

    @functools.cached_property
    def cores(self) -> tuple[set[int] | None, set[int] | None]:
        """The gateway's core, and the others: the load must not take what the gateway needs."""
        available = sorted(os.sched_getaffinity(0))
        if not self.pin or len(available) < 2:
            return None, None
        return {available[0]}, set(available[1:])


async def soak(settings: Settings) -> Report:
    gateway_cores, other_cores = settings.cores
    if other_cores is not None:
        os.sched_setaffinity(0, other_cores)
    mock, mock_port = await start_mock(settings.binaries, settings.folder, other_cores)
    try:
        gateway, data_port, admin_port = await start_gateway(
            settings.binaries, settings.folder, mock_port, settings.dead_port, gateway_cores
        )
        try:
            return await _Run(settings, gateway, data_port, admin_port, mock_port).report()
        finally:
            await gateway.stop()
    finally:
        await mock.stop()


class _Run:
    def __init__(self, settings: Settings, gateway: Program, data_port: int, admin_port: int, mock_port: int) -> None:
        self.settings = settings
        self.gateway = gateway
        self.mock_port = mock_port
        self.admin = Admin(HOST, admin_port)
        shared = Shared(HOST, data_port, GoldenAnswers(HOST, mock_port, MOCK_KEY))
        self.clients = Clients(shared, settings.seed, WARM_UP_RATE * settings.rate, self._log_line)
        self.watch = Watch(gateway.pid, self.admin, lambda: self.clients.done.total())
        self._told = 0.0
        self._printed = 0
        self._told_of: set[str] = set()

    async def report(self) -> Report:
        began = start_time(self.gateway.pid)
        before = Descriptors.count(self.gateway.pid, self.mock_port)
        first = await self.admin.metrics()
        await self._load()
        at_rest = await self._wait_for_rest(before)
        last = await self.admin.metrics()
        await self.admin.close()
        same = self.gateway.is_running and start_time(self.gateway.pid) == began
        served, unfinished, note = await self._ask_mock()
        notes = [note, f"Slowest scrape: {self.admin.slowest * 1000:.0f} ms."]
        status = await self.gateway.stop()
        ledger = self.clients.shared.ledger
        return Report(
            minutes=self.settings.minutes,
            warm_up=self.settings.warm_up,
            seed=self.settings.seed,
            clients=self.settings.clients,
            rate=self.settings.rate,
            arrangement=self._arrangement(),
            checks=checks(
                memory=Memory.of(self.watch.samples, self.settings.warm_up_seconds, self.settings.seconds),
                at_rest=at_rest,
                disagreements=ledger.disagreements(first, last, served, unfinished),
                failed=self.clients.failed.total(),
                done=self.clients.done.total(),
                least=self.settings.least,
                rarely_seen=self.clients.rarely_seen(self.settings.least),
                scrape_errors=self.admin.errors,
                same_process=same,
                exit_status=status,
            ),
            samples=self.watch.samples,
            done=self.clients.done,
            groups=self.clients.groups,
            failed=self.clients.failed,
            cooled=self.clients.cooled,
            failures=self.clients.failures,
            statuses=_statuses(last),
            notes=notes,
        )

    async def _load(self) -> None:
        self.watch.started = time.monotonic()
        watchers = [
            asyncio.create_task(self.admin.scrape_each_second()),
            asyncio.create_task(self.watch.each(self.settings.sample_seconds, self._tell)),
            asyncio.create_task(self._notice_exit()),
            asyncio.create_task(self._end_warm_up()),
        ]
        try:
            await self.clients.run(self.settings.clients, self.settings.warm_up_seconds + self.settings.seconds)
        finally:
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
        await self.admin.close()
        await self.clients.close_kept()

    async def _end_warm_up(self) -> None:
        await asyncio.sleep(self.settings.warm_up_seconds)
        self.clients.rate = self.settings.rate

    async def _notice_exit(self) -> None:
        """A gateway that is gone needs no more load."""
        await self.gateway.process.wait()
        self.clients.stop()

    async def _wait_for_rest(self, before: Descriptors) -> str | None:
        """Waits until everything that the load made the gateway hold is let go; what is left when the time is up."""
        deadline = time.monotonic() + REST_SECONDS
        while True:
            left = await self._left(before)
            if left is None or time.monotonic() > deadline:
                return left
            await asyncio.sleep(0.25)

    async def _left(self, before: Descriptors) -> str | None:
        if not self.gateway.is_running:
            return "the process is gone"
        with contextlib.suppress(OSError):
            page = await self.admin.metrics()
            status = json.loads(await self.admin.get("/status"))
            await self.admin.close()
            gauges = {name: page.total(f"sluice_{name}") for name in ("requests_in_flight", "connections")}
            for endpoint in status["endpoints"]:
                gauges |= {f"{endpoint['name']} {name}": endpoint[name] for name in ("running", "waiting")}
            now = Descriptors.count(self.gateway.pid, self.mock_port)
            if now.own != before.own:
                gauges["descriptors"] = now.own - before.own
            left = {name: value for name, value in gauges.items() if value}
            return f"left over: {left}" if left else None
        return "the admin listener does not answer"

    async def _ask_mock(self) -> tuple[int, int, str]:
        """How many requests came to it through the gateway, and what else its books say."""
        channel = await Channel.open(HOST, self.mock_port)
        await channel.send(Request("GET", "/mock/stats").head())
        answer = await read_head(channel)
        assert answer is not None
        await read_body(channel, answer, "GET")
        await channel.close()
        stats = json.loads(answer.body)
        requests, connections = stats["requests"], stats["connections"]
        kept = Descriptors.count(self.gateway.pid, self.mock_port).to_azure
        # An upload that its client left half-way: the mock never had the whole of it.
        unfinished = requests["by_kind"].get("malformed", 0)
        served = requests["total"] - unfinished - self.clients.shared.golden.asked
        return served, unfinished, (
            f"The mock served {served} requests ({requests['aborted']} left by the gateway, {requests['open']} open)"
            f" and saw {unfinished} break off, on {connections['accepted']} connections; {kept} are kept."
        )

    def _arrangement(self) -> str:
        gateway, others = self.settings.cores
        pinned = "Gateway on a core of its own." if gateway and others else "Nothing pinned."
        return f"{pinned} Its malloc returns what is freed; private: dirty or swapped."

    def _log_line(self, identifier: str) -> str:
        """What the gateway logged of an exchange, while it is fresh."""
        lines = self.gateway.tail(512 * 1024).splitlines()
        return next((line for line in reversed(lines) if identifier in line), "")

    def _tell(self, sample: Sample) -> None:
        self.gateway.trim_log()
        for failure in self.clients.failures[self._printed :]:
            if failure.scenario not in self._told_of:
                print(f"  unexpected: {failure.scenario}: {failure.detail[:300]}", flush=True)
            self._told_of.add(failure.scenario)
        self._printed = len(self.clients.failures)
        if sample.second - self._told >= 60:
            self._told = sample.second
            print(
                f"  {sample.second / 60:4.1f} min: {sample.exchanges} exchanges,"
                f" {self.clients.failed.total()} unexplained,"
                f" {sample.private / 1024:.1f} MB private, {sample.descriptors} descriptors,"
                f" {sample.in_flight} in flight, {self.clients.running} clients busy",
                flush=True,
            )


def _statuses(page: Exposition) -> Counter[str]:
    counts: Counter[str] = Counter()
    for labels, value in page.samples("sluice_requests_total"):
        counts[dict(labels)["status"]] += int(value)
    return counts
