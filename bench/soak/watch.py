"""What is looked at while the load runs: the process from outside, and its own gauges through the admin listener."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .channel import Channel
from .exposition import Exposition
from .wire import Request, WireError, read_body, read_head

SCRAPE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at the gateway; bytes in kB."""

    second: float
    resident: int
    proportional: int
    private: int
    """Dirty or swapped. Not a file's clean pages, which turn from shared to private when another process ends."""
    descriptors: int
    threads: int
    in_flight: int
    connections: int
    exchanges: int


class Admin:
    """Scrapes the admin listener over a kept connection, renewed now and then."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._channel: Channel | None = None
        self._calls = 0
        self.slowest = 0.0
        self.latest: Exposition | None = None
        self.errors: list[str] = []

    async def get(self, path: str) -> str:
        started = time.monotonic()
        self._calls += 1
        if self._channel is None or self._calls % 50 == 0:
            await self.close()
            self._channel = await Channel.open(*self._address)
        await self._channel.send(Request("GET", path).head())
        answer = await read_head(self._channel)
        if answer is None or answer.status != 200:
            raise WireError(f"{path} gives {answer}")
        await read_body(self._channel, answer, "GET")
        if not answer.whole:
            raise WireError(f"{path} is not whole")
        self.slowest = max(self.slowest, time.monotonic() - started)
        return answer.body.decode()

    async def metrics(self) -> Exposition:
        page = Exposition.parse(await self.get("/metrics"))
        if self.latest is not None and (fallen := page.fallen(self.latest)):
            raise ValueError(f"counters fell: {fallen[:5]}")
        self.latest = page
        return page

    async def scrape_each_second(self) -> None:
        """Until cancelled. A scrape that fails is an error of the run."""
        while True:
            try:
                async with asyncio.timeout(SCRAPE_SECONDS):
                    await self.metrics()
                    status = json.loads(await self.get("/status"))
                    if status["phase"] != "serving":
                        raise ValueError(f"phase {status['phase']}")
                    await self.get("/health/ready")
            except Exception as error:  # whatever it is, a scrape must not fail
                await self.close()
                self.errors.append(f"{type(error).__name__}: {error}"[:300])
            await asyncio.sleep(1)

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()
            self._channel = None


@dataclass(slots=True)
class Watch:
    pid: int
    admin: Admin
    exchanges: Callable[[], int]
    samples: list[Sample] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    async def each(self, seconds: float, told: Callable[[Sample], None]) -> None:
        """Samples until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            sample = self.look()
            self.samples.append(sample)
            told(sample)

    def look(self) -> Sample:
        memory = dict(re.findall(r"^(\w+):\s+(\d+) kB$", _read(self.pid, "smaps_rollup"), re.MULTILINE))
        threads = re.search(r"^Threads:\s+(\d+)$", _read(self.pid, "status"), re.MULTILINE)
        page = self.admin.latest
        return Sample(
            second=time.monotonic() - self.started,
            resident=int(memory["Rss"]),
            proportional=int(memory["Pss"]),
            private=int(memory["Private_Dirty"]) + int(memory["Swap"]),
            descriptors=len(os.listdir(f"/proc/{self.pid}/fd")),
            threads=int(threads[1]) if threads else 0,
            in_flight=int(page.total("sluice_requests_in_flight")) if page else 0,
            connections=int(page.total("sluice_connections")) if page else 0,
            exchanges=self.exchanges(),
        )


def start_time(pid: int) -> str:
    """When the process began, in the kernel's ticks: a process id alone may be used again."""
    return _read(pid, "stat").rpartition(")")[2].split()[19]


@dataclass(frozen=True, slots=True)
class Descriptors:
    """The gateway's open descriptors, sockets to Azure apart: libcurl keeps those for the next requests."""

    own: int
    to_azure: int

    @staticmethod
    def count(pid: int, azure_port: int) -> Descriptors:
        azure = set()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            columns = line.split()
            if int(columns[2].rpartition(":")[2], 16) == azure_port:
                azure.add(f"socket:[{columns[9]}]")
        folder, own, to_azure = f"/proc/{pid}/fd", 0, 0
        for name in os.listdir(folder):
            try:
                target = os.readlink(f"{folder}/{name}")
            except FileNotFoundError:
                continue
            if target in azure:
                to_azure += 1
            else:
                own += 1
        return Descriptors(own, to_azure)


def _read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()
