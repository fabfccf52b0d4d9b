"""Redis, a stand-in for Azure and gateways for one proof."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.fleet.processes import Program, StartError, answers_ping, found_in, free_port

KEY = "key-of-the-team"
UPSTREAM_KEY = "key-of-the-upstream"


class World:
    """Ended with the `with` statement, each program by its id."""

    def __init__(self, binaries: Path):
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="sluice-routing."))
        self._programs: dict[str, Program] = {}
        self.gateways: list[str] = []
        self.admins: list[str] = []
        self.redis_port = 0

    def __enter__(self) -> World:
        try:
            self._start_redis()
        except StartError:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        for program in reversed(self._programs.values()):
            program.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _launch(self, name: str, *command: str) -> Program:
        program = Program(name, command, self._folder / f"{name}.log", dict(os.environ))
        self._programs[name] = program
        return program

    def _start_redis(self) -> None:
        binary = shutil.which("redis-server")
        if not binary:
            raise StartError("redis-server is not installed: deploy/install-dependencies.sh test")
        self.redis_port = free_port()
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        program = self._launch("redis", binary, "--port", str(self.redis_port), *options)
        program.wait_for("does not answer", answers_ping(self.redis_port))

    def azure(self, name: str, *deployments: str) -> str:
        """A resource with these deployments; returns its address."""
        address = f"127.0.0.1:{free_port()}"
        options = [option for deployment in deployments for option in ("--deployment", deployment)]
        binary = str(self._binaries / "mock-azure")
        program = self._launch(name, binary, "--listen", address, "--api-key", UPSTREAM_KEY, *options)
        program.wait_for("does not listen", found_in(program.log, r"listening on (\S+)\n"))
        return f"http://{address}"

    def stop(self, name: str) -> None:
        self._programs[name].stop()

    def start_again(self, name: str) -> None:
        self._programs[name].start_again()

    def pid(self, name: str) -> int:
        return self._programs[name].pid

    def gateway(
        self, endpoints: dict[str, str], model: str, count: int = 1, clients: str = "", shares: bool = True
    ) -> None:
        """Replicas with these `models` entries, each ready, and sharing limits through Redis unless told otherwise."""
        redis = f"redis: redis://127.0.0.1:{self.redis_port}, deadline: 1s, assumed_replicas: {count}"
        lines = [
            "listen: 127.0.0.1:0",
            "admin: 127.0.0.1:0",
            *([f"coordination: {{{redis}}}"] if shares else []),
            "log: {level: warning}",
            "clients:",
            f"  - {{name: team, api_keys: [{KEY}]}}",
            *([clients] if clients else []),
            "endpoints:",
            *(
                f"  - {{name: {name}, url: \"{url}\", api_key: {UPSTREAM_KEY}, connections: {{http2: false}}}}"
                for name, url in endpoints.items()
            ),
            "models:",
            model,
        ]
        file = self._folder / "sluice.yaml"
        file.write_text("\n".join(lines) + "\n")
        for number in range(count):
            name = f"sluice-{len(self.gateways)}"
            ports = self._folder / f"{name}.ports"
            command = [str(self._binaries / "sluice"), "serve", "--config", str(file), "--port-file", str(ports)]
            program = self._launch(name, *command)
            self.gateways.append("http://" + program.wait_for("does not listen", found_in(ports, r"data (\S+)\n")))
            self.admins.append("http://" + program.wait_for("does not listen", found_in(ports, r"admin (\S+)\n")))
        for admin in self.admins if shares else []:
            wait_until(f"{admin} to share its limits", lambda: '"mode":"shared"' in text(admin + "/status"))

    def status(self, replica: int = 0) -> dict[str, object]:
        return json.loads(text(self.admins[replica] + "/status"))

    def usage(self) -> dict[str, int]:
        """The books of today's client, added up by count and deployment."""
        sums: dict[str, int] = {}
        for key in self._redis("KEYS", "*:u:*").split():
            fields = self._redis("HGETALL", key).split()
            for name, count in zip(fields[::2], fields[1::2]):
                sums[name] = sums.get(name, 0) + int(count)
        return sums

    def _redis(self, *command: str) -> str:
        arguments = ["redis-cli", "-p", str(self.redis_port), *command]
        return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


def text(url: str, data: bytes | None = None) -> str:
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=20) as response:
        return response.read().decode()


def stats(azure: str) -> dict[str, object]:
    return json.loads(text(azure + "/mock/stats"))


def wait_until(what: str, condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise StartError(f"waited in vain for {what}")
        time.sleep(0.02)
