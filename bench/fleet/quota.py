"""The scenario `quota` on fleets of several sizes, as one table: what was admitted above a limit, and what was left of it.

    python3 -m bench.fleet.quota --replicas 1,2,4

With `--record FILE` the table goes into a page for bench/results as well. Exit 1 if a condition of the scenario does not hold
for any size.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAD = ["replicas", "limit", "window", "allowed", "most admitted", "overshoot", "due", "least admitted", "undershoot"]
PAGE = """# Limits of a fleet, held against every window

{date}, {cores} cores, Linux {kernel}, load average {load:.1f} before the run, commit {commit}.

    {command}

Each team asks for about twice what it may have, for 70 s, over all replicas in turn; `sluice-load` looks at every window
of each length, wherever it begins. *Most* is what was admitted in it for certain, *least* what may have been: docs/load-testing.md. A
short window can be empty by chance, as arrivals are a Poisson process; a limit that is not used up shows in the longest.

{table}

{books}

## Background: PowerProxy

Not run here. Its plug-in for limits reads a minute's budget from Redis, and writes it back when an answer is done; nothing makes
the two one. 4 replicas with 64 callers admitted **140 %** of a minute of 10,000 tokens in one run, on another machine and under
another load: background, not a ratio.

| | replicas | callers | admitted of the limit |
| --- | ---: | ---: | ---: |
| PowerProxy, tokens of one minute | 4 | 64 | 140 % |
{background}
"""


def run(options: argparse.Namespace, replicas: int) -> tuple[int, dict | None]:
    out = options.out / f"quota-{replicas}"
    result = out / "result.json"
    result.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.fleet", "--binaries", str(options.binaries), "--scenario", "quota"]
    command += ["--replicas", str(replicas), "--out", str(out), "--", "--quiet"]
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    return status, json.loads(result.read_text()) if result.exists() and result.stat().st_size else None


def rows(replicas: int, result: dict) -> list[list[str]]:
    return [
        [
            str(replicas),
            f"{window['client']} {window['unit']}",
            f"{window['seconds']:g} s",
            f"{window['allowed']:,.0f}",
            f"{window['most']:,}",
            f"{window['overshoot']:.1%}",
            f"{window['due']:,.0f}",
            f"{window['least']:,}",
            f"{window['undershoot']:.1%}",
        ]
        for window in result["windows"]
    ]


def table(lines: list[list[str]]) -> str:
    rule = ["---:", "---", *("---:" for _ in HEAD[2:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in [HEAD, rule, *lines])


def books(replicas: int, result: dict) -> str:
    most = max(abs(line["booked"] - line["seen"]) for line in result["books"])
    answers = result["total"]["succeeded"]
    return (
        f"- {replicas} replica{'s' if replicas > 1 else ''}: {answers:,} answers, {result['total']['refused']:,} refusals; "
        "greatest difference of any book (usage counters in Redis, mock-azure) to what callers saw: "
        f"{most}; fairness {result['fairness']:.3f}"
    )


def background(replicas: int, result: dict) -> str:
    longest = max(window["seconds"] for window in result["windows"])
    tokens = [w for w in result["windows"] if w["seconds"] == longest and w["unit"] == "tokens"]
    most = max(window["most"] / window["allowed"] for window in tokens)
    return f"| this gateway, tokens of any 60 s, burst included | {replicas} | open loop, twice the limit | {most:.1%} |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.fleet.quota", description=__doc__.splitlines()[0])
    parser.add_argument("--binaries", type=Path, default=ROOT / ".build/release")
    parser.add_argument("--replicas", default="1,2,4", help="sizes of fleets, with commas between")
    parser.add_argument("--out", type=Path, default=ROOT / ".build/fleet", help="where the reports go")
    parser.add_argument("--record", type=Path, metavar="FILE", help="also write a page for bench/results there")
    options = parser.parse_args()
    sizes = [int(size) for size in options.replicas.split(",")]
    load = os.getloadavg()[0]
    failed, lines, notes, backgrounds = [], [], [], []
    for replicas in sizes:
        status, result = run(options, replicas)
        if result is None or status not in (0, 1):
            return status or 2
        if status:
            failed.append(replicas)
        lines += rows(replicas, result)
        notes.append(books(replicas, result))
        backgrounds.append(background(replicas, result))
    print(table(lines), *notes, sep="\n")
    if options.record:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
        page = PAGE.format(
            date=datetime.date.today(),
            cores=len(os.sched_getaffinity(0)),
            kernel=platform.release().split("-")[0],
            load=load,
            commit=commit.stdout.strip(),
            command="make quota" + ("" if sizes == [1, 2, 4] else f" OPTIONS='--replicas {options.replicas}'"),
            table=table(lines),
            books="\n".join(notes),
            background="\n".join(backgrounds),
        )
        options.record.write_text(page)
    for replicas in failed:
        print(f"FAILED: a condition of the scenario, with {replicas} replicas")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
