"""The same closed loop by wrk and by sluice-load, in turns: do they measure the same.

    python3 -m bench.fleet.agreement --rounds 5

The server (one thread of mock-azure) is pinned to one core, the tools take turns on another, as what else the machine does
changes within seconds. Each answer takes `--delay` milliseconds, so that it is the server that limits both tools, on a busy
machine as well; `--delay 0` asks for all that goes, and wants a machine with nothing else to do. Throughput and median latency are compared
within each round; the medians of these ratios must be within 5 % of 1. Exit 1 if not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.fleet.plans import UPSTREAM_KEY
from bench.fleet.processes import Program, StartError, found_in

TOLERANCE = 0.05
CONNECTIONS = 64
ROOT = Path(__file__).resolve().parents[2]
PATH = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"


def body(delay: int) -> str:
    message = {"role": "user", "content": "How high is the water? " * 20}
    return json.dumps({"messages": [message], "max_tokens": 16, "user": f"mock:delay={delay}"})


@dataclass(frozen=True)
class Round:
    throughput: float
    median_us: float


def run_wrk(address: str, seconds: int, core: int, delay: int) -> Round:
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    command += ["-s", str(ROOT / "bench/compare/wrk.lua"), f"http://{address}"]
    environment = {**os.environ, "COMPARE_PATH": PATH, "COMPARE_KEY": UPSTREAM_KEY, "COMPARE_BODY": body(delay)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=seconds + 60)
    report = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    if report["bad_statuses"] or report["broken"]:
        raise StartError(f"wrk saw failures: {report}")
    return Round(report["requests"] / (report["duration_us"] / 1e6), report["p50_us"])


def run_sluice_load(binaries: Path, address: str, seconds: int, core: int, delay: int, folder: Path) -> Round:
    scenario = {
        "load": {"closed": {"workers": CONNECTIONS, "for": f"{seconds}s"}},
        "connections": CONNECTIONS,
        "clients": [{"name": "a", "key": UPSTREAM_KEY}],
        "requests": [{"path": PATH, "body": body(delay)}],
        "fail_if": ["errors>0", "refused>0"],
    }
    (folder / "agreement.yaml").write_text(json.dumps(scenario))
    result = folder / "result.json"
    command = ["taskset", "-c", str(core), str(binaries / "sluice-load"), str(folder / "agreement.yaml"), "--quiet"]
    command += ["--loops", "1", "--target", f"http://{address}", "--json", str(result)]
    subprocess.run(command, capture_output=True, check=True, timeout=seconds + 60)
    report = json.loads(result.read_text())
    # wrk corrects its percentiles for coordinated omission, so the corrected ones are what is compared.
    return Round(report["total"]["requestsPerSecond"], report["corrected"]["p50"] * 1_000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.fleet.agreement", description=__doc__.splitlines()[0])
    parser.add_argument("--binaries", type=Path, default=ROOT / ".build/release")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--delay", type=int, default=20, help="milliseconds that each answer takes")
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    server_core, tool_core = cores[0], cores[-1]
    rounds: dict[str, list[Round]] = {"wrk": [], "sluice-load": []}
    with tempfile.TemporaryDirectory(prefix="sluice-agreement.") as name:
        folder = Path(name)
        command = ["taskset", "-c", str(server_core), str(options.binaries / "mock-azure")]
        server = Program(
            "mock-azure",
            [*command, "--listen", "127.0.0.1:0", "--api-key", UPSTREAM_KEY],
            folder / "mock-azure.log",
            os.environ,
        )
        try:
            address = server.wait_for("does not listen", found_in(server.log, r"listening on (\S+)\n"))
            tools = {
                "wrk": lambda: run_wrk(address, options.seconds, tool_core, options.delay),
                "sluice-load": lambda: run_sluice_load(
                    options.binaries, address, options.seconds, tool_core, options.delay, folder
                ),
            }
            for number in range(options.rounds):
                for tool in sorted(tools, reverse=number % 2 == 0):
                    rounds[tool].append(tools[tool]())
                pair = ", ".join(f"{tool} {r[-1].throughput:.0f}/s {r[-1].median_us:.0f} us" for tool, r in rounds.items())
                print(f"round {number + 1}: {pair}", flush=True)
        finally:
            server.stop()
    return judge(rounds)


def judge(rounds: dict[str, list[Round]]) -> int:
    agree = True
    for what in ["throughput", "median_us"]:
        pairs = [(getattr(w, what), getattr(s, what)) for w, s in zip(rounds["wrk"], rounds["sluice-load"], strict=True)]
        difference = statistics.median(ours / theirs for theirs, ours in pairs) - 1
        agree = agree and abs(difference) <= TOLERANCE
        theirs, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
        print(f"{what}: wrk {theirs:.0f}, sluice-load {ours:.0f}; median of the differences {difference:+.1%}")
    print("They agree within 5 %." if agree else "They do not agree within 5 %.")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
