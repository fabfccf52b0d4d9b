"""`python3 -m bench.proof WHAT`, from the root of the repository; see `make test-fleet` and its neighbours."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from pathlib import Path

from bench.fleet.processes import StartError
from bench.proof import crash, exactness, failures, flapping, fleet, partition
from bench.proof.stack import ROOT, folder


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.proof", description="What a fleet promises, shown on real processes.")
    parser.add_argument("--binaries", type=Path, default=ROOT / ".build/release")
    parser.add_argument("--keep", action="store_true", help="keep logs and configurations")
    commands = parser.add_subparsers(dest="what", required=True)
    one = commands.add_parser("fleet", help="limits, slots and books of a fleet under load, from the log of all calls")
    one.add_argument("--replicas", type=int, default=4)
    one.add_argument("--callers", type=int, default=256)
    one.add_argument("--seconds", type=float, default=120)
    one.add_argument("--think", type=int, default=400, help="milliseconds between two requests of a caller, on average")
    one.add_argument("--seed", type=int, default=None)
    one = commands.add_parser("crash", help="a replica that holds slots is killed: they are free within 90 s")
    one = commands.add_parser("failures", help="every row of the failure table through gateways")
    one.add_argument("rows", nargs="*", help="only these")
    one.add_argument("--requests", type=int, default=40, help="in each fault")
    one.add_argument("--grace", type=float, default=10, help="milliseconds that an answer may take beyond the deadline")
    one = commands.add_parser("flapping", help="Redis is up and down by turns: the total stays within its bound")
    one.add_argument("--seconds", type=float, default=60)
    one = commands.add_parser("partition", help="one replica of four without Redis: at most 1.25 times the limit")
    one.add_argument("--seconds", type=float, default=30)
    one = commands.add_parser("exactness", help="a retry one millisecond early is refused, in time it is admitted")
    one.add_argument("--trials", type=int, default=300)
    options = parser.parse_args()
    if getattr(options, "seed", 1) is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    return options


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    # Answers are timed here while a proxy runs in another thread.
    sys.setswitchinterval(0.0005)
    try:
        with folder(options.keep) as path:
            match options.what:
                case "fleet":
                    print(f"proof: {options.replicas} gateways, {options.callers} callers, --seed {options.seed}")
                    numbers = (options.replicas, options.callers, options.seconds, options.think, options.seed)
                    return fleet.run(path, options.binaries, *numbers)
                case "crash":
                    return crash.run(path, options.binaries)
                case "failures":
                    return failures.run(path, options.binaries, options.rows, options.requests, options.grace / 1000)
                case "flapping":
                    return flapping.run(path, options.binaries, options.seconds)
                case "partition":
                    return partition.run(path, options.binaries, options.seconds)
                case "exactness":
                    return exactness.run(path, options.binaries, options.trials)
    except StartError as error:
        print(f"proof: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
