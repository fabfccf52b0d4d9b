"""How much later a stream begins behind a proxy: one caller, one stream after the other.

As a program, `first_byte.py PORT...`, it is that caller: it prints, as JSON, the median time to the first event in microseconds
for each port, or why there is none. It runs pinned to the load's seat, in a process of its own.
"""

import gc
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from failures import Unavailable
from loads import FIRST_EVENT
from machine import Layout
from processes import output_of
from proxies import DIRECT, Target
from session import Session
from wire import Connection

LOAD = "ttfb"
STREAMS = 200
# The targets take turns within a round too, so often that a slow second of the machine is everybody's.
_STREAMS_PER_TURN = 20
_WARM_UP_STREAMS = 2


def measure_first_byte(session: Session, targets: list[Target], layout: Layout) -> None:
    remaining = list(targets)
    for _ in range(session.rounds):
        command = [sys.executable, str(Path(__file__)), *(str(target.port) for target in remaining)]
        medians = json.loads(output_of(command, layout.load, timeout=120))
        for target, value in zip(tuple(remaining), medians):
            if isinstance(value, str):
                session.results.skip(LOAD, target.name, value)
                remaining.remove(target)
            else:
                session.results.add(LOAD, target.name, {"first_byte_us": value})
        remaining = remaining[1:] + remaining[:1]
    session.results.subtract(LOAD, "first_byte_us", reference=DIRECT, difference="added_us")


def call(ports: list[int]) -> list[float | str]:
    """For each port the median time from a request to the first event of its answer, or what went wrong."""
    times: dict[int, list[float]] = {port: [] for port in ports}
    failures: dict[int, str] = {}
    connections: dict[int, Connection] = {}
    gc.disable()
    with ExitStack() as stack:
        for _ in range(STREAMS // _STREAMS_PER_TURN):
            for port in (port for port in ports if port not in failures):
                try:
                    if port not in connections:
                        connections[port] = stack.enter_context(Connection(port))
                    times[port] += _turn(connections[port])
                except (OSError, Unavailable) as failure:
                    failures[port] = str(failure)
    return [failures.get(port) or median(times[port]) for port in ports]


def _turn(connection: Connection) -> list[float]:
    times = []
    for stream in range(_WARM_UP_STREAMS + _STREAMS_PER_TURN):
        answer = connection.exchange(FIRST_EVENT)
        if answer.status != 200 or not answer.events:
            raise Unavailable(f"answered with {answer.status} and {answer.events} events")
        if stream >= _WARM_UP_STREAMS:
            times.append(answer.first_event_us)
    return times


if __name__ == "__main__":
    print(json.dumps(call([int(port) for port in sys.argv[1:]])))
