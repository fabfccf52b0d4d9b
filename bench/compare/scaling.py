"""Whether a second event loop is worth a second core: the gateway with one loop on one core, and with two on two.

The load and the upstream may have to share those cores, so the request rate alone says nothing. What does is the CPU
that a request costs: cores divided by it is how many requests a second the gateway has room for.
"""

from contextlib import ExitStack
from functools import partial

from loads import BY_PART
from machine import Layout, one_core_layout, two_core_layout
from proxies import started
from results import Sample
from session import Session
from throughput import one_answer, sample
from wrk import run_wrk

LOAD = "scaling"
ONE = "1 loop"
TWO = "2 loops"


def measure_scaling(session: Session) -> None:
    load = BY_PART["unary"][0]
    proxy = session.gateway_proxy
    measures = {}
    with ExitStack() as stack:
        for name, layout in ((ONE, one_core_layout()), (TWO, two_core_layout())):
            loops = len(layout.proxy)
            _, upstream = stack.enter_context(session.upstream(layout))
            target = stack.enter_context(started(proxy, upstream, layout.proxy, session.folder, threads=loops))
            answer = one_answer(load, target)
            run_wrk(load, target.port, 1, layout.load)
            measures[name] = partial(_sample, partial(sample, load, target, answer, session.seconds, layout), layout)
        session.results.measure_interleaved(LOAD, session.rounds, measures)


def _sample(measure: partial[Sample], layout: Layout) -> Sample:
    measured = measure()
    return {**measured, "capacity_per_second": len(layout.proxy) / measured["cpu_us_per_request"] * 1e6}
