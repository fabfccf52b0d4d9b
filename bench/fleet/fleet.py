"""The programs of a fleet: Redis, stand-ins for Azure, and gateways that share limits."""

from __future__ import annotations

import os
import shutil
import urllib.request
from pathlib import Path

from bench.fleet.plans import CLIENT_KEYS, UPSTREAM_KEY, Plan
from bench.fleet.processes import Program, StartError, answers_ping, found_in, free_port

GATEWAYS = Path(__file__).with_name("gateways")


class Fleet:
    """The programs of one run, by name, in the order they were started."""

    def __init__(self, binaries: Path, replicas: int, plan: Plan, folder: Path):
        self._binaries = binaries
        self._replicas = replicas
        self._plan = plan
        self._folder = folder
        self.programs: dict[str, Program] = {}
        self.environment = {**os.environ, **CLIENT_KEYS, "UPSTREAM_KEY": UPSTREAM_KEY}
        self.upstreams: list[str] = []
        self.targets: list[str] = []
        self.redis: str | None = None

    def start(self) -> None:
        if self._plan.needs_redis or self._replicas > 1:
            self._start_redis()
        for number, options in enumerate(self._plan.upstreams, 1):
            self._start_upstream(number, options)
        configuration = (GATEWAYS / f"{self._plan.gateway}.yaml").read_text()
        if self.redis:
            options = f"redis: {self.redis}, assumed_replicas: {self._replicas}, deadline: {self._plan.deadline}"
            configuration += f"coordination: {{{options}}}\n"
        file = self._folder / "sluice.yaml"
        file.write_text(configuration)
        for number in range(1, self._replicas + 1):
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
        binary = str(self._binaries / "mock-azure")
        program = self._launch(name, binary, "--listen", address, "--api-key", UPSTREAM_KEY, *options)
        program.wait_for("does not listen", found_in(program.log, r"listening on (\S+)\n"))
        self.upstreams.append(f"http://{address}")
        self.environment[f"UPSTREAM_{number}"] = self.upstreams[-1]

    def _start_gateway(self, number: int, configuration: Path) -> None:
        command = [str(self._binaries / "sluice"), "serve", "--config", str(configuration)]
        self._launch(f"sluice-{number}", *command, "--port-file", str(self._ports(number)))
        self.targets.append(f"http://{self.listener(number, 'data')}")

    def _ports(self, number: int) -> Path:
        return self._folder / f"sluice-{number}.ports"

    def listener(self, number: int, name: str) -> str:
        """Where gateway `number` has its `data` or its `admin` listener, once it has."""
        return self.programs[f"sluice-{number}"].wait_for(
            "does not listen", found_in(self._ports(number), rf"{name} (\S+)\n")
        )

    def start_gateway_again(self, number: int) -> None:
        """After it ended; it listens on other ports then."""
        self._ports(number).unlink()
        self.programs[f"sluice-{number}"].start_again()

    def metric(self, name: str) -> int:
        """The sum of a counter over all gateways and labels, as they tell it now."""
        total = 0.0
        for number in range(1, self._replicas + 1):
            with urllib.request.urlopen(f"http://{self.listener(number, 'admin')}/metrics", timeout=10) as page:
                for line in page.read().decode().splitlines():
                    if line.startswith((f"{name} ", f"{name}{{")):
                        total += float(line.rsplit(" ", 1)[1])
        return int(total)

    def stop(self) -> None:
        # The gateways first: they may still have something to say to the others.
        for program in reversed(self.programs.values()):
            program.stop()
