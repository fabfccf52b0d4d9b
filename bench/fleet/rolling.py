"""Restarts gateways one after the other behind nginx, under load with streams, and compares the books with what callers saw.

    python3 -m bench.fleet.rolling --replicas 4

nginx gets the replicas that say they are ready, as a platform's load balancer does: one that shuts down says so at once, and
takes requests for `lame_duck` more. Exit 1 when a condition of the scenario does not hold, when a gateway does not end with
status 0, or when a request or a token is missing in the books or is too many there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.fleet.books import usage_in_redis
from bench.fleet.fleet import Fleet
from bench.fleet.nginx import Balancer
from bench.fleet.plans import ROLLING
from bench.fleet.processes import StartError

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = ROOT / "bench/scenarios/rolling.yaml"
LOOK_EVERY = 0.05
# The drain of bench/fleet/gateways/rolling.yaml is 6 s; the machine may be busy.
END_SECONDS = 20.0
# The model whose answers are shorter than the grace.
WHOLE = "gpt-4o"


def is_ready(admin: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{admin}/health/ready", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def wait_until(what: str, condition) -> None:  # noqa: ANN001
    end = time.monotonic() + END_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise StartError(f"waited in vain for {what}")
        time.sleep(LOOK_EVERY)


class Restarts(threading.Thread):
    """Goes through the replicas once; `failure` says what went wrong."""

    def __init__(self, fleet: Fleet, balancer: Balancer, replicas: int):
        super().__init__(name="restarts", daemon=True)
        self._fleet = fleet
        self._balancer = balancer
        self._replicas = replicas
        self.done = 0
        self.failure: str | None = None

    def run(self) -> None:
        # Until streams are everywhere.
        time.sleep(3)
        try:
            for number in range(1, self._replicas + 1):
                self._restart(number)
                self.done += 1
        except (StartError, OSError) as error:
            self.failure = str(error)

    def _restart(self, number: int) -> None:
        name = f"sluice-{number}"
        program = self._fleet.programs[name]
        admin = self._fleet.listener(number, "admin")
        began = time.monotonic()
        program.terminate()
        wait_until(f"{name} not to be ready", lambda: not is_ready(admin))
        self._balancer.remove(name)
        status = program.wait(END_SECONDS)
        if status != 0:
            raise StartError(f"{name} ended with status {status}")
        ended = time.monotonic()
        self._fleet.start_gateway_again(number)
        admin = self._fleet.listener(number, "admin")
        wait_until(f"{name} to be ready", lambda: is_ready(admin))
        self._balancer.add(name, self._fleet.listener(number, "data"))
        ready = time.monotonic()
        print(f"rolling: {name} ended after {ended - began:.1f} s, ready again after {ready - ended:.2f} s", file=sys.stderr)


def load(binaries: Path, fleet: Fleet, balancer: Balancer, out: Path, more: list[str]) -> int:
    command = [str(binaries / "sluice-load"), "run", str(SCENARIO), "--target", balancer.address]
    command += ["--redis", str(fleet.redis), "--json", str(out / "result.json"), "--html", str(out / "report.html"), *more]
    return subprocess.run(command, env=fleet.environment, check=False).returncode


def compare_books(redis: str, result: dict) -> list[str]:
    """What differs between the usage counters and what callers saw.

    Every answer is booked, whether it was cut or not. The tokens of a stream that was cut are an estimate, as its usage never
    came, so tokens are compared of the model without such streams.
    """
    requests = next(line for line in result["books"] if line["book"] == "redis" and line["what"] == "answers 2xx")
    seen = next(group for group in result["models"] if group["name"] == WHOLE)
    booked = usage_in_redis(redis)[WHOLE]
    lines = [
        ("answers", requests["seen"], requests["booked"]),
        (f"prompt tokens of {WHOLE}", seen["promptTokens"], booked["in"]),
        (f"completion tokens of {WHOLE}", seen["completionTokens"], booked["out"]),
    ]
    for what, here, there in lines:
        print(f"books: {there} {what}, of {here} that callers saw")
    return [f"the books differ: {there} {what}, not {here}" for what, here, there in lines if here != there]


def run(options: argparse.Namespace, folder: Path, out: Path) -> int:
    fleet = Fleet(options.binaries, options.replicas, ROLLING, folder)
    balancer = None
    try:
        fleet.start()
        balancer = Balancer(folder / "nginx")
        for number in range(1, options.replicas + 1):
            balancer.add(f"sluice-{number}", fleet.listener(number, "data"))
        balancer.start()
        restarts = Restarts(fleet, balancer, options.replicas)
        restarts.start()
        status = load(options.binaries, fleet, balancer, out, options.load)
        problems = [] if status == 0 else [f"sluice-load ended with status {status}"]
        if restarts.is_alive():
            problems.append("the restarts took longer than the load")
        if restarts.failure:
            problems.append(restarts.failure)
        if fleet.redis and status in (0, 1):
            problems += compare_books(fleet.redis, json.loads((out / "result.json").read_text()))
        for problem in problems:
            print(f"FAILED: {problem}")
        if not problems:
            print(f"held: {restarts.done} of {options.replicas} gateways restarted, the books are exact")
        return 1 if problems else 0
    finally:
        if balancer:
            balancer.stop()
        fleet.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.fleet.rolling", description=__doc__.splitlines()[0])
    parser.add_argument("--binaries", type=Path, default=ROOT / ".build/release")
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--out", type=Path, default=ROOT / ".build/fleet/rolling", help="where the report goes")
    parser.add_argument("--keep", action="store_true", help="keep logs and configurations")
    parser.add_argument("load", nargs="*", help="options for sluice-load, after --")
    options = parser.parse_args()
    if not 2 <= options.replicas <= 64:
        parser.error("--replicas is from 2 to 64")
    options.out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="sluice-rolling."))
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        return run(options, folder, options.out)
    except StartError as error:
        print(f"rolling: {error}", file=sys.stderr)
        return 2
    finally:
        if options.keep:
            print(f"rolling: logs and configurations are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
