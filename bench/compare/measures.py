"""The figures that a report shows, each with its load, its name and its unit."""

from dataclasses import dataclass
from statistics import median

import first_byte
import governed
import memory
import scaling
from loads import BY_PART


@dataclass(frozen=True)
class Measure:
    title: str
    load: str
    metric: str
    unit: str


# What a result comes to, a line each.
SUMMARY = [
    Measure("chat request, 64 callers: CPU per request", "unary", "cpu_us_per_request", "us"),
    Measure("chat request, 64 callers, TLS: CPU per request", "tls-unary", "cpu_us_per_request", "us"),
    Measure("stream as fast as it comes, 64 callers: CPU per event", "burst", "cpu_us_per_event", "us"),
    Measure("stream as fast as it comes, 64 callers, TLS: CPU per event", "tls-burst", "cpu_us_per_event", "us"),
    Measure("stream of an event per 5 ms, 64 callers: CPU per event", "paced", "cpu_us_per_event", "us"),
    Measure("stream of an event per 5 ms, 64 callers, TLS: CPU per event", "tls-paced", "cpu_us_per_event", "us"),
    Measure("chat request, 64 callers, limits in Redis: CPU per request", governed.LOAD, "cpu_us_per_request", "us"),
    Measure("chat request, one caller: CPU per request", "one-unary", "cpu_us_per_request", "us"),
    Measure("chat request, one caller: median latency", "one-unary", "p50_us", "us"),
    Measure("chat request, one caller, TLS: median latency", "tls-one-unary", "p50_us", "us"),
    Measure("first event of a stream, one caller: time added", first_byte.LOAD, "added_us", "us"),
    *(
        Measure(f"memory per open stream, {count:,} open", memory.LOAD, f"bytes_per_stream_{count}", "KiB")
        for count in memory.STREAMS
    ),
    Measure("memory of a process at rest", memory.LOAD, "rest_bytes", "MiB"),
]

# The columns of a load's own table, where the load has them.
COLUMNS = [
    ("requests/s", "requests_per_second", ""),
    ("CPU per request", "cpu_us_per_request", "us"),
    ("CPU per event", "cpu_us_per_event", "us"),
    ("median latency", "p50_us", "us"),
    ("p99 latency", "p99_us", "us"),
    ("first event", "first_byte_us", "us"),
    ("added", "added_us", "us"),
    ("at rest", "rest_bytes", "MiB"),
    *((f"per stream, {count:,} open", f"bytes_per_stream_{count}", "KiB") for count in memory.STREAMS),
    ("room for, requests/s", "capacity_per_second", ""),
]

# By load: its title, and the metrics whose ratios to the peers its table shows.
TITLES = {
    **{
        load.name: f"{load.connections} {'caller' if load.connections == 1 else 'callers'}, {load.title}"
        + (", TLS to the upstream" if load.tls else "")
        for loads in BY_PART.values()
        for load in loads
    },
    governed.LOAD: "64 callers, chat requests, limits in Redis",
    governed.ONE: "1 caller, chat requests, limits in Redis",
    first_byte.LOAD: f"First event of a stream, one caller, {first_byte.STREAMS} streams a round",
    memory.LOAD: "Memory, an event each 500 ms per stream",
    scaling.LOAD: "One event loop and two, 32 callers for each, chat requests",
}


def shown(value: float | None, unit: str) -> str:
    """A figure with as many digits as it deserves."""
    if value is None:
        return "-"
    if unit == "us" and abs(value) >= 10_000:
        value, unit = value / 1000, "ms"
    scaled = value / {"KiB": 1024, "MiB": 1024**2}.get(unit, 1)
    digits = 2 if abs(scaled) < 9.995 else 1 if abs(scaled) < 99.95 else 0
    return f"{scaled:,.{digits}f} {unit}".rstrip()


def shown_spread(values: list[float], unit: str) -> str:
    """The median of the rounds, with the least and the most of them."""
    if not values:
        return "-"
    text = shown(median(values), unit)
    if len(values) < 2:
        return text
    least, most = shown(min(values), unit), shown(max(values), unit)
    if least.partition(" ")[2] == most.partition(" ")[2]:
        least = least.partition(" ")[0]
    return f"{text} ({least} to {most})"
