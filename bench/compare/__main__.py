"""The same load, pinned to cores, through nginx, HAProxy, Envoy and the gateway.

Writes a report into bench/results and says which of the gateway's bars hold. Exit status 0 unless the run itself
failed.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from arguments import REPOSITORY, Options, parse
from bars import verdicts
from failures import RunFailure, Unavailable
from first_byte import measure_first_byte
from governed import measure_governed
from loads import BY_PART
from machine import description, one_core_layout, raise_file_limit
from memory import measure_memory
from processes import version_of
from proxies import GATEWAY
from publish import rewrite_section, write_report
from report import Circumstances, bars, summary
from scaling import measure_scaling
from session import Session, run_folder
from throughput import measure_load


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    try:
        return run(parse(__doc__))
    except RunFailure as failure:
        print(f"compare: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(options: Options) -> int:
    check_tools(options)
    load_before = os.getloadavg()[0]
    if load_before > 0.5:
        print(f"note: load average {load_before:.1f} before the run: what shares these cores bends every figure")
    raise_file_limit()
    with run_folder(options.keep) as folder:
        load_tool = None if options.wrk else options.load
        session = Session(options.gateway, options.mock, load_tool, options.envoy, options.rounds, options.seconds, folder)
        session.find_proxies(options.proxies)
        measure(session, options.only)
    return publish(session, options, load_before)


def check_tools(options: Options) -> None:
    for tool in ("wrk", "taskset", "setpriv"):
        if not shutil.which(tool):
            raise RunFailure(f"there is no {tool}: `deploy/install-dependencies.sh compare` installs it")
    if not options.mock.is_file():
        raise RunFailure("there is no mock-azure to forward to: build it, or say where it is with --mock")
    if not options.wrk and not options.load.is_file():
        raise RunFailure("there is no sluice-load to put the load: build it, say where it is with --load, or take --wrk")


def measure(session: Session, parts: list[str]) -> None:
    layout = one_core_layout()
    plain = [part for part in parts if part in ("unary", "burst", "paced", "one", "ttfb")]
    if plain:
        with part_of(session, "plain upstream"), session.targets(layout) as targets:
            for part in plain:
                say(part)
                for load in BY_PART.get(part, []):
                    measure_load(session, load, targets, layout)
                if part == "ttfb":
                    measure_first_byte(session, targets, layout)
    if "tls" in parts:
        say("tls")
        with part_of(session, "TLS upstream"), session.targets(layout, tls=True) as targets:
            for load in BY_PART["tls"]:
                measure_load(session, load, targets, layout)
    if "memory" in parts:
        say("memory")
        with part_of(session, "memory"):
            measure_memory(session)
    if "governed" in parts:
        say("governed")
        with part_of(session, "governed"):
            measure_governed(session)
    if "scaling" in parts:
        say("scaling")
        with part_of(session, "scaling"):
            measure_scaling(session)


@contextmanager
def part_of(session: Session, part: str) -> Iterator[None]:
    """Notes a part that cannot be measured here, and goes on with the next one."""
    try:
        yield
    except Unavailable as failure:
        session.results.skip(part, "all", str(failure))


def publish(session: Session, options: Options, load_before: float) -> int:
    """Writes and prints what was measured; returns the exit status."""
    results = session.results
    for skip in results.skipped:
        print(f"skipped: {skip.who}, {skip.what}: {skip.reason}")
    if not results.rounds:
        raise RunFailure("nothing was measured")
    judged = verdicts(results)
    circumstances = Circumstances(
        date=date.today().isoformat(),
        command=options.command,
        machine=description(),
        load_before=load_before,
        layout=str(one_core_layout()),
        versions={
            **{proxy.name: proxy.version for proxy in session.proxies},
            **({"wrk": version_of("wrk", "-v")} if options.wrk else {}),
            "commit": commit(),
        },
        rounds=session.rounds,
        seconds=session.seconds,
    )
    report = write_report(options.results, results, judged, circumstances)
    if options.readme:
        rewrite_section(options.readme, report, results, circumstances)
    print(f"\n{summary(results)}\n\n{bars(judged)}\n\nThe whole report: {report}")
    failed = any(skip.who == GATEWAY for skip in results.skipped)
    missed = any(verdict.holds is False for verdict in judged)
    return 1 if failed or (options.strict and missed) else 0


def commit() -> str:
    """The commit that is checked out, which is what `make compare` has built."""
    command = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=15).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def say(part: str) -> None:
    print(f"measuring: {part}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
