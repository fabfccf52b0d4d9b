"""One replica of four cannot reach Redis, the others share it as before.

The bound of a partition: the whole limit among those that share it, and a quarter of it for the one that is alone.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from bench.proof.faults import NONE, Fault, FaultProxy
from bench.proof.flapping import BURST, CALLERS, CLIENTS, PER_SECOND, REPLICAS, Hammer
from bench.proof.redis import Redis
from bench.proof.stack import Gateway, MockAzure, configuration


def run(path: Path, binaries: Path, seconds: float) -> int:
    programs = []
    redis = Redis(path)
    programs.append(redis.program)
    proxy = FaultProxy(redis.port)
    try:
        mock = MockAzure(binaries, path)
        programs.append(mock.program)
        gateways = []
        for number in range(1, REPLICAS + 1):
            # Only the last one's way leads through the fault; the others are not to miss a deadline on a busy machine.
            alone = number == REPLICAS
            options = f"deadline: {'75ms' if alone else '2s'}, assumed_replicas: {REPLICAS}"
            port = proxy.port if alone else redis.port
            text = configuration(mock.address, port, CLIENTS, ["deployment: first"], options)
            gateways.append(Gateway(binaries, path, number, text))
            programs.append(gateways[-1].program)
        for gateway in gateways:
            gateway.wait_until_shared()
        stopping = threading.Event()
        hammers = {gateway.number: [Hammer(gateway, stopping) for _ in range(CALLERS)] for gateway in gateways}
        proxy.fault = Fault("blackhole")
        start = time.monotonic()
        for group in hammers.values():
            for hammer in group:
                hammer.start()
        time.sleep(seconds)
        stopping.set()
        for group in hammers.values():
            for hammer in group:
                hammer.join(30)
        elapsed = time.monotonic() - start
        proxy.fault = NONE
        for gateway in gateways:
            gateway.wait_until_shared()
            gateway.wait_until_told()
        return judge(hammers, gateways, elapsed)
    finally:
        for program in reversed(programs):
            program.stop()
        proxy.stop()


def judge(hammers: dict[int, list[Hammer]], gateways: list[Gateway], elapsed: float) -> int:
    admitted = {number: sum(hammer.admitted for hammer in group) for number, group in hammers.items()}
    alone = admitted[REPLICAS]
    shared = sum(admitted.values()) - alone
    whole = PER_SECOND * elapsed + BURST
    problems = [problem for group in hammers.values() for hammer in group for problem in hammer.problems]
    if shared > whole:
        problems.append(f"those that share Redis admitted {shared}, and the limit is {whole:.0f}")
    if alone > whole / REPLICAS:
        problems.append(f"the one that is alone admitted {alone}, and its share is {whole / REPLICAS:.0f}")
    if fallback := sum(int(gateway.metric("sluice_fallback_admissions_total")) for gateway in gateways[:-1]):
        problems.append(f"{fallback} admissions of those that share Redis were decided alone")
    if not alone or shared < 0.5 * whole:
        problems.append(f"too few were admitted: {admitted}")
    print(f"{elapsed:.1f} s: the three that share Redis admitted {shared} of {whole:.0f}, the one alone {alone} of its")
    print(
        f"share of {whole / REPLICAS:.0f}; together {(shared + alone) / whole:.2f} of the limit, and 1.25 is the bound"
    )
    for problem in problems[:20]:
        print(f"VIOLATION {problem}")
    return 1 if problems else 0
