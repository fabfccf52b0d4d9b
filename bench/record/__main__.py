"""Prints what recording costs the gateway for each request, as differences of CPU time between gateways in one run.

    python -m bench.record --binaries .build/release [--starts N] [--rounds N] [--requests N] [--json FILE]

Gateways that differ only in what they record take turns under the same load; the CPU time is Linux's own
(/proc/PID/task/*/schedstat). Two processes of one program differ by some microseconds for as long as they live, by where their
memory lies: all are started anew several times, and each difference is the median over the starts. `noise` is how much a second
gateway of the first kind differs from the first: what is smaller than that cannot be told from nothing. Exit status 1: access
log and CSV sink cost more than 5 us, or tracing more than the noise and 1 %.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from .gateways import VARIANTS, Machine

MOST_MICROSECONDS = 5.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=Path, default=Path(".build/release"))
    parser.add_argument("--starts", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=4, help="of a start")
    parser.add_argument("--requests", type=int, default=3000, help="of a gateway in a round")
    parser.add_argument("--json", type=Path, help="where the figures go as well")
    options = parser.parse_args()
    costs = {name: [] for name in VARIANTS}
    for _ in range(options.starts):
        for name, cost in one_start(options).items():
            costs[name].append(cost)
    sys.exit(report(costs, options.json))


def one_start(options):
    """Microseconds of each kind of gateway, the median of the rounds."""
    costs = {name: [] for name in VARIANTS}
    with tempfile.TemporaryDirectory() as folder, Machine(options.binaries, Path(folder)) as machine:
        for name in VARIANTS:
            machine.cost(name, options.requests // 4)  # warm
        for number in range(options.rounds):
            for name in list(VARIANTS) if number % 2 == 0 else reversed(VARIANTS):
                costs[name].append(machine.cost(name, options.requests))
    return {name: statistics.median(samples) for name, samples in costs.items()}


def report(costs, file):
    def difference(name, base):
        return statistics.median(one - other for one, other in zip(costs[name], costs[base], strict=True))

    base = statistics.median(costs["nothing"])
    figures = {
        "request without a record": base,
        "noise": abs(difference("nothing again", "nothing")),
        "access log": difference("access log", "nothing"),
        "access log and CSV sink": difference("csv", "nothing"),
        "tracing at 1 %": difference("tracing", "access log"),
    }
    for name, value in figures.items():
        print(f"{name:26} {value:8.2f} us  {value / base:7.1%} of a request")
    if file:
        file.write_text(json.dumps({"figures": figures, "costs": costs}, indent=1))
    dear = figures["access log and CSV sink"] > MOST_MICROSECONDS + figures["noise"]
    traced = figures["tracing at 1 %"] > figures["noise"] + 0.01 * base
    if dear:
        print(f"access log and CSV sink cost more than {MOST_MICROSECONDS} us")
    if traced:
        print("tracing at 1 % can be measured")
    return 1 if dear or traced else 0


main()
