"""The run in Markdown."""

from __future__ import annotations

import datetime
import os
import platform
import re
import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .load import Failure
from .verdict import Check
from .watch import Sample

ROWS = 12
SHOWN = 2
"""Failures of one kind that are told in full."""


@dataclass(frozen=True, slots=True)
class Report:
    minutes: float
    warm_up: float
    seed: int
    clients: int
    rate: float
    arrangement: str
    checks: list[Check]
    samples: list[Sample]
    done: Counter[str]
    groups: dict[str, list[str]]
    failed: Counter[str]
    cooled: Counter[str]
    """Refused because an earlier fault made the deployment cool."""
    failures: list[Failure]
    statuses: Counter[str]
    notes: list[str]

    def text(self) -> str:
        return "\n".join(
            [
                *self._head(),
                "",
                *self._verdict(),
                "",
                *self._time(),
                "",
                *self._load(),
                *self._failed(),
                *self._notes(),
                "",
            ]
        )

    def _head(self) -> list[str]:
        total = self.done.total()
        return [
            "# Soak: mixed load with faults",
            "",
            f"{datetime.date.today()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, release build,"
            f" {self.minutes:g} minutes behind a warm-up of {self.warm_up:g} at twice the rate, seed {self.seed},"
            f" {self.clients} clients. {self.arrangement}",
            f"{total} exchanges of {len(self.done)} kinds, at most {self.rate:g} each second behind the warm-up."
            f" Statuses: {_joined(self.statuses)}.",
        ]

    def _verdict(self) -> list[str]:
        rows = [f"| {check.what} | {'pass' if check.passed else '**miss**'} | {check.found} |" for check in self.checks]
        return ["| verdict | | |", "|---|---|---|", *rows]

    def _time(self) -> list[str]:
        """Medians of equal stretches of time: single samples jump with what is in flight."""
        rows = []
        size = max(1, len(self.samples) // ROWS)
        for at in range(0, len(self.samples) - size + 1, size):
            part = self.samples[at : at + size]
            columns = [f"{part[-1].second / 60:.1f}"]
            columns += [f"{statistics.median(getattr(s, name) for s in part) / 1024:.1f}" for name in _MEMORY]
            columns += [f"{statistics.median(getattr(s, name) for s in part):.0f}" for name in _COUNTS]
            columns.append(str(part[-1].exchanges))
            rows.append(f"| {' | '.join(columns)} |")
        heads = (
            "| to minute | private MB | PSS MB | RSS MB | descriptors | threads | in flight | connections | exchanges |"
        )
        return [heads, "|" + "---|" * 9, *rows]

    def _load(self) -> list[str]:
        rows = []
        for group, names in self.groups.items():
            seen = {name: self.done[name] - self.cooled[name] for name in names}
            rarest = min(names, key=lambda name: seen[name])
            total = sum(self.done[name] for name in names)
            cooled = sum(self.cooled[name] for name in names)
            rows.append(f"| {group} | {len(names)} | {total} | {cooled} | {rarest}: {seen[rarest]} |")
        heads = "| exchanges | kinds | number | cooled by an earlier fault | the rarest |"
        return [heads, "|" + "---|" * 5, *rows]

    def _failed(self) -> list[str]:
        if not self.failures:
            return []
        rows: list[str] = []
        for scenario, count in sorted(self.failed.items()):
            rows.append(f"- {scenario}, {count} times; the first:")
            for failure in [failure for failure in self.failures if failure.scenario == scenario][:SHOWN]:
                rows.append(f"  - at {failure.second:.1f} s: `{_plain(failure.detail)}`")
                if failure.log_line:
                    rows.append(f"    log: `{_plain(failure.log_line)}`")
        return ["", "Unexplained:", "", *rows]

    def _notes(self) -> list[str]:
        return ["", *self.notes] if self.notes else []


_MEMORY = ("private", "proportional", "resident")
_COUNTS = ("descriptors", "threads", "in_flight", "connections")


def _joined(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("`", "'")


def record(text: str, folder: Path) -> Path:
    """Writes the report under the next free number."""
    numbers = [int(match[1]) for path in folder.glob("*.md") if (match := re.match(r"(\d{4})-", path.name))]
    path = folder / f"{max(numbers, default=0) + 1:04d}-soak.md"
    path.write_text(text)
    return path
