"""Programs that run pinned to cores, are asked what they cost, and are ended by their id."""

import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from failures import Unavailable
from machine import Seat

STOP_SECONDS = 10.0
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def pinned(command: Sequence[str], seat: Seat) -> list[str]:
    """The command, pinned to its seat; it ends with us even if we are killed and cannot end it."""
    policy = ["chrt", "--batch", "0"] if seat.yields else []
    cores = ",".join(map(str, seat.cores))
    return ["taskset", "-c", cores, *policy, "setpriv", "--pdeathsig", "TERM", "--", *command]


class Process:
    """A running program and its children, counted as one."""

    def __init__(self, name: str, command: Sequence[str], seat: Seat, log: Path):
        self.name = name
        self._log = log
        with log.open("ab") as output:
            # A session of its own: Ctrl-C reaches only us, and we end it in our order.
            self._popen = subprocess.Popen(
                pinned(command, seat),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raises when the program has ended."""
        status = self._popen.poll()
        if status is not None:
            raise Unavailable(f"{self.name} ended with status {status} (--keep keeps its log)")

    def cpu_seconds(self) -> float:
        """CPU time of all its threads and processes so far, in user and kernel mode."""
        ticks = 0
        for pid in self._pids():
            # The second field is a name in parentheses that may hold spaces; utime and stime are fields 14 and 15.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / _TICKS_PER_SECOND

    def resident_bytes(self) -> int:
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES for pid in self._pids())

    def forget_log(self) -> None:
        """Empties its log: minutes of access log lines are worth nothing afterwards."""
        os.truncate(self._log, 0)

    def stop(self) -> None:
        """Asks the program to end, insists after a while, and returns when it is gone."""
        if self._popen.poll() is None:
            self._popen.terminate()
            try:
                self._popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._popen.kill()
        self._popen.wait()

    def _pids(self) -> list[int]:
        self.check()
        pids = [self._popen.pid]
        for pid in pids:
            for task in Path(f"/proc/{pid}/task").iterdir():
                pids += map(int, (task / "children").read_text().split())
        return pids


@contextmanager
def running(name: str, command: Sequence[str], seat: Seat, log: Path) -> Iterator[Process]:
    process = Process(name, command, seat, log)
    try:
        yield process
    finally:
        process.stop()


def output_of(
    command: Sequence[str],
    seat: Seat,
    timeout: float,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Runs a program to its end on its seat and returns what it wrote; raises `Unavailable` when it fails."""
    try:
        done = subprocess.run(
            pinned(command, seat),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, **(environment or {})},
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{Path(command[0]).name} was not done within {timeout:.0f} s") from error
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise Unavailable(f"{Path(command[0]).name} ended with status {done.returncode} {' '.join(last)}".rstrip())
    return done.stdout


def said_by(binary: str, option: str) -> str:
    """What a program answers to an option that it answers at once."""
    try:
        done = subprocess.run([binary, option], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=15)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{Path(binary).name} cannot be run ({type(error).__name__})") from error
    return done.stdout + done.stderr


def version_of(binary: str, option: str) -> str:
    version = re.search(r"\d+\.\d+\.\d+", said_by(binary, option))
    if not version:
        raise Unavailable(f"{Path(binary).name} does not say its version: it does not run here")
    return version.group()


class Deadline:
    """An end for a loop that waits."""

    def __init__(self, seconds: float):
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def __bool__(self) -> bool:
        """Whether there is time left."""
        return self.remaining > 0
