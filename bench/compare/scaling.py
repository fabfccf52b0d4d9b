"""Whether a second event loop is worth a second core: the gateway with one loop, and with two.

The load and the upstream may have to share the cores, so the request rate alone says nothing. What does is the CPU that a
request costs: loops divided by it is how many requests a second the gateway has room for. Both have as many callers for
each loop: the more a loop has, the more of them one wait for its sockets serves, and the less each costs.
"""

from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from loads import BY_PART
from machine import scaling_layouts
from proxies import started
from results import Sample
from session import Session
from throughput import one_answer, sample

LOAD = "scaling"
ONE = "1 loop"
TWO = "2 loops"
_CALLERS_PER_LOOP = 32


def measure_scaling(session: Session) -> None:
    proxy = session.gateway_proxy
    one, two = scaling_layouts()
    measures = {}
    with ExitStack() as stack:
        for name, layout, loops in ((ONE, one, 1), (TWO, two, 2)):
            load = replace(BY_PART["unary"][0], connections=_CALLERS_PER_LOOP * loops)
            _, upstream = stack.enter_context(session.upstream(layout))
            target = stack.enter_context(started(proxy, upstream, layout.proxy, session.folder, threads=loops))
            answer = one_answer(load, target)
            run = session.run_load
            run(load, target.port, 1, layout.load)
            measured = partial(sample, load, target, answer, session.seconds, layout, run)
            measures[name] = partial(_sample, measured, loops)
        session.results.measure_interleaved(LOAD, session.rounds, measures)


def _sample(measure: partial[Sample], loops: int) -> Sample:
    measured = measure()
    return {**measured, "capacity_per_second": loops / measured["cpu_us_per_request"] * 1e6}
