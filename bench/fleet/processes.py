"""Programs that the fleet is made of: started on free ports of the loopback interface, ended by their id."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

START_SECONDS = 20.0
STOP_SECONDS = 15.0


class StartError(Exception):
    """A program did not come up."""


class Program:
    """A child that is this object's to end."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]):
        self.name = name
        self.command = list(command)
        self.log = log
        self._environment = dict(environment)
        self._popen = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            # A session of its own: Ctrl-C reaches only us, and we end everything in our order.
            return subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    def start_again(self) -> None:
        self._popen = self._start()

    def pause(self) -> None:
        self._popen.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()

    def resume(self) -> None:
        self._popen.send_signal(signal.SIGCONT)

    def wait_for(self, what: str, found: Callable[[], str | None]) -> str:
        """Waits until `found` has something; fails when the program is gone or the time is up."""
        end = time.monotonic() + START_SECONDS
        while (result := found()) is None:
            if self._popen.poll() is not None or time.monotonic() > end:
                tail = self.log.read_text(errors="replace")[-800:]
                raise StartError(f"{self.name}: {what}; its log ends with: {tail}")
            time.sleep(0.02)
        return result

    def terminate(self) -> None:
        self._popen.terminate()

    def hang_up(self) -> None:
        """Which some take as the order to read their configuration anew."""
        self._popen.send_signal(signal.SIGHUP)

    def wait(self, seconds: float) -> int:
        """Its exit status, when it ends by itself within that time."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise StartError(f"{self.name} still runs after {seconds:g} s") from error

    def stop(self) -> None:
        """Asks the program to end, insists after a while, and returns when it is gone."""
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGCONT)
            self._popen.terminate()
            try:
                self._popen.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._popen.kill()
        self._popen.wait()


def free_port() -> int:
    """A port that nobody listens on; for programs that cannot take a free one by themselves."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def found_in(path: Path, pattern: str) -> Callable[[], str | None]:
    def look() -> str | None:
        match = re.search(pattern, path.read_text(errors="replace")) if path.exists() else None
        return match.group(1) if match else None

    return look


def answers_ping(port: int) -> Callable[[], str | None]:
    def look() -> str | None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return "PONG" if connection.recv(16).startswith(b"+PONG") else None
        except OSError:
            return None

    return look
