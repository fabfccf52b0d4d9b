"""Every row of the failure table through a gateway: each answer in time and good, the fleet together again, nothing
lost.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.fleet.processes import Program, StartError
from bench.proof.caller import Caller
from bench.proof.faults import FaultProxy
from bench.proof.redis import Redis
from bench.proof.resp import RedisReplyError
from bench.proof.rows import ROWS, Row, Site
from bench.proof.stack import Gateway, MockAzure, configuration, until

DEADLINE = 0.075
CLIENTS = ["limits: {requests_per_minute: 60000, tokens_per_minute: 10M, concurrent_requests: 100}"]


class Metronome(threading.Thread):
    """How much later than it should this machine lets anybody run: what no answer can be blamed for."""

    def __init__(self) -> None:
        super().__init__(name="metronome", daemon=True)
        self._stopping = threading.Event()
        self.worst = 0.0

    def run(self) -> None:
        last = time.perf_counter()
        while not self._stopping.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            self.worst = max(self.worst, now - last - 0.001)
            last = now

    def __enter__(self) -> Metronome:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.join(5)


@dataclass
class Outcome:
    row: Row
    times: list[float] = field(default_factory=list)
    healthy: float = 0
    late: float = 0
    back: float = 0
    problems: list[str] = field(default_factory=list)

    @property
    def beyond(self) -> float:
        """How much longer than the deadline the slowest took, once what the same request takes in health is taken off."""
        return max(self.times) - self.healthy - self.late - DEADLINE

    def line(self) -> str:
        ordered = sorted(self.times)
        middle, worst = ordered[len(ordered) // 2] * 1000, ordered[-1] * 1000
        told = f"{self.row.name:44} {middle:7.1f} {worst:7.1f} {self.healthy * 1000:7.1f} {self.late * 1000:7.1f}"
        return f"{told} {self.beyond * 1000:8.1f} {self.back:6.1f}  {'; '.join(self.problems) or 'ok'}"


def run(path: Path, binaries: Path, wanted: list[str], requests: int, grace: float) -> int:
    rows = [row for row in ROWS if not wanted or any(word in row.name for word in wanted)]
    if not rows:
        raise StartError(f"no such row; there are: {', '.join(row.name for row in ROWS)}")
    print(
        "milliseconds of an answer, upstream included; `healthy` is the longest without a fault, `machine` how late a bare"
    )
    print(
        f"timer rang meanwhile; `beyond` is the longest less both and less the deadline, and at most {grace * 1000:.0f}."
    )
    print(f"{'row':44} {'p50':>7} {'longest':>7} {'healthy':>7} {'machine':>7} {'beyond':>8} {'back s':>6}")
    outcomes = []
    for number, row in enumerate(rows):
        place = path / str(number)
        place.mkdir()
        outcome = show(place, binaries, row, requests)
        if outcome.beyond > grace:
            outcome.problems.append(f"an answer came {outcome.beyond * 1000:.1f} ms behind the deadline")
        outcomes.append(outcome)
        print(outcomes[-1].line(), flush=True)
    bad = sum(1 for outcome in outcomes if outcome.problems)
    print(f"{len(outcomes)} rows, {bad} do not hold" if bad else f"All {len(outcomes)} rows hold.")
    return 1 if bad else 0


def show(path: Path, binaries: Path, row: Row, requests: int) -> Outcome:
    programs: list[Program] = []
    outcome = Outcome(row)
    redis = Redis(path, *row.options)
    programs.append(redis.program)
    proxy = FaultProxy(redis.port)
    site = Site(redis, proxy)
    try:
        if row.options and "--cluster-enabled" in row.options:
            redis.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            until("the cluster to be well", lambda: b"cluster_state:ok" in redis.ask("CLUSTER", "INFO"))  # type: ignore
        if row.other:
            site.other = second_node(path, row, redis)
            programs.append(site.other.program)
        mock = MockAzure(binaries, path)
        programs.append(mock.program)
        if row.starts_ill:
            row.begin(site)
        coordination = f"deadline: {DEADLINE * 1000:.0f}ms, assumed_replicas: 1"
        coordination += f", {row.coordination}" if row.coordination else ""
        text = configuration(mock.address, proxy.port, CLIENTS, ["deployment: first"], coordination)
        gateway = Gateway(binaries, path, 1, text)
        programs.append(gateway.program)
        meddle(outcome, site, gateway, mock, requests)
    except (StartError, RedisReplyError, OSError) as error:
        outcome.problems.append(str(error))
        outcome.times = outcome.times or [0.0]
    finally:
        for program in reversed(programs):
            program.stop()
        proxy.stop()
    return outcome


def second_node(path: Path, row: Row, redis: Redis) -> Redis:
    place = path / "second"
    place.mkdir()
    other = Redis(place, *row.options)
    redis.ask("CLUSTER", "MEET", "127.0.0.1", str(other.port))
    until("the nodes to meet", lambda: redis.ask("CLUSTER", "NODES").count(b"connected") == 2)  # type: ignore
    return other


def meddle(outcome: Outcome, site: Site, gateway: Gateway, mock: MockAzure, requests: int) -> None:
    row = outcome.row
    caller = Caller(gateway.address)
    if not row.starts_ill:
        gateway.wait_until_shared()
    with Metronome():
        outcome.healthy = max(ask(outcome, caller) for _ in range(100))
    if row.starts_ill and gateway.status()["mode"] != "degraded":
        outcome.problems.append("does not say that it decides alone")
    before = mock.stats()
    lost = {"prompt": 0, "completion": 0}
    if row.loses and not row.starts_ill:
        gateway.wait_until_told()
        lost = before
    alone = gateway.metric("sluice_fallback_admissions_total")
    if not row.starts_ill:
        row.begin(site)
    with Metronome() as metronome:
        outcome.times = [ask(outcome, caller) for _ in range(requests)]
    outcome.late = metronome.worst
    alone = gateway.metric("sluice_fallback_admissions_total") - alone
    row.end(site)
    outcome.back = until(
        "the replica to use Redis again",
        lambda: gateway.metric("sluice_limiter_shared") == 1 and is_asked(outcome, caller, gateway),
    )
    gateway.wait_until_told()
    judge(outcome, site, gateway, mock, alone, lost)
    caller.close()


def ask(outcome: Outcome, caller: Caller) -> float:
    answer = caller.ask()
    if answer.status != 200:
        outcome.problems.append(f"an answer was {answer.status}: {answer.body[:100]!r}")
    return answer.seconds


def is_asked(outcome: Outcome, caller: Caller, gateway: Gateway) -> bool:
    """Whether Redis decides the next request."""
    before = gateway.metric("sluice_fallback_admissions_total")
    ask(outcome, caller)
    return gateway.metric("sluice_fallback_admissions_total") == before


def judge(
    outcome: Outcome,
    site: Site,
    gateway: Gateway,
    mock: MockAzure,
    alone: float,
    lost: dict[str, int],
) -> None:
    row = outcome.row
    if row.decides == "alone" and alone == 0:
        outcome.problems.append("nothing was decided alone: the fault was none")
    if row.decides == "shared" and alone:
        outcome.problems.append(f"{alone:.0f} were decided alone, and Redis would have answered")
    if dropped := gateway.metric("sluice_settlements_dropped_total"):
        outcome.problems.append(f"{dropped:.0f} settlements were dropped")
    stats, usage = mock.stats(), site.redis.usage()
    for name, counted in (("in", "prompt"), ("out", "completion")):
        wanted = stats[counted] - lost[counted]
        if usage.get(name, 0) != wanted:
            outcome.problems.append(f"Redis counted {usage.get(name, 0)} tokens {name}, mock-azure {wanted}")
    if left := {key: count for key, count in site.redis.slots().items() if count}:
        outcome.problems.append(f"slots are still taken: {left}")
