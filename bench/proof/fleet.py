"""Several gateways, one Redis, many callers with random real usage: does the fleet hold its limits as one, to the
token.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from bench.fleet.processes import StartError
from bench.proof.ledger import Ledger, integers
from bench.proof.recorder import Call, Recorder
from bench.proof.redis import Redis
from bench.proof.stack import KEYS, Gateway, MockAzure, configuration

# Each limit is met all the time; together they make every kind of refusal.
CLIENTS = [
    "limits: {tokens_per_minute: 300k}, burst: {tokens: 10k}",
    "limits: {requests_per_minute: 900}, burst: {requests: 30}",
    "limits: {concurrent_requests: 4, tokens_per_minute: 400k, tokens_per_day: 50M}, burst: {tokens: 10k}",
    "limits: {tokens_per_minute: 3M, requests_per_minute: 60k}",
]


def deployments(seconds: float) -> list[str]:
    """Too small for all clients together; they begin with a minute's worth, which a short run has to use up too."""
    limit = 300_000 if seconds >= 30 else 40_000
    return [
        f"deployment: first, kind: provisioned, tier: 1, limits: {{tokens_per_minute: {limit}, requests_per_minute: 20k}}",
        f"deployment: second, kind: standard, tier: 2, limits: {{tokens_per_minute: {limit}, requests_per_minute: 6000}}",
    ]


# What a request really uses is up to mock-azure: less than was estimated, as much, and more.
ORDERS = [
    "tokens=3",
    "tokens=60",
    "tokens=400",
    "prompt-tokens=700,tokens=20",
    "delay=80,tokens=30",
    "prompt-tokens=1,tokens=1",
]


def scenario(callers: int, seconds: float, think: int, seed: int) -> dict:
    requests = []
    for number, order in enumerate(ORDERS):
        for stream in (False, True):
            requests.append(
                {
                    "name": f"order-{number}{'-stream' if stream else ''}",
                    "model": "gpt-4o",
                    "stream": stream,
                    "prompt_tokens": {"uniform": [5, 300]},
                    "max_tokens": {"uniform": [1, 500]},
                    "user": f"mock:{order}",
                    "verify": "none",
                }
            )
    return {
        "name": "proof",
        "seed": seed,
        "load": {"closed": {"workers": callers, "for": f"{seconds:g}s", "think_time": {"exponential": f"{think}ms"}}},
        "connections": callers,
        "clients": [{"name": name, "key": key} for name, key in KEYS.items()],
        "requests": requests,
        "fail_if": ["errors>0"],
    }


def run(path: Path, binaries: Path, replicas: int, callers: int, seconds: float, think: int, seed: int) -> int:
    programs = []
    redis = Redis(path)
    programs.append(redis.program)
    recorder = Recorder(redis.port)
    try:
        port = recorder.start()
        mock = MockAzure(binaries, path)
        programs.append(mock.program)
        # Generous, as the recorder and all programs share this machine: nothing is to be decided alone here.
        text = configuration(
            mock.address, port, CLIENTS, deployments(seconds), f"deadline: 5s, assumed_replicas: {replicas}"
        )
        gateways = [Gateway(binaries, path, number, text) for number in range(1, replicas + 1)]
        programs += [gateway.program for gateway in gateways]
        for gateway in gateways:
            gateway.wait_until_shared()
        load(path, binaries, gateways, scenario(callers, seconds, think, seed))
        for gateway in gateways:
            gateway.wait_until_told()
        return judge(recorder, redis, mock, gateways)
    finally:
        for program in reversed(programs):
            program.stop()
        recorder.stop()


def load(path: Path, binaries: Path, gateways: list[Gateway], plan: dict) -> None:
    file = path / "scenario.yaml"
    file.write_text(json.dumps(plan))
    command = [str(binaries / "sluice-load"), "run", str(file), "--quiet", "--json", str(path / "result.json")]
    for gateway in gateways:
        command += ["--target", f"http://{gateway.address}"]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=600)
    print(done.stdout.strip())
    if done.returncode != 0:
        raise StartError(f"sluice-load ended with {done.returncode}: {done.stdout}{done.stderr}")


