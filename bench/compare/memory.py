"""What an open stream keeps in memory: resident memory with thousands of them open, over that of a process at rest.

As a program, `memory.py PORT COUNT...`, it is the caller that holds them: it opens streams up to each count in turn,
prints the count when each of them has had a few events, and goes on when it reads a line.
"""

import asyncio
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import IO

from failures import Unavailable
from loads import OPEN_STREAM, request_bytes
from machine import Layout, Seat, one_core_layout, raise_file_limit
from processes import STOP_SECONDS, pinned
from proxies import Proxy, Upstream, started
from results import Sample
from session import Session

LOAD = "memory"
STREAMS = (2_000, 5_000)
_OPEN_SECONDS = 60.0
_EVENTS_EACH = 3
_OPENING_AT_ONCE = 64


def measure_memory(session: Session) -> None:
    """Measures every proxy in processes that have seen no other load. Memory is steady: three rounds are enough."""
    needed = 2 * STREAMS[-1] + 500
    if raise_file_limit() < needed:
        raise Unavailable(f"a process may not open {needed:,} files here, which {STREAMS[-1]:,} streams need")
    layout = one_core_layout()
    with session.upstream(layout) as (_, upstream):
        measures = {proxy.name: partial(sample, session, proxy, upstream, layout) for proxy in session.proxies}
        session.results.measure_interleaved(LOAD, min(3, session.rounds), measures)


def sample(session: Session, proxy: Proxy, upstream: Upstream, layout: Layout) -> Sample:
    with started(proxy, upstream, layout.proxy, session.folder) as target:
        assert target.process
        rest = target.process.resident_bytes()
        measured: Sample = {"rest_bytes": rest}
        with _holder(target.port, layout.load) as (orders, reports):
            for count in STREAMS:
                _await_report(reports, count)
                loaded = []
                for _ in range(5):
                    loaded.append(target.process.resident_bytes())
                    time.sleep(0.1)
                measured[f"bytes_per_stream_{count}"] = (median(loaded) - rest) / count
                orders.write("\n")
                orders.flush()
        return measured


@contextmanager
def _holder(port: int, seat: Seat) -> Iterator[tuple[IO[str], IO[str]]]:
    command = [sys.executable, str(Path(__file__)), str(port), *map(str, STREAMS)]
    holder = subprocess.Popen(
        pinned(command, seat),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert holder.stdin and holder.stdout
    try:
        yield holder.stdin, holder.stdout
    finally:
        holder.terminate()
        try:
            holder.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            holder.kill()
            holder.wait()
        holder.stdout.close()
        with suppress(BrokenPipeError):
            holder.stdin.close()


def _await_report(reports: IO[str], count: int) -> None:
    ready, _, _ = select.select([reports], [], [], _OPEN_SECONDS)
    said = reports.readline().strip() if ready else f"not within {_OPEN_SECONDS:.0f} s"
    if said != str(count):
        raise Unavailable(f"{count:,} streams are not open: {said or 'the caller ended'}")


class _OpenStream(asyncio.Protocol):
    """One stream that is read as it comes. It says once that it is open, or for good that it ended."""

    def __init__(self) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(request_bytes(OPEN_STREAM))

    def data_received(self, data: bytes) -> None:
        if self.opened.done():
            return
        if not self._events and not data.startswith(b"HTTP/1.1 200 "):
            self.opened.set_exception(ConnectionError("a stream was refused"))
            return
        self._events += data.count(b"data: ")
        if self._events >= _EVENTS_EACH:
            self.opened.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("a stream was closed"))


async def hold(port: int, counts: list[int]) -> None:
    loop = asyncio.get_running_loop()
    opening = asyncio.Semaphore(_OPENING_AT_ONCE)
    streams: list[_OpenStream] = []

    async def open_one() -> None:
        async with opening:
            _, stream = await loop.create_connection(_OpenStream, "127.0.0.1", port)
            streams.append(stream)

    for count in counts:
        async with asyncio.timeout(_OPEN_SECONDS):
            await asyncio.gather(*(open_one() for _ in range(count - len(streams))))
            await asyncio.gather(*(stream.opened for stream in streams))
        print(count, flush=True)
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    raise_file_limit()
    try:
        asyncio.run(hold(int(sys.argv[1]), [int(count) for count in sys.argv[2:]]))
    except (OSError, TimeoutError) as error:
        print(error or type(error).__name__, flush=True)
