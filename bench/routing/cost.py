"""What routing costs: CPU of the gateway per request with one deployment and with eight, by turns in one run."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

from bench.fleet.processes import StartError
from bench.routing.world import KEY, World

TURNS = 5
SECONDS = 4
SCRIPT = """
wrk.method = "POST"
wrk.path = "/openai/v1/chat/completions"
wrk.headers["api-key"] = "%s"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"model":"%s","messages":[{"role":"user","content":"Hello there"}],"max_tokens":16}'
"""


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def microseconds(world: World, model: str, folder: Path) -> float:
    """CPU of the gateway for a request, under a load of 16 connections."""
    script = folder / "chat.lua"
    script.write_text(SCRIPT % (KEY, model))
    pid = world.pid("sluice-0")
    before = cpu_seconds(pid)
    command = ["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-s", str(script), world.gateways[0]]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = cpu_seconds(pid) - before
    requests = re.search(r"(\d+) requests in", printed)
    if not requests or "Non-2xx" in printed:
        raise StartError(f"wrk: {printed}")
    return 1e6 * used / int(requests.group(1))


def measure(binaries: Path) -> tuple[list[float], list[float]]:
    """Microseconds of each turn with one deployment, and with eight of one tier, which is the costliest order."""
    if not shutil.which("wrk"):
        raise StartError("wrk is not installed: deploy/install-dependencies.sh compare")
    names = [f"gpt-4o-{number}" for number in range(8)]
    with World(binaries) as world, tempfile.TemporaryDirectory() as folder:
        azure = world.azure("azure", *(f"{name},tpm=1000000000" for name in names))
        limits = "limits: {tokens_per_minute: 1G}"
        eight = ", ".join(f"{{endpoint: a, deployment: {name}, {limits}}}" for name in names)
        model = (
            f"  - {{name: one, deployments: [{{endpoint: a, deployment: gpt-4o-0, {limits}}}]}}\n"
            f"  - {{name: eight, deployments: [{eight}]}}"
        )
        world.gateway({"a": azure}, model, shares=False)
        for name in ("one", "eight"):
            microseconds(world, name, Path(folder))
        turns = [[microseconds(world, name, Path(folder)) for name in ("one", "eight")] for _ in range(TURNS)]
    return [turn[0] for turn in turns], [turn[1] for turn in turns]


def added(binaries: Path) -> tuple[float, float]:
    """The median with one deployment, and what eight add to it: the median of the turns' differences."""
    ones, eights = measure(binaries)
    return statistics.median(ones), statistics.median(eight - one for one, eight in zip(ones, eights))
