"""Whether the gateway passed: one line for each thing that was asked of it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from .watch import Sample

GROWTH_LIMIT = 0.02
# Shares of what follows the warm-up: of 30 minutes, the first three and the last.
EARLY = (0.0, 3 / 30)
LATE = (27 / 30, 1.0)


@dataclass(frozen=True, slots=True)
class Check:
    what: str
    passed: bool
    found: str


@dataclass(frozen=True, slots=True)
class Memory:
    """How the private bytes of the process moved, in kB."""

    early: float
    late: float
    slope: float
    """kB per hour, by least squares over everything behind the warm-up."""
    peak: int

    @staticmethod
    def of(samples: list[Sample], warm_up: float, seconds: float) -> Memory:
        """In seconds, how long the warm-up was and how long the run behind it."""
        warm = [sample for sample in samples if sample.second >= warm_up]
        early = _window(warm, warm_up, seconds, EARLY)
        late = _window(warm, warm_up, seconds, LATE)
        slope = 0.0
        if len(warm) > 2:
            slope = statistics.linear_regression([s.second / 3600 for s in warm], [s.private for s in warm]).slope
        return Memory(early, late, slope, max((sample.private for sample in samples), default=0))

    @property
    def growth(self) -> float:
        return (self.late - self.early) / self.early if self.early else float("nan")

    def check(self) -> Check:
        found = (
            f"{self.early / 1024:.1f} MB then {self.late / 1024:.1f} MB: {self.growth:+.1%};"
            f" slope {self.slope / 1024:+.2f} MB/h, peak {self.peak / 1024:.1f} MB"
        )
        return Check("private bytes grow by 2 % at most", self.growth <= GROWTH_LIMIT, found)


def _window(samples: list[Sample], warm_up: float, seconds: float, share: tuple[float, float]) -> float:
    start, end = warm_up + share[0] * seconds, warm_up + share[1] * seconds
    values = [sample.private for sample in samples if start <= sample.second <= end]
    return statistics.median(values) if values else float("nan")


def _listed(counts: dict[str, int]) -> str:
    return "; ".join(f"{name}: {count}" for name, count in sorted(counts.items()))


def checks(
    *,
    memory: Memory,
    at_rest: str | None,
    disagreements: list[str],
    failed: int,
    done: int,
    least: int,
    rarely_seen: dict[str, int],
    scrape_errors: list[str],
    same_process: bool,
    exit_status: int,
) -> list[Check]:
    """`at_rest`: what had not come to rest when the wait was over; `rarely_seen`: kinds below `least`."""
    return [
        memory.check(),
        Check("exchanges without explanation", failed == 0 and done > 0, f"{failed} of {done}"),
        Check(f"each kind ended in its own way {least} times or more", not rarely_seen, _listed(rarely_seen) or "yes"),
        Check("descriptors, connections and gauges back at rest", at_rest is None, at_rest or "yes"),
        Check("metrics agree with what clients counted", not disagreements, "; ".join(disagreements) or "yes"),
        Check("every scrape answered", not scrape_errors, "; ".join(scrape_errors[:3]) or "yes"),
        Check("the same process to the end", same_process, "yes" if same_process else "no"),
        Check("exit status on SIGTERM", exit_status == 0, str(exit_status)),
    ]
