"""How much later a stream begins behind a proxy: one caller, one stream after the other.

As a program, `first_byte.py PORT STREAMS`, it is that caller: it prints the median time to the first event, in
microseconds. It runs pinned to the load's core, in a process of its own.
"""

import gc
import sys
from functools import partial
from pathlib import Path
from statistics import median

from failures import Unavailable
from loads import FIRST_EVENT
from machine import Layout
from processes import output_of
from proxies import DIRECT, Target
from results import Sample
from session import Session
from wire import Connection

LOAD = "ttfb"
STREAMS = 200
_WARM_UP_STREAMS = 20


def measure_first_byte(session: Session, targets: list[Target], layout: Layout) -> None:
    measures = {target.name: partial(sample, target, layout) for target in targets}
    session.results.measure_interleaved(LOAD, session.rounds, measures)
    session.results.subtract(LOAD, "first_byte_us", reference=DIRECT, difference="added_us")


def sample(target: Target, layout: Layout) -> Sample:
    command = [sys.executable, str(Path(__file__)), str(target.port), str(STREAMS)]
    return {"first_byte_us": float(output_of(command, layout.load, timeout=60))}


def call(port: int, streams: int) -> float:
    """The median time from a request to the first event of its answer."""
    times = []
    gc.disable()
    with Connection(port) as connection:
        for turn in range(_WARM_UP_STREAMS + streams):
            answer = connection.exchange(FIRST_EVENT)
            if answer.status != 200 or not answer.events:
                raise Unavailable(f"answered with {answer.status} and {answer.events} events")
            if turn >= _WARM_UP_STREAMS:
                times.append(answer.first_event_us)
    return median(times)


if __name__ == "__main__":
    print(call(int(sys.argv[1]), int(sys.argv[2])))
