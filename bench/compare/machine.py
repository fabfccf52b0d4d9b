"""The machine under the measurements: its cores, its limits, its free ports, and what to say about it in a report."""

import os
import platform
import random
import resource
import socket
from dataclasses import dataclass
from pathlib import Path

from failures import RunFailure


@dataclass(frozen=True)
class Seat:
    """Where a program runs."""

    cores: tuple[int, ...]
    yields: bool = False
    """When it is woken it waits for its turn instead of interrupting who runs there (SCHED_BATCH, sched(7))."""

    def __str__(self) -> str:
        return ("core " if len(self.cores) == 1 else "cores ") + ", ".join(map(str, self.cores))


@dataclass(frozen=True)
class Layout:
    """Who runs where. The proxy has a core to itself; the load and the upstream share what they must."""

    proxy: Seat
    load: Seat
    upstream: Seat

    def __str__(self) -> str:
        return f"proxy on {self.proxy}, load on {self.load}, upstream on {self.upstream}"


def one_core_layout() -> Layout:
    """A core for the proxy; another one for load and upstream, or one each where there are four."""
    cores = usable_cores()
    upstream = cores[-2 if len(cores) >= 4 else -1]
    return Layout(proxy=Seat((cores[0],)), load=Seat((cores[-1],)), upstream=Seat((upstream,)))


def scaling_layouts() -> tuple[Layout, Layout]:
    """Where one event loop runs, and where two do: on one core and on two, if load and upstream have others.

    On a machine that has none to spare, all share two cores in both cases: one loop that had a core to itself would have
    its caches to itself too, and two loops would be charged for what load and upstream push out of theirs. Nor do these
    interrupt it there: with two loops each answer would else be followed by a change to who waits for it and back.
    """
    cores = usable_cores()
    pair = (cores[0], cores[1])
    if len(cores) == 2:
        shared = Layout(proxy=Seat(pair), load=Seat(pair, yields=True), upstream=Seat(pair, yields=True))
        return shared, shared
    apart = one_core_layout()
    return apart, Layout(proxy=Seat(pair), load=apart.load, upstream=apart.upstream)


def usable_cores() -> list[int]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise RunFailure("a comparison needs two cores: one for the proxy, one for the load")
    return cores


def raise_file_limit() -> int:
    """Lets this process, and all that it starts, open as many files as the system allows; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port() -> int:
    """A port of the loopback interface that nobody listens on.

    It lies below the range that outgoing connections take theirs from: the load cannot take it before its owner.
    """
    lowest_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(200):
        port = random.randrange(min(20_000, lowest_outgoing // 2), lowest_outgoing)
        with socket.socket() as candidate:
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RunFailure("found no free port")


def description() -> str:
    """One line about the hardware and the system, with nothing in it that names the machine."""
    fields = dict(
        (key.strip(), value.strip())
        for key, _, value in (line.partition(":") for line in Path("/proc/cpuinfo").read_text().splitlines())
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = fields.get("model name", platform.machine())
    kernel = ".".join(platform.release().split("-")[0].split(".")[:2])
    return f"{len(usable_cores())} cores of {processor}, {memory:.0f} GiB, Linux {kernel}"
