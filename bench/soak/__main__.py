"""`python3 -m bench.soak`, from the root of the repository; see `make soak`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path

from . import run
from .processes import StartError
from .report import record

RESULTS = Path(__file__).resolve().parent.parent / "results"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="soak", description="Mixed load with faults through the gateway, all of it checked."
    )
    parser.add_argument("--binaries", type=Path, required=True, help="folder of `sluice` and `mock-azure`")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--warm-up", type=float, default=10.0, help="minutes before those, at twice the rate")
    parser.add_argument("--seed", type=int, default=None, help="of the clients' choices (default: a new one, printed)")
    parser.add_argument("--clients", type=int, default=160, help="exchanges at once")
    parser.add_argument("--rate", type=float, default=200.0, help="exchanges each second, at most")
    parser.add_argument("--no-pin", action="store_true", help="let all programs run on all cores")
    parser.add_argument("--record", action="store_true", help="write the report to bench/results")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().randrange(1_000_000)
    return options


async def main(options: argparse.Namespace, folder: Path, dead_port: int) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Everything that was started is stopped on the way out.
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    settings = run.Settings(
        binaries=options.binaries,
        folder=folder,
        dead_port=dead_port,
        minutes=options.minutes,
        warm_up=options.warm_up,
        seed=options.seed,
        clients=options.clients,
        rate=options.rate,
        pin=not options.no_pin,
    )
    print(f"soak: {options.minutes:g} minutes, --seed {options.seed}", flush=True)
    report = await run.soak(settings)
    text = report.text()
    print(text)
    if options.record:
        print(f"soak: recorded in {record(text, RESULTS).name}")
    return 0 if all(check.passed for check in report.checks) else 1


if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp(prefix="sluice-soak."))
    # Bound and not listening: whoever connects is refused, and nobody else can take the port.
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        status = 130
        try:
            with contextlib.suppress(asyncio.CancelledError, KeyboardInterrupt):
                status = asyncio.run(main(arguments(), folder, nobody.getsockname()[1]))
        except (StartError, FileNotFoundError) as error:
            print(f"soak: {error}", file=sys.stderr)
            status = 2
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.flush()
    sys.exit(status)
