"""After a refusal with wait w, a retry at w - 1 ms is refused and at w it is admitted, to the millisecond of Redis's
clock.

The caller aims a little around that moment; what counts is when Redis decided, which the log tells. It retries at
another replica: the one that refused gives its refusal again by itself until the wait is over.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from bench.proof.caller import Caller
from bench.proof.recorder import Recorder
from bench.proof.redis import Redis
from bench.proof.stack import Gateway, MockAzure, configuration

# One request every 100 ms, and none in reserve.
CLIENTS = [
    "limits: {requests_per_minute: 600}, burst: {requests: 1}",
    "limits: {tokens_per_minute: 12000}, burst: {tokens: 40}",
]


def run(path: Path, binaries: Path, trials: int) -> int:
    programs = []
    redis = Redis(path)
    programs.append(redis.program)
    recorder = Recorder(redis.port)
    try:
        port = recorder.start()
        mock = MockAzure(binaries, path)
        programs.append(mock.program)
        text = configuration(mock.address, port, CLIENTS, ["deployment: first"], "deadline: 5s")
        gateways = [Gateway(binaries, path, number, text) for number in (1, 2)]
        programs += [gateway.program for gateway in gateways]
        for gateway in gateways:
            gateway.wait_until_shared()
        early = late = 0
        for client in ("team-a", "team-b"):
            callers = [Caller(gateway.address, client) for gateway in gateways]
            for trial in range(trials // 2):
                answer = callers[trial % 2].ask()
                if answer.status != 429:
                    continue
                # The refusal was decided a little before it came.
                ahead = trial % 24 * 0.00025
                time.sleep(max(0.0, answer.wait / 1000 - ahead))
                retry = callers[1 - trial % 2].ask()
                if retry.status == 429 and ahead == 0:
                    late += 1
                elif retry.status == 429:
                    early += 1
            for caller in callers:
                caller.close()
        return judge(recorder, late, early)
    finally:
        for program in reversed(programs):
            program.stop()
        recorder.stop()


def judge(recorder: Recorder, late: int, early: int) -> int:
    """Every admission call is judged by the refusal before it, if nothing of the client was admitted or settled between."""
    due: dict[bytes, int] = {}
    at: Counter[tuple[int, bool]] = Counter()
    wrong = 0
    for call in recorder.calls:
        if call.script == "settle":
            # It may have given back what the refused one waits for.
            due.pop(call.keys[1], None)
        if call.script != "admit" or not isinstance(call.reply, list):
            continue
        client, code, now = call.keys[1], int(call.reply[0]), int(call.reply[1])  # type: ignore[arg-type]
        if client in due:
            after = now - due[client]
            at[(max(-50, min(50, after)), code == 0)] += 1
            # The same request each time: the tokens are those that were refused.
            wrong += (code == 0) != (after >= 0)
        if code == 1:
            due[client] = now + int(call.reply[2])  # type: ignore[arg-type]
        else:
            due.pop(client, None)
    before, then = at[(-1, False)], at[(0, True)]
    print(f"retries that Redis decided: {sum(at.values())}; of these against the rule: {wrong}")
    for after in range(-3, 4):
        told = f"refused {at[(after, False)]}, admitted {at[(after, True)]}"
        print(f"  at w {after:+d} ms: {told}")
    print(f"retries after the whole wait that were refused: {late}; earlier ones that were refused: {early}")
    enough = before > 0 and then > 0
    if not enough:
        print("VIOLATION no retry came one millisecond early, or none on time: this proof proves little")
    good = enough and not wrong and not late
    print("A retry at w - 1 ms is refused, and at w admitted." if good else "It does not hold.")
    return 0 if good else 1
