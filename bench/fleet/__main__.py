"""Starts Redis, stand-ins for Azure and gateways on loopback ports, runs a scenario against them, stops what it started.

    python3 -m bench.fleet --replicas 4 --scenario quota

Everything after `--` goes to sluice-load. The exit status is that of sluice-load.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from bench.fleet.plans import CLIENT_KEYS, PLANS, UPSTREAM_KEY, Event, Plan
from bench.fleet.processes import Program, StartError, answers_ping, found_in, free_port

ROOT = Path(__file__).resolve().parents[2]
GATEWAYS = Path(__file__).with_name("gateways")


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


class Fleet:
    """The programs of one run, by name, in the order they were started."""

    def __init__(self, options: argparse.Namespace, plan: Plan, folder: Path):
        self._options = options
        self._plan = plan
        self._folder = folder
        self.programs: dict[str, Program] = {}
        self.environment = {**os.environ, **CLIENT_KEYS, "UPSTREAM_KEY": UPSTREAM_KEY}
        self.upstreams: list[str] = []
        self.targets: list[str] = []
        self.redis: str | None = None

    def start(self) -> None:
        if self._plan.needs_redis or self._options.replicas > 1:
            self._start_redis()
        for number, options in enumerate(self._plan.upstreams, 1):
            self._start_upstream(number, options)
        configuration = (GATEWAYS / f"{self._plan.gateway}.yaml").read_text()
        if self.redis:
            configuration += f"coordination: {{redis: {self.redis}, assumed_replicas: {self._options.replicas}}}\n"
        file = self._folder / "sluice.yaml"
        file.write_text(configuration)
        for number in range(1, self._options.replicas + 1):
            self._start_gateway(number, file)

    def _launch(self, name: str, *command: str) -> Program:
        program = Program(name, command, self._folder / f"{name}.log", self.environment)
        self.programs[name] = program
        return program

    def _start_redis(self) -> None:
        binary = shutil.which("redis-server")
        if not binary:
            raise StartError("redis-server is not installed: deploy/install-dependencies.sh test")
        port = free_port()
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        program = self._launch("redis", binary, "--port", str(port), *options)
        program.wait_for("does not answer", answers_ping(port))
        self.redis = f"redis://127.0.0.1:{port}"

    def _start_upstream(self, number: int, options: tuple[str, ...]) -> None:
        name = f"mock-azure-{number}"
        # A port of its own choice would be another one after `start_again`.
        address = f"127.0.0.1:{free_port()}"
        binary = str(self._options.binaries / "mock-azure")
        program = self._launch(name, binary, "--listen", address, "--api-key", UPSTREAM_KEY, *options)
        program.wait_for("does not listen", found_in(program.log, r"listening on (\S+)\n"))
        self.upstreams.append(f"http://{address}")
        self.environment[f"UPSTREAM_{number}"] = self.upstreams[-1]

    def _start_gateway(self, number: int, configuration: Path) -> None:
        ports = self._folder / f"sluice-{number}.ports"
        command = [str(self._options.binaries / "sluice"), "serve", "--config", str(configuration)]
        program = self._launch(f"sluice-{number}", *command, "--port-file", str(ports))
        self.targets.append("http://" + program.wait_for("does not listen", found_in(ports, r"data (\S+)\n")))

    def stop(self) -> None:
        # The gateways first: they may still have something to say to the others.
        for program in reversed(self.programs.values()):
            program.stop()

    def happen(self, event: Event) -> None:
        print(f"fleet: {event.action} {event.program}", file=sys.stderr)
        getattr(self.programs[event.program], event.action)()


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
    timers = [threading.Timer(event.at, fleet.happen, [event]) for event in plan.events]
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
    print(f"fleet: the report is in {out}", file=sys.stderr)
    return status


def main() -> int:
    options = arguments()
    plan = PLANS[options.scenario]
    out = options.out or ROOT / ".build/fleet" / options.scenario
    out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="sluice-fleet."))
    fleet = Fleet(options, plan, folder)
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
