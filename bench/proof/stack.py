"""The programs of a proof: a stand-in for Azure, gateways, and what stands between them and Redis."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.fleet.processes import Program, StartError, found_in

KEYS = {f"team-{letter}": f"proof-key-of-team-{letter}" for letter in "abcd"}
UPSTREAM_KEY = "proof-upstream-key"
ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def folder(keep: bool) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sluice-proof."))
    try:
        yield path
    finally:
        if keep:
            print(f"proof: logs and configurations are in {path}")
        else:
            shutil.rmtree(path, ignore_errors=True)


class MockAzure:
    def __init__(self, binaries: Path, path: Path, *options: str):
        self.program = Program(
            "mock-azure",
            [
                str(binaries / "mock-azure"),
                "--listen",
                "127.0.0.1:0",
                "--api-key",
                UPSTREAM_KEY,
                "--deployment",
                "*",
                *options,
            ],
            path / "mock-azure.log",
            os.environ,
        )
        self.address = self.program.wait_for("does not listen", found_in(self.program.log, r"listening on (\S+)\n"))

    def stats(self) -> dict[str, int]:
        tokens = json.loads(get(self.address, "/mock/stats"))["tokens"]
        return {"prompt": tokens["prompt"], "completion": tokens["completion"]}


class Gateway:
    """One replica."""

    def __init__(self, binaries: Path, path: Path, number: int, configuration: str):
        file = path / f"sluice-{number}.yaml"
        file.write_text(configuration)
        ports = path / f"sluice-{number}.ports"
        self.number = number
        self.program = Program(
            f"sluice-{number}",
            [str(binaries / "sluice"), "serve", "--config", str(file), "--port-file", str(ports)],
            path / f"sluice-{number}.log",
            os.environ,
        )
        self.address = self.program.wait_for("does not listen", found_in(ports, r"data (\S+)\n"))
        self.admin = self.program.wait_for("does not listen", found_in(ports, r"admin (\S+)\n"))

    def metric(self, name: str) -> float:
        found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", get(self.admin, "/metrics"), re.MULTILINE)
        if not found:
            raise StartError(f"{self.program.name} has no metric {name}")
        return sum(float(value) for value in found)

    def status(self) -> dict:
        return json.loads(get(self.admin, "/status"))["coordination"]

    def wait_until_shared(self) -> None:
        until(f"{self.program.name} to use Redis", lambda: self.metric("sluice_limiter_shared") == 1)

    def wait_until_told(self) -> None:
        until(f"{self.program.name} to have told Redis all", lambda: self.metric("sluice_settlements_waiting") == 0)


def get(address: str, path: str) -> str:
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def until(what: str, holds: Callable[[], bool], seconds: float = 60) -> float:
    """Waits for a condition; returns the seconds that it took."""
    start = time.monotonic()
    while not holds():
        if time.monotonic() - start > seconds:
            raise StartError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(0.02)
    return time.monotonic() - start


def configuration(
    upstream: str,
    redis: int | None,
    clients: list[str],
    deployments: list[str],
    coordination: str = "",
    log: str = "level: notice, access: false",
) -> str:
    """A configuration file. `clients` say what follows the name and the key of team-a, team-b, ..."""
    lines = ["listen: 127.0.0.1:0", "admin: 127.0.0.1:0", f"log: {{{log}}}"]
    lines += ["server: {drain: {lame_duck: 0s, grace: 5s}}"]
    if redis:
        lines.append(f'coordination: {{redis: "redis://127.0.0.1:{redis}"{coordination and ", " + coordination}}}')
    lines.append("clients:")
    for (name, key), rest in zip(KEYS.items(), clients, strict=False):
        lines.append(f"  - {{name: {name}, api_keys: [{key}]{rest and ', ' + rest}}}")
    lines.append("endpoints:")
    lines.append(f'  - {{name: main, url: "http://{upstream}", api_key: {UPSTREAM_KEY}, connections: {{max: 2000}}}}')
    lines += ["models:", "  - name: gpt-4o", "    deployments:"]
    lines += [f"      - {{endpoint: main, {deployment}}}" for deployment in deployments]
    return "\n".join(lines) + "\n"
