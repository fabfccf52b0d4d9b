"""Starts Redis, stand-ins for Azure and gateways on loopback ports, runs a scenario against them, stops what it started.

    python3 -m bench.fleet --replicas 4 --scenario quota

Everything after `--` goes to sluice-load. The exit status is that of sluice-load.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from bench.fleet.fleet import Fleet
from bench.fleet.plans import PLANS, Event, Plan
from bench.fleet.processes import StartError

ROOT = Path(__file__).resolve().parents[2]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.fleet", description=__doc__.splitlines()[0])
    parser.add_argument("--binaries", type=Path, default=ROOT / ".build/release")
    parser.add_argument("--replicas", type=int, default=1, help="gateways; more than one share limits through Redis")
    parser.add_argument("--scenario", choices=sorted(PLANS), default="smoke")
    parser.add_argument("--out", type=Path, help="where the report goes; default .build/fleet/SCENARIO")
    parser.add_argument("--keep", action="store_true", help="keep logs and configurations")
    parser.add_argument("load", nargs="*", help="options for sluice-load, after --")
    parsed = parser.parse_args()
    if not 1 <= parsed.replicas <= 64:
        parser.error("--replicas is from 1 to 64")
    return parsed


def happen(fleet: Fleet, event: Event) -> None:
    print(f"fleet: {event.action} {event.program}", file=sys.stderr)
    getattr(fleet.programs[event.program], event.action)()


def load(options: argparse.Namespace, plan: Plan, fleet: Fleet, out: Path) -> int:
    scenario = ROOT / "bench/scenarios" / f"{options.scenario}.yaml"
    command = [str(options.binaries / "sluice-load"), "run", str(scenario)]
    for target in fleet.targets:
        command += ["--target", target]
    # A mock-azure that is stopped meanwhile loses its books.
    if not any(event.program.startswith("mock-azure") for event in plan.events):
        for upstream in fleet.upstreams:
            command += ["--mock", upstream]
    if fleet.redis:
        command += ["--redis", fleet.redis]
    command += ["--json", str(out / "result.json"), "--html", str(out / "report.html"), *options.load]
    timers = [threading.Timer(event.at, happen, [fleet, event]) for event in plan.events]
    process = subprocess.Popen(command, env=fleet.environment, start_new_session=True)
    try:
        for timer in timers:
            timer.start()
        status = process.wait()
    except KeyboardInterrupt:
        # It prints what it has so far.
        process.send_signal(signal.SIGINT)
        status = process.wait()
    finally:
        for timer in timers:
            timer.cancel()
            if timer.ident is not None:
                timer.join()
    if fleet.redis:
        alone = fleet.metric("sluice_fallback_admissions_total")
        print(f"fleet: {alone} admissions were decided without Redis", file=sys.stderr)
    print(f"fleet: the report is in {out}", file=sys.stderr)
    return status


def main() -> int:
    options = arguments()
    plan = PLANS[options.scenario]
    out = options.out or ROOT / ".build/fleet" / options.scenario
    out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="sluice-fleet."))
    fleet = Fleet(options.binaries, options.replicas, plan, folder)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        fleet.start()
        return load(options, plan, fleet, out)
    except StartError as error:
        print(f"fleet: {error}", file=sys.stderr)
        return 2
    finally:
        fleet.stop()
        if options.keep:
            print(f"fleet: logs and configurations are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
