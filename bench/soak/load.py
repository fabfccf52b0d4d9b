"""The clients: a bounded number, a bounded rate, and every exchange checked."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from . import faults, healthy, leavers, refusals
from .scenario import Scenario
from .session import Session, Shared
from .wire import WireError

EXCHANGE_SECONDS = 60.0
MAX_RECORDED = 4
"""Failures of one kind that are kept in full."""


def all_scenarios() -> dict[str, list[Scenario]]:
    return {
        "answered by Azure": healthy.scenarios(),
        "refused by the gateway": refusals.scenarios(),
        "broken by Azure": faults.scenarios(),
        "left by clients": leavers.scenarios(),
    }


@dataclass(frozen=True, slots=True)
class Failure:
    """An exchange that no fault explains."""

    second: float
    scenario: str
    detail: str
    log_line: str


class Clients:
    """All clients of the run."""

    def __init__(self, shared: Shared, seed: int, rate: float, log_line: Callable[[str], str]) -> None:
        self.shared = shared
        self.done: Counter[str] = Counter()
        self.failures: list[Failure] = []
        self.failed: Counter[str] = Counter()
        self.cooled: Counter[str] = Counter()
        """Refused, as an earlier fault explains."""
        self.running = 0
        self.groups = {group: [one.name for one in scenarios] for group, scenarios in all_scenarios().items()}
        self._scenarios = [one for scenarios in all_scenarios().values() for one in scenarios]
        self._weights = [scenario.weight for scenario in self._scenarios]
        self._seed = seed
        self.rate = rate
        """Exchanges begun each second, at most; may change while they run."""
        self._next_slot = 0.0
        self._started = time.monotonic()
        self._stopping = asyncio.Event()
        self._log_line = log_line

    async def run(self, count: int, seconds: float) -> None:
        """Sends load for so long, then lets every exchange finish."""
        self._started = time.monotonic()
        self._next_slot = self._started
        async with asyncio.TaskGroup() as clients:
            for index in range(count):
                clients.create_task(self._client(index))
            try:
                await asyncio.wait_for(self._stopping.wait(), seconds)
            except TimeoutError:
                self._stopping.set()

    def stop(self) -> None:
        self._stopping.set()

    async def _client(self, index: int) -> None:
        session = Session(self.shared, random.Random(f"{self._seed}/{index}"))
        while await self._slot():
            (scenario,) = session.rng.choices(self._scenarios, self._weights)
            await self._exchange(session, scenario)

    async def _slot(self) -> bool:
        """Waits for the next turn; false once the time is up."""
        now = time.monotonic()
        # What was missed while all clients were busy is not made up for.
        slot = self._next_slot = max(self._next_slot + 1 / self.rate, now - 0.1)
        if slot > now:
            await asyncio.sleep(slot - now)
        return not self._stopping.is_set()

    async def _exchange(self, session: Session, scenario: Scenario) -> None:
        session.evidence.clear()
        session.cooled = False
        self.running += 1
        try:
            async with asyncio.timeout(EXCHANGE_SECONDS):
                await scenario.run(session)
        except TimeoutError:
            self._record(scenario, session, f"not over after {EXCHANGE_SECONDS:.0f} s")
        except WireError as error:
            self._record(scenario, session, f"not HTTP/1.1: {error}")
        except Exception as error:  # whatever it is, it was not expected
            self._record(scenario, session, f"{type(error).__name__}: {error}")
        finally:
            self.running -= 1
            self.done[scenario.name] += 1
            self.cooled[scenario.name] += session.cooled
            await session.drop()

    def _record(self, scenario: Scenario, session: Session, detail: str) -> None:
        self.failed[scenario.name] += 1
        if self.failed[scenario.name] <= MAX_RECORDED:
            lines = [line for identifier in session.evidence if (line := self._log_line(identifier))]
            second = time.monotonic() - self._started
            self.failures.append(Failure(second, scenario.name, detail[:1500], " ".join(lines)[:800]))

    def rarely_seen(self, least: int) -> dict[str, int]:
        """Kinds that ended as they have to, and not because their deployment cooled, less often than that."""
        names = [one.name for one in self._scenarios]
        seen = {name: self.done[name] - self.cooled[name] - self.failed[name] for name in names}
        return {name: count for name, count in seen.items() if count < least}

    async def close_kept(self) -> None:
        while self.shared.kept:
            await self.shared.kept.pop().close()
