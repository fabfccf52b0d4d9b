"""How many plain requests a second one core of sluice-load sends, against an nginx that answers at once.

    python3 -m bench.fleet.rate --rounds 5

nginx (one worker) is pinned to one core, sluice-load with one loop to another. On a busy machine the tool gets a part of its core
only, so besides the requests of a second of the clock there are those of a second of its CPU time, warm-up and start
included; these must be 30,000. Exit 1 if they are not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.fleet.nginx import Balancer, found_nginx
from bench.fleet.processes import Program, StartError, free_port

BAR = 30_000
ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = """
daemon off; worker_processes 1; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off; keepalive_requests 100000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello"; }} }}
}}
"""


def start_nginx(folder: Path, core: int) -> tuple[Program, str]:
    port = free_port()
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    command = ["taskset", "-c", str(core), found_nginx(), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    program = Program("nginx", command, folder / "nginx.log", os.environ)
    program.wait_for("does not listen", Balancer.accepting(port))
    return program, f"http://127.0.0.1:{port}"


def measure(binaries: Path, address: str, seconds: int, core: int, folder: Path) -> tuple[float, float]:
    """Requests a second of the clock, and of CPU time."""
    scenario = {
        "load": {"closed": {"workers": 16, "for": f"{seconds}s"}},
        "connections": 16,
        "clients": [{"name": "a"}],
        "requests": [{"get": "/"}],
        "fail_if": ["errors>0", "refused>0"],
    }
    (folder / "rate.yaml").write_text(json.dumps(scenario))
    result = folder / "result.json"
    command = ["taskset", "-c", str(core), str(binaries / "sluice-load"), str(folder / "rate.yaml"), "--quiet"]
    command += ["--loops", "1", "--target", address, "--json", str(result)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise StartError(f"sluice-load ended with status {process.returncode}")
    total = json.loads(result.read_text())["total"]
    return total["requestsPerSecond"], total["requests"] / (usage.ru_utime + usage.ru_stime)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.fleet.rate", description=__doc__.splitlines()[0])
    parser.add_argument("--binaries", type=Path, default=ROOT / ".build/release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    rounds = []
    with tempfile.TemporaryDirectory(prefix="sluice-rate.") as name:
        folder = Path(name)
        nginx, address = start_nginx(folder, cores[0])
        try:
            for number in range(options.rounds):
                rounds.append(measure(options.binaries, address, options.seconds, cores[-1], folder))
                print(f"round {number + 1}: {rounds[-1][0]:,.0f}/s, {rounds[-1][1]:,.0f} a second of CPU time", flush=True)
        finally:
            nginx.stop()
    seen, possible = (statistics.median(side) for side in zip(*rounds, strict=True))
    print(f"median: {seen:,.0f} requests a second; {possible:,.0f} a second of CPU time, {1e6 / possible:.1f} us each")
    holds = possible >= BAR
    print(f"{'holds' if holds else 'misses'}: at least {BAR:,} a second of one core")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
