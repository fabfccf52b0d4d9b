"""Proves on real gateways, a real Redis and mock-azure what routing promises; each proof prints what it measured.

    python3 -m bench.routing --binaries .build/release --seconds 120 [spill] [outage] [queue] [cost]
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from bench.fleet.processes import StartError
from bench.routing import load
from bench.routing.cost import added as routing_cost
from bench.routing.world import KEY, World, stats, wait_until

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "All work and no play makes a dull gateway. " * 8
BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 16}


class Report:
    """Prints each figure with its bar, and remembers whether all hold."""

    def __init__(self) -> None:
        self.holds = True

    def check(self, what: str, value: object, holds: bool) -> None:
        self.holds = self.holds and holds
        print(f"  {'holds' if holds else 'FAILS'}  {what}: {value}", flush=True)

    def answers(self, outcomes: list[load.Outcome]) -> None:
        """Nobody was refused, and nothing was lost."""
        statuses = sum((outcome.statuses() for outcome in outcomes), Counter[int]())
        errors = sum((outcome.errors for outcome in outcomes), Counter[str]())
        is_whole = set(statuses) == {200} and not errors
        self.check("answers to clients, and lost", f"{dict(statuses)}, {dict(errors)}", is_whole)

    def note(self, what: str, value: object) -> None:
        print(f"         {what}: {value}", flush=True)


def tokens_of(azure: str, deployment: str) -> int:
    return stats(azure)["tokens"]["by_deployment"].get(deployment, {}).get("total", 0)


def refused_by(azure: str, deployment: str) -> int:
    return stats(azure)["deployments"].get(deployment, {}).get("by_status", {}).get("429", 0)


def spill(options: argparse.Namespace, report: Report) -> None:
    """Three deployments that enforce their limits, offered three times what the provisioned one can take."""
    per_minute = 60_000
    with World(options.binaries) as world:
        azure = world.azure(
            "azure", f"ptu,provisioned={per_minute}", f"standard,tpm={per_minute}", f"region,tpm={20 * per_minute}"
        )
        model = (
            "  - {name: gpt-4o, deployments: ["
            "{endpoint: a, deployment: ptu, kind: provisioned, tier: 1, "
            f"limits: {{tokens_per_minute: {per_minute}}}}}, "
            "{endpoint: a, deployment: standard, tier: 2}, {endpoint: a, deployment: region, tier: 3}]}"
        )
        world.gateway({"a": azure}, model, count=options.replicas)
        cost = load.Caller(world.gateways[0], KEY).ask(BODY).tokens
        rate = 3 * per_minute / 60 / cost
        offered = f"{rate:.0f} requests/s of {cost} tokens"
        print(f"spill: {options.replicas} replicas, {offered}, {options.seconds:.0f} s", flush=True)
        # A minute's worth is there at first: the measure begins when that is used up.
        warm = load.run(world.gateways, KEY, BODY, rate, 45)
        before, began = tokens_of(azure, "ptu"), time.monotonic()
        outcome = load.run(world.gateways, KEY, BODY, rate, options.seconds)
        seconds = time.monotonic() - began
        use = (tokens_of(azure, "ptu") - before) / (per_minute / 60 * seconds)
        report.check("provisioned use", f"{100 * use:.1f} %", use >= 0.97)
        report.answers([warm, outcome])
        minutes = int((45 + seconds) // 60) + 2
        for deployment in ("ptu", "standard", "region"):
            refused = refused_by(azure, deployment)
            # A limit of a minute cools until the minute is over: one 429 for each is one for each cooldown.
            report.check(f"429s of {deployment}, in up to {minutes} minutes of its limit", refused, refused <= minutes)
        report.note("tokens", {name: tokens_of(azure, name) for name in ("ptu", "standard", "region")})
        books = world.usage()
        charged = sum(count for name, count in books.items() if name.endswith(":req"))
        answered = 1 + len(warm.answers) + len(outcome.answers)
        report.check("requests in the books, of those answered", f"{charged} of {answered}", charged == answered)


def outage(options: argparse.Namespace, report: Report) -> None:
    """The first of two resources dies under load and comes back."""
    with World(options.binaries) as world:
        first, second = world.azure("first", "gpt-4o"), world.azure("second", "gpt-4o")
        model = "  - {name: gpt-4o, deployments: [{endpoint: a, tier: 1}, {endpoint: b, tier: 2}]}"
        world.gateway({"a": first, "b": second}, model, count=options.replicas)
        print(f"outage: {options.replicas} replicas, 40 requests/s, one of two resources gone for 8 s", flush=True)
        times: dict[str, float] = {}

        def events() -> None:
            time.sleep(4)
            world.stop("first")
            times["gone"] = time.monotonic()
            time.sleep(8)
            world.start_again("first")
            times["back"] = time.monotonic()

        thread = threading.Thread(target=events)
        thread.start()
        outcome = load.run(world.gateways, KEY, BODY, 40, 35)
        thread.join()
        report.answers([outcome])
        answers = sorted(outcome.answers, key=lambda answer: answer.started)
        down = [a for a in answers if times["gone"] + 1 < a.started < times["back"]]
        tries = [a.started - times["gone"] for a in down if a.attempts > 1]
        report.note("tries while it was gone, seconds after it went", [f"{at:.1f}" for at in tries])
        # A second and up to a tenth: never two tries within one.
        apart = [later - earlier for earlier, later in zip(tries, tries[1:])]
        is_one = all(gap > 0.9 for gap in apart)
        report.check("one probe of the fleet per interval, seconds apart", [f"{gap:.1f}" for gap in apart], is_one)
        probe = next((a for a in answers if a.started > times["back"] and a.deployment.startswith("a/")), None)
        if probe is None:
            report.check("it is used again", "never", False)
            return
        recovered = probe.started + probe.seconds
        report.note("first answer after it came back, in seconds", f"{recovered - times['back']:.1f}")
        after = [a for a in answers if a.started > times["back"] and not a.deployment.startswith("a/")]
        last = max((a.started - times["back"] for a in after), default=0.0)
        report.check("the last answer of the other one, seconds after it came back", f"{last:.2f}", last <= 2)


def queue(options: argparse.Namespace, report: Report) -> None:
    """Two replicas, twice as many requests as a deployment can take, half of them of a higher priority."""
    with World(options.binaries) as world:
        azure = world.azure("azure", "gpt-4o")
        model = (
            "  - {name: gpt-4o, "
            "deployments: [{endpoint: a, limits: {requests_per_minute: 600, concurrent_requests: 50}}], "
            "queue: {max_wait: 3s, max_waiting: 60}}"
        )
        low = "  - {name: low, api_keys: [key-of-the-low], priority: 9}"
        world.gateway({"a": azure}, model, count=2, clients=low)
        load.run(world.gateways, KEY, BODY, 200, 4)  # uses up a minute's worth
        print("queue: 2 replicas, 20 requests/s at a limit of 10, half of them of a higher priority, 20 s", flush=True)
        outcomes: dict[str, load.Outcome] = {}

        def run(name: str, key: str, rate: float) -> None:
            outcomes[name] = load.run(world.gateways, key, BODY, rate, 20)

        loads = (("high", KEY, 8), ("low", "key-of-the-low", 12))
        threads = [threading.Thread(target=run, args=arguments) for arguments in loads]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name, outcome in outcomes.items():
            report.note(f"{name} priority", dict(outcome.statuses()))
        longest = max(a.seconds for o in outcomes.values() for a in o.answers)
        report.check("longest wait in seconds, of 3", f"{longest:.2f}", longest < 3.5)
        served = {name: outcome.statuses()[200] / max(1, len(outcome.answers)) for name, outcome in outcomes.items()}
        is_ordered = served["high"] > 0.9 > served["low"]
        report.check("part served by priority", {n: f"{v:.2f}" for n, v in served.items()}, is_ordered)
        for number in range(2):
            wait_until("nobody to wait", lambda: world.status(number)["models"][0]["waiting"] == 0)


def cost(options: argparse.Namespace, report: Report) -> None:
    """CPU of the gateway per request, with one deployment and with eight; needs a machine with nothing else to do."""
    print("cost: one replica without Redis, 16 connections", flush=True)
    one, added = routing_cost(options.binaries)
    report.note("CPU of a request with one deployment", f"{one:.1f} us")
    report.check("CPU that eight deployments add", f"{added:.2f} us", added <= 2)


PROOFS = {"spill": spill, "outage": outage, "queue": queue, "cost": cost}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.routing", description=__doc__.splitlines()[0])
    parser.add_argument("--binaries", type=Path, default=ROOT / ".build/release")
    parser.add_argument("--seconds", type=float, default=120, help="of the spill's measure")
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("proofs", nargs="*", metavar="proof", help=f"of {', '.join(PROOFS)}; all unless named")
    options = parser.parse_args()
    if unknown := set(options.proofs) - set(PROOFS):
        parser.error(f"no such proof: {', '.join(sorted(unknown))}")
    report = Report()
    try:
        for name in options.proofs or PROOFS:
            PROOFS[name](options, report)
    except StartError as error:
        print(f"routing: {error}", file=sys.stderr)
        return 2
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main())
