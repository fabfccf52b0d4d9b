"""`kill -9` of a replica that holds all slots of a client: they are free within 90 s, and the others never notice."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from bench.proof.caller import Caller
from bench.proof.redis import Redis
from bench.proof.stack import Gateway, MockAzure, configuration

SLOTS = 6
LIMIT_SECONDS = 90.0
BYSTANDERS_BEFORE = 100
CLIENTS = [f"limits: {{concurrent_requests: {SLOTS}}}", "limits: {tokens_per_minute: 60M}"]


class Bystander(threading.Thread):
    """Another client on the replicas that live on: each answer has to be good, before the crash and after it."""

    def __init__(self, gateways: list[Gateway]):
        super().__init__(name="bystander", daemon=True)
        self._callers = [Caller(gateway.address, "team-b") for gateway in gateways]
        self._stopping = threading.Event()
        self.answers: list[tuple[float, float]] = []
        self.problems: list[str] = []

    def run(self) -> None:
        number = 0
        while not self._stopping.wait(0.02):
            answer = self._callers[number % len(self._callers)].ask()
            number += 1
            self.answers.append((time.monotonic(), answer.seconds))
            if answer.status != 200:
                self.problems.append(f"a bystander got {answer.status}: {answer.body[:200]!r}")

    def stop(self) -> None:
        self._stopping.set()
        self.join(30)


def run(path: Path, binaries: Path) -> int:
    programs = []
    redis = Redis(path)
    programs.append(redis.program)
    try:
        mock = MockAzure(binaries, path)
        programs.append(mock.program)
        text = configuration(mock.address, redis.port, CLIENTS, ["deployment: first"], "deadline: 2s")
        gateways = [Gateway(binaries, path, number, text) for number in range(1, 5)]
        programs += [gateway.program for gateway in gateways]
        for gateway in gateways:
            gateway.wait_until_shared()
        bystander = Bystander(gateways[:3])
        bystander.start()
        holders = [threading.Thread(target=hold, args=(gateways[3],), daemon=True) for _ in range(SLOTS)]
        for holder in holders:
            holder.start()
        return watch(redis, gateways, bystander)
    finally:
        for program in reversed(programs):
            program.stop()


def hold(gateway: Gateway) -> None:
    """A request that takes longer than this proof."""
    try:
        Caller(gateway.address, timeout=300).ask("mock:delay=290000,tokens=2")
    except OSError:
        # The replica was killed: that is the test.
        pass


def watch(redis: Redis, gateways: list[Gateway], bystander: Bystander) -> int:
    deadline = time.monotonic() + 30
    while sum(redis.slots().values()) < SLOTS or len(bystander.answers) < BYSTANDERS_BEFORE:
        assert time.monotonic() < deadline, f"slots {redis.slots()}, {len(bystander.answers)} answers to bystanders"
        time.sleep(0.05)
    caller = Caller(gateways[0].address)
    refused = caller.ask()
    problems = [] if refused.status == 429 else [f"all slots were taken, and the answer was {refused.status}"]
    gateways[3].program.kill()
    killed = time.monotonic()
    admitted: list[float] = []
    refusals = 0
    # Until all slots are free: as many requests at once as there are.
    while len(admitted) < SLOTS and time.monotonic() - killed < LIMIT_SECONDS + 15:
        threads = [threading.Thread(target=probe, args=(gateways, number, admitted, killed)) for number in range(SLOTS)]
        admitted.clear()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refusals += SLOTS - len(admitted)
        time.sleep(0.1)
    free = max(admitted, default=float("inf"))
    bystander.stop()
    problems += bystander.problems
    before = [seconds for at, seconds in bystander.answers if at < killed]
    after = [seconds for at, seconds in bystander.answers if at >= killed]
    fallback = sum(int(gateway.metric("sluice_fallback_admissions_total")) for gateway in gateways[:3])
    if fallback:
        problems.append(f"{fallback} admissions of the living were decided alone")
    if free > LIMIT_SECONDS:
        problems.append(f"all slots were free only {free:.1f} s after the crash")
    if refusals == 0:
        problems.append("no slot was ever missed: the dead replica held none")
    print(f"all {SLOTS} slots were free {free:.1f} s after the crash; refusals until then: {refusals}")
    for name, times in (("before", before), ("after", after)):
        print(
            f"bystanders {name}: {len(times)} answers, all good; median {median(times):.1f} ms, longest {max(times) * 1000:.1f} ms"
        )
    for problem in problems[:20]:
        print(f"VIOLATION {problem}")
    return 1 if problems else 0


def probe(gateways: list[Gateway], number: int, admitted: list[float], killed: float) -> None:
    caller = Caller(gateways[number % 3].address)
    asked = time.monotonic()
    if caller.ask("mock:delay=300,tokens=2").status == 200:
        admitted.append(asked - killed)
    caller.close()


def median(times: list[float]) -> float:
    return sorted(times)[len(times) // 2] * 1000