def sees_tampering(calls: list[Call]) -> list[str]:
    """A judge that sees nothing proves nothing: whether a log that was changed a little is found out."""
    admissions = {
        i: call.reply for i, call in enumerate(calls) if call.script == "admit" and isinstance(call.reply, list)
    }
    # Of a client with a limit on tokens.
    admitted = next(i for i, reply in admissions.items() if reply[0] == 0 and integers(calls[i].arguments[0])[6] > 0)
    settled = next(i for i, call in enumerate(calls) if call.script == "settle" and call.reply == 1)
    refused = next(i for i, reply in admissions.items() if reply[0] == 1)
    reply, refusal = calls[admitted].reply, calls[refused].reply
    assert isinstance(reply, list) and isinstance(refusal, list)
    raised, waits = list(reply), list(refusal)
    raised[7] = 1 + int(raised[7])  # type: ignore[arg-type]
    waits[2] = 1 + int(waits[2])  # type: ignore[arg-type]
    changes = {
        "a level that is one unit too high": [
            *calls[:admitted],
            replace(calls[admitted], reply=raised),
            *calls[admitted + 1 :],
        ],
        "a wait that is one millisecond too long": [
            *calls[:refused],
            replace(calls[refused], reply=waits),
            *calls[refused + 1 :],
        ],
        "a settlement with two effects": [*calls[: settled + 1], *calls[settled:]],
        "a settlement that was lost": [*calls[:settled], *calls[settled + 1 :]],
        "a lease that is admitted twice": [*calls[: admitted + 1], *calls[admitted:]],
    }
    unseen = []
    for change, log in changes.items():
        ledger = Ledger()
        ledger.replay(log)
        if not ledger.violations and sum(ledger.ended.values()) == ledger.counts["admit 0"]:
            unseen.append(f"the judge did not see {change}")
    return unseen


def judge(recorder: Recorder, redis: Redis, mock: MockAzure, gateways: list[Gateway]) -> int:
    started = time.monotonic()
    ledger = Ledger()
    calls = list(recorder.calls)
    ledger.replay(calls)
    problems = ledger.violations + recorder.problems + sees_tampering(calls)
    fallback = sum(int(gateway.metric("sluice_fallback_admissions_total")) for gateway in gateways)
    remembered = sum(int(gateway.metric("sluice_remembered_refusals_total")) for gateway in gateways)
    if fallback:
        problems.append(f"{fallback} admissions were decided alone: this machine is too busy for this proof")
    usage, stats = redis.usage(), mock.stats()
    for field, wanted in (("in", stats["prompt"]), ("out", stats["completion"])):
        if usage.get(field, 0) != wanted:
            problems.append(f"S4: the usage hashes say {usage.get(field, 0)} tokens {field}, /mock/stats {wanted}")
        if ledger.usage[field] != usage.get(field, 0):
            problems.append(
                f"S4: settlements told of {ledger.usage[field]} tokens {field}, the hashes hold {usage.get(field, 0)}"
            )
    if left := {key: count for key, count in redis.slots().items() if count}:
        problems.append(f"S3: slots are still taken: {left}")
    admitted = ledger.counts["admit 0"]
    ended = sum(ledger.ended.values())
    if ended != admitted:
        problems.append(f"S1: {admitted} leases were admitted, {ended} ended")
    refused = {code: ledger.counts[f"admit {code}"] for code in (1, 2, 3)}
    for code, count in refused.items():
        if not count:
            problems.append(f"no admission was refused with code {code}: this proof proves little")
    print(f"calls: {len(calls)}; " + ", ".join(f"{name}: {count}" for name, count in sorted(ledger.counts.items())))
    print(f"refusals given again without a call: {remembered}")
    print(f"tokens admitted above a limit: {max(0.0, ledger.tokens_over):g} (nearest to it: {ledger.tokens_over:.3f})")
    print(
        f"usage hashes: {usage.get('in', 0)} + {usage.get('out', 0)} tokens; /mock/stats: {stats['prompt']} + {stats['completion']}"
    )
    print(f"replayed in {time.monotonic() - started:.1f} s")
    for problem in problems[:20]:
        print(f"VIOLATION {problem}")
    print(f"{len(problems)} violations" if problems else "I1-I5 and S1-S4 hold.")
    return 1 if problems else 0
