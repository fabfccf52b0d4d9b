"""Requests per second, CPU per request and per event, latency: the load against every target."""

from collections.abc import Callable
from functools import partial

from failures import Unavailable
from loads import Load
from machine import Layout
from proxies import Target
from results import Sample
from session import Session
from wire import Answer, Connection


def measure_load(session: Session, load: Load, targets: list[Target], layout: Layout) -> None:
    """Measures every target under the load, in interleaved rounds, after a second of it that does not count."""
    run = session.run_load
    measures = {}
    for target in targets:
        try:
            answer = one_answer(load, target)
            run(load, target.port, 1, layout.load)
        except Unavailable as failure:
            session.results.skip(load.name, target.name, str(failure))
        else:
            measures[target.name] = partial(sample, load, target, answer, session.seconds, layout, run)
    session.results.measure_interleaved(load.name, session.rounds, measures)


def one_answer(load: Load, target: Target) -> Answer:
    """What one answer of this load looks like after it passed the target."""
    try:
        with Connection(target.port) as connection:
            answer = connection.exchange(load.body)
    except OSError as error:
        raise Unavailable(f"it does not answer ({error})") from error
    if answer.status != 200 or (load.streams and not answer.events):
        raise Unavailable(f"it answers with {answer.status} and {answer.events} events")
    return answer


def sample(
    load: Load,
    target: Target,
    answer: Answer,
    seconds: int,
    layout: Layout,
    run: Callable[[Load, int, int, tuple[int, ...]], dict[str, float]],
) -> Sample:
    """Runs the load once and says what it cost."""
    before = target.process.cpu_seconds() if target.process else 0.0
    report = run(load, target.port, seconds, layout.load)
    if not report["requests"]:
        raise Unavailable(f"no answer was complete within {seconds} s")
    measured = {
        "requests_per_second": report["requests"] / report["duration_us"] * 1e6,
        "p50_us": report["p50_us"],
        "p99_us": report["p99_us"],
    }
    if target.process:
        cpu_us = (target.process.cpu_seconds() - before) * 1e6
        target.process.forget_log()
        # wrk leaves answers unfinished at the end; sluice-load waits for them.
        answers = report["bytes"] / answer.bytes if load.paced and "bytes" in report else report["requests"]
        measured["cpu_us_per_request"] = cpu_us / answers
        if load.streams:
            measured["cpu_us_per_event"] = cpu_us / (answers * answer.events)
    return measured
