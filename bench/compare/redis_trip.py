"""What one round trip to Redis takes a client that runs where the gateway runs: a PING, and the gateway's own ADMIT.

As a program, `redis_trip.py PORT CALL`, it is that client, pinned by whoever starts it: CALL is the ADMIT as JSON, a list
of hexadecimal strings. It prints the medians in microseconds.
"""

import json
import os
import socket
import sys
import threading
import time
from pathlib import Path
from statistics import median

from failures import Unavailable
from loads import PROBE
from machine import Seat
from processes import output_of
from wire import Connection

_TRIPS = 2000
_LEASE = 3
"""Where in a call the name of its lease stands, its first key: behind EVALSHA, the script and the number of keys."""


def round_trips(port: int, call: list[bytes], seat: Seat) -> tuple[float, float]:
    """Microseconds, each the median of many: of a PING, and of that ADMIT with other leases."""
    text = json.dumps([argument.hex() for argument in call])
    said = output_of([sys.executable, str(Path(__file__)), str(port), text], seat, timeout=120)
    ping, admit = map(float, said.split())
    return ping, admit


def admission_of(gateway_port: int, redis_port: int) -> list[bytes]:
    """The ADMIT of one chat request, as the gateway sends it: command, script and arguments."""
    calls: list[list[bytes]] = []
    with socket.create_connection(("127.0.0.1", redis_port), timeout=10) as monitor:
        monitor.sendall(b"MONITOR\r\n")
        if not monitor.recv(64).startswith(b"+OK"):
            raise Unavailable("Redis does not tell what it is asked")
        monitor.settimeout(5)
        caller = threading.Thread(target=_call, args=(gateway_port,))
        caller.start()
        received = b""
        # A lease is admitted by one script and settled by another; what beats in between has no second call.
        while (call := _admitted(calls)) is None:
            try:
                received += monitor.recv(65_536)
            except TimeoutError:
                raise Unavailable("no request has asked Redis for its admission") from None
            *lines, received = received.split(b"\r\n")
            calls += [arguments for line in lines if (arguments := _arguments(line))[:1] == [b"EVALSHA"]]
        caller.join()
    return call


def _call(port: int) -> None:
    with Connection(port) as connection:
        connection.exchange(PROBE)


def _admitted(calls: list[list[bytes]]) -> list[bytes] | None:
    for index, call in enumerate(calls):
        if any(later[_LEASE] == call[_LEASE] and later[1] != call[1] for later in calls[index + 1 :]):
            return call
    return None


def _arguments(line: bytes) -> list[bytes]:
    """The words of a line of MONITOR, which are quoted as in Redis's `sdscatrepr`."""
    words: list[bytes] = []
    rest = line[line.find(b'"') :] if b'"' in line else b""
    while rest.startswith(b'"'):
        word = bytearray()
        at = 1
        while rest[at : at + 1] != b'"':
            if rest[at : at + 2] == b"\\x":
                word.append(int(rest[at + 2 : at + 4], 16))
                at += 4
            elif rest[at : at + 1] == b"\\":
                word += {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}.get(
                    rest[at + 1 : at + 2], rest[at + 1 : at + 2]
                )
                at += 2
            else:
                word += rest[at : at + 1]
                at += 1
        words.append(bytes(word))
        rest = rest[at + 1 :].lstrip(b" ")
    return words


def _command(arguments: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(arguments) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in arguments)


def _median(connection: socket.socket, commands: list[bytes], expected: bytes, holding: bytes = b"") -> float:
    times = []
    for data in commands:
        start = time.perf_counter_ns()
        connection.sendall(data)
        reply = connection.recv(4096)
        times.append((time.perf_counter_ns() - start) / 1000)
        if not reply.startswith(expected) or holding not in reply[:12]:
            raise SystemExit(f"Redis answers {reply[:80]!r}")
    return median(times)


def measure(port: int, call: list[bytes]) -> tuple[float, float]:
    lease = call[_LEASE]
    admissions = []
    for _ in range(_TRIPS):
        # The last digits tell leases apart.
        call[_LEASE] = lease[:-12] + os.urandom(6).hex().encode()
        admissions.append(_command(call))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ping = _median(connection, [b"PING\r\n"] * _TRIPS, b"+PONG")
        # "*N" and then the first element, 0: admitted.
        return ping, _median(connection, admissions, b"*", b"\r\n:0\r\n")


if __name__ == "__main__":
    print(*measure(int(sys.argv[1]), [bytes.fromhex(word) for word in json.loads(sys.argv[2])]))
