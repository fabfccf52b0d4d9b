"""Redis is up for a second and down for a second by turns, and callers ask all the time for far more than they may
have.

The bound (docs/decisions/0008): limit x time + burst, and once more what the shares of one absence come to, which
is what was left of the burst and the limit for as long as it lasts. A fallback that began full each time would hand
out a burst each time.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from bench.proof.caller import Caller
from bench.proof.faults import NONE, Fault, FaultProxy
from bench.proof.redis import Redis
from bench.proof.stack import Gateway, MockAzure, configuration

REPLICAS = 4
PER_SECOND = 10
BURST = 60
CALLERS = 3
"""At each replica, over a connection each."""
CLIENTS = [f"limits: {{requests_per_minute: {60 * PER_SECOND}}}, burst: {{requests: {BURST}}}"]
FAULTS = [Fault("blackhole"), Fault("reset"), Fault("cut", 0)]


class Hammer(threading.Thread):
    def __init__(self, gateway: Gateway, stopping: threading.Event):
        super().__init__(name="hammer", daemon=True)
        self._caller = Caller(gateway.address)
        self._stopping = stopping
        self.admitted = 0
        self.refused = 0
        self.problems: list[str] = []

    def run(self) -> None:
        while not self._stopping.wait(0.01):
            answer = self._caller.ask()
            if answer.status == 200:
                self.admitted += 1
            elif answer.status == 429:
                self.refused += 1
            else:
                self.problems.append(f"an answer was {answer.status}: {answer.body[:200]!r}")


def run(path: Path, binaries: Path, seconds: float) -> int:
    programs = []
    redis = Redis(path)
    programs.append(redis.program)
    proxy = FaultProxy(redis.port)
    try:
        mock = MockAzure(binaries, path)
        programs.append(mock.program)
        options = f"deadline: 75ms, assumed_replicas: {REPLICAS}"
        text = configuration(mock.address, proxy.port, CLIENTS, ["deployment: first"], options)
        gateways = [Gateway(binaries, path, number, text) for number in range(1, REPLICAS + 1)]
        programs += [gateway.program for gateway in gateways]
        for gateway in gateways:
            gateway.wait_until_shared()
        stopping = threading.Event()
        hammers = [Hammer(gateway, stopping) for gateway in gateways for _ in range(CALLERS)]
        start = time.monotonic()
        for hammer in hammers:
            hammer.start()
        longest = flap(proxy, seconds)
        stopping.set()
        for hammer in hammers:
            hammer.join(30)
        elapsed = time.monotonic() - start
        for gateway in gateways:
            gateway.wait_until_shared()
            gateway.wait_until_told()
        return judge(hammers, gateways, redis, mock, elapsed, longest)
    finally:
        for program in reversed(programs):
            program.stop()
        proxy.stop()


def flap(proxy: FaultProxy, seconds: float) -> float:
    """Returns the longest time that Redis was away."""
    end = time.monotonic() + seconds
    longest, number = 0.0, 0
    while time.monotonic() < end:
        time.sleep(1)
        down = time.monotonic()
        proxy.fault = FAULTS[number % len(FAULTS)]
        time.sleep(1)
        proxy.fault = NONE
        longest = max(longest, time.monotonic() - down)
        number += 1
    return longest


def judge(
    hammers: list[Hammer],
    gateways: list[Gateway],
    redis: Redis,
    mock: MockAzure,
    elapsed: float,
    longest: float,
) -> int:
    admitted, refused = sum(hammer.admitted for hammer in hammers), sum(hammer.refused for hammer in hammers)
    alone = sum(int(gateway.metric("sluice_fallback_admissions_total")) for gateway in gateways)
    problems = [problem for hammer in hammers for problem in hammer.problems]
    # A replica is alone a little longer than Redis is away: the breaker lets it back in after a second or so.
    away = longest + BREAKER_SECONDS
    fair, bound = PER_SECOND * elapsed + BURST, PER_SECOND * (elapsed + away) + 2 * BURST
    if admitted > bound:
        problems.append(f"{admitted} were admitted, and the bound is {bound:.0f}")
    if not alone or not refused:
        problems.append("nothing was decided alone, or nothing refused: this proves nothing")
    if admitted < 0.5 * fair:
        problems.append(f"{admitted} were admitted of the {fair:.0f} that the limit allows: too few")
    usage, stats = redis.usage(), mock.stats()
    if usage.get("in", 0) != stats["prompt"] or usage.get("out", 0) != stats["completion"]:
        problems.append(f"Redis counted {usage}, mock-azure {stats}")
    print(
        f"{elapsed:.1f} s, away for {longest:.2f} s at a time: {admitted} admitted, {refused} refused; {alone} asked alone"
    )
    print(
        f"limit x time + burst: {fair:.0f}; bound: {bound:.0f}; books agree: {usage.get('in')} + {usage.get('out')} tokens"
    )
    for problem in problems[:20]:
        print(f"VIOLATION {problem}")
    return 1 if problems else 0


BREAKER_SECONDS = 15
"""The longest that an open breaker keeps a replica alone (`Breaker.Policy.longestOpening`)."""
