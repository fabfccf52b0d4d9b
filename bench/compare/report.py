"""A run as Markdown: what it comes to, which bars it reached, and every load with its spread."""

from dataclasses import dataclass

import governed
import scaling
from bars import Verdict
from measures import COLUMNS, SUMMARY, TITLES, shown, shown_spread
from proxies import DIRECT, GATEWAY
from results import Results

_NAMES = {
    DIRECT: "(upstream alone)",
    "nginx": "nginx",
    "haproxy": "HAProxy",
    "envoy": "Envoy",
    governed.LUA: "nginx + Lua + Redis",
    GATEWAY: "Sluice",
    governed.GOVERNED: "Sluice + Redis",
    governed.PING: "(a PING of Redis)",
    governed.ADMIT: "(an admission, asked of Redis alone)",
}
_PEERS = ("envoy", "nginx")
_RATIOS = {
    "cpu_us_per_event": "CPU per event",
    "cpu_us_per_request": "CPU per request",
    "p50_us": "median latency",
    "added_us": "added",
    "bytes_per_stream_5000": "per stream",
}


@dataclass(frozen=True)
class Circumstances:
    """What a reader needs to know to believe a figure or to repeat it."""

    date: str
    command: str
    machine: str
    load_before: float
    """How many others wanted the processors just before: above a tenth or so, the figures are theirs too."""
    layout: str
    versions: dict[str, str]
    rounds: int
    seconds: int


def markdown(results: Results, verdicts: list[Verdict], run: Circumstances) -> str:
    """The whole report."""
    versions = ", ".join(f"{_NAMES.get(name, name)} {version}" for name, version in run.versions.items())
    parts = [
        "# The same load through Sluice and its peers",
        f"{run.date}, {run.machine}, load average {run.load_before:.1f} before the run. {versions}.",
        f"    {run.command}",
        f"Pinned: {run.layout}. {run.rounds} interleaved rounds of {run.seconds} s; a figure is the median of its "
        "rounds, with the least and the most behind it; a ratio is the median of the ratios within a round. CPU is "
        "user and kernel time of all processes of a proxy, from `/proc/PID/stat`. One thread each. The peers forward, "
        "set the upstream's key and write no access log. Sluice authenticates a key, reads the body for its model, "
        "counts metrics and writes an access log line per request to a file. Over TLS a run begins with a "
        "handshake for each connection, which its figures include. With limits in Redis, nginx checks the key, charges "
        "one bucket with an estimate and settles it with the usage of the answer, in Lua; Sluice holds two limits "
        "of the client over two deployments, settles, and counts usage.",
        "## In short",
        summary(results),
        "## Bars",
        bars(verdicts),
    ]
    for load in TITLES:
        if results.rounds.get(load):
            parts += [f"## {TITLES[load]}", details(results, load)]
    if results.skipped:
        parts += ["## Not measured", "\n".join(f"- {skip.who}, {skip.what}: {skip.reason}" for skip in results.skipped)]
    return "\n\n".join(parts) + "\n"


def summary(results: Results) -> str:
    """The figures that matter, a row each, a column for each proxy."""
    measured = {target for targets in results.rounds.values() for target in targets}
    proxies = [name for name in _NAMES if name in measured and name not in (DIRECT, governed.PING, governed.ADMIT)]
    peers = [peer for peer in _PEERS if peer in proxies and GATEWAY in proxies]
    rows = []
    for measure in SUMMARY:
        medians = [results.median(measure.load, proxy, measure.metric) for proxy in proxies]
        if any(value is not None for value in medians):
            ratios = [_ratio(results.ratio(measure.load, measure.metric, GATEWAY, peer)) for peer in peers]
            rows.append([measure.title, *(shown(value, measure.unit) for value in medians), *ratios])
    return _table(["", *map(_NAMES.__getitem__, proxies), *(f"Sluice / {_NAMES[peer]}" for peer in peers)], rows)


def bars(verdicts: list[Verdict]) -> str:
    """The bars that can be judged, then those that cannot."""
    judged = [verdict for verdict in verdicts if verdict.holds is not None]
    rows = [[verdict.bar, verdict.required, verdict.measured, verdict.word] for verdict in judged]
    others = [verdict.bar for verdict in verdicts if verdict.holds is None]
    tables = [_table(["bar", "required", "measured", ""], rows)] if rows else []
    return "\n\n".join(tables + ([f"Not measured: {'; '.join(others)}."] if others else []))


def details(results: Results, load: str) -> str:
    """One load: every target, every figure, and ratios to the peers."""
    targets = [name for name in (*_NAMES, scaling.ONE, scaling.TWO) if name in results.rounds[load]]
    columns = [column for column in COLUMNS if any(results.values(load, target, column[1]) for target in targets)]
    references = [(name, _NAMES[name]) for name in _PEERS if name in targets]
    if load == scaling.LOAD:
        references = [(scaling.ONE, scaling.ONE)]
    if load == governed.LOAD and governed.LUA in targets:
        references.append((governed.LUA, _NAMES[governed.LUA]))
    ratios = [
        (f"{title} / {shown_name}", metric, reference)
        for metric, title in _ratios(load, {metric for _, metric, _ in columns}).items()
        for reference, shown_name in references
    ]
    rows = [
        [
            _NAMES.get(target, target),
            *(shown_spread(results.values(load, target, metric), unit) for _, metric, unit in columns),
            *(_ratio(results.ratio(load, metric, target, reference)) for _, metric, reference in ratios),
        ]
        for target in targets
    ]
    return _table(["", *(title for title, _, _ in columns), *(title for title, _, _ in ratios)], rows)


def _ratios(load: str, metrics: set[str]) -> dict[str, str]:
    """The metrics of a load that are worth a ratio: per event where there is one, else per request."""
    if load == scaling.LOAD:
        return {"cpu_us_per_request": "CPU per request", "capacity_per_second": "room"}
    without = {"cpu_us_per_request"} if "cpu_us_per_event" in metrics else set()
    return {metric: title for metric, title in _RATIOS.items() if metric in metrics - without}


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table whose columns also line up for a reader of the plain text."""
    widths = [max(3, *(len(row[column]) for row in [head, *rows])) for column in range(len(head))]

    def line(cells: list[str]) -> str:
        padded = [cells[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:]))]
        return f"| {' | '.join(padded)} |"

    rule = [":".rjust(width, "-") for width in widths]
    rule[0] = "-" * widths[0]
    return "\n".join([line(head), line(rule), *map(line, rows)])
