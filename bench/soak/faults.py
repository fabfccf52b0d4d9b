"""What breaks between Azure and the gateway, and what the client must see of it (docs/errors.md)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from .golden import PING, Golden, Unexpected, without_pings
from .processes import TEAM_KEY
from .request_kinds import Chat
from .scenario import Scenario
from .session import Session, check_error, check_refusal
from .wire import Answer

UNARY = Chat()
STREAM = Chat("tokens=20", stream=True)
EVENTS = 24
"""Of `STREAM`: prompt filter, role, 20 words, finish reason, and [DONE]."""
WITH_USAGE = dataclasses.replace(STREAM, usage=True)
"""One event more, before the last."""
WORDS = 2
"""Events up to the first with a choice: what comes before it is held back, as another deployment may do better."""
HELD = 19
"""Bytes of an event, `data: {"choices":[{`, that show that it is not the usage which the gateway has asked for."""


def scenarios() -> list[Scenario]:
    return [*_before_the_head(), *_within_a_body(), *_within_a_stream(), *_busy()]


# MARK: nothing of an answer came


def _before_the_head() -> list[Scenario]:
    violation = "upstream_protocol_violation"
    return [
        _no_answer("closed before the head", 1, "closed", "truncate=head", 502, "upstream_closed_early"),
        # On a kept connection the gateway knows only that it died.
        _no_answer(
            "reset before the head", 1, "reset", "reset=head", 502, "upstream_receive_failed", "upstream_closed_early"
        ),
        _no_answer("status line of no protocol", 0.7, "no-protocol", "garbage=status-line", 502, violation),
        _no_answer("head with garbage", 0.7, "bad-head", "garbage=header", 502, violation),
        _no_answer("huge head", 0.5, "huge-head", "garbage=huge-header", 502, "upstream_head_too_large"),
        _no_answer("length that is no number", 0.7, "bad-length", "content-length=1,garbage=length", 502, violation),
        _no_answer(
            "two lengths from Azure", 0.7, "two-lengths", "content-length=1,garbage=two-lengths", 502, violation
        ),
        _no_answer("silence before the head", 0.5, "silent", "delay=30000", 504, "upstream_first_byte_timeout"),
        # Neither makes the only deployment of a model cool.
        _no_answer_ever("too long before the head", 0.3, "delay=30000", 504, "upstream_total_timeout", "brief"),
        _no_answer_ever("nobody listens", 1, "", 502, "upstream_connect_failed", "nowhere"),
    ]


def _no_answer(name: str, weight: float, pool: str, faults: str, status: int, *codes: str) -> Scenario:
    async def run(session: Session) -> None:
        async with session.fault(pool) as fault:
            answer = await session.call(_any_chat(session).build(fault.model, TEAM_KEY, session.rng, faults))
            if fault.is_cooled(answer):
                return
            session.count(fault.model, answer.status)
            check_refusal(answer, status, *codes)

    return Scenario(name, weight, run)


def _no_answer_ever(name: str, weight: float, faults: str, status: int, code: str, model: str) -> Scenario:
    async def run(session: Session) -> None:
        answer = await session.call(_any_chat(session).build(model, TEAM_KEY, session.rng, faults))
        session.count(model, answer.status, served=model != "nowhere")
        check_refusal(answer, status, code)

    return Scenario(name, weight, run)


def _any_chat(session: Session) -> Chat:
    return dataclasses.replace(UNARY, v1=session.rng.random() < 0.5, stream=session.rng.random() < 0.3)


# MARK: the head came, and the body breaks off


def _within_a_body() -> list[Scenario]:
    chunked = Chat("content-length=0")
    return [
        _cut("cut in an answer with a length", 1, UNARY, "truncate={}"),
        _cut("reset in an answer with a length", 1, UNARY, "reset={}"),
        _cut("cut in a chunked answer", 0.7, chunked, "truncate={}"),
        _cut("reset in a chunked answer", 0.7, chunked, "reset={}"),
        _cut("cut in an answer of 300 kB", 0.3, Chat("bytes=300000"), "truncate={}"),
        _cut("silence in place of a body", 0.4, UNARY, "silence=0", "brisk", 0),
        _cut("cut in a stream with a length", 0.5, Chat("content-length=1", stream=True, usage=True), "truncate={}"),
    ]


def _cut(name: str, weight: float, kind: Chat, faults: str, model: str = "chat", count: int | None = None) -> Scenario:
    """The client gets what came, and notices that it is not whole."""

    async def run(session: Session) -> None:
        golden = await session.golden(kind, model)
        # A stream that ends before its first word is another matter.
        least = golden.boundary(WORDS) if golden.is_stream else 1
        limit = session.rng.randrange(least, len(golden.body)) if count is None else count
        all_faults = ",".join(filter(None, (kind.faults, faults.format(limit))))
        answer = await session.call(kind.build(model, TEAM_KEY, session.rng, all_faults))
        session.count(model, answer.status)
        _check_cut(answer, golden, limit)

    return Scenario(name, weight, run)


def _check_cut(answer: Answer, golden: Golden, limit: int) -> None:
    golden.check_head(answer)
    if answer.whole:
        raise Unexpected(f"an answer that was cut at {limit} looks whole, with {len(answer.body)} bytes")
    body = without_pings(bytes(answer.body))[0] if golden.is_stream else bytes(answer.body)
    golden.check_body(body, limit)


# MARK: a stream breaks off


@dataclass(frozen=True, slots=True)
class Break:
    """Where a stream breaks: so many events, and so many bytes of the next, or less than none."""

    events: int
    more: int

    @staticmethod
    def choose(session: Session, kind: Chat) -> Break:
        more = session.rng.choice((0, 0, 0, -1, 1, 6, 12, 60))
        # The last event, [DONE], has 12 bytes before its line breaks, all others have more than 60.
        last = EVENTS - 2 if more == 60 else EVENTS if kind.usage else EVENTS - 1
        return Break(session.rng.randrange(WORDS, last + 1), more)


def _within_a_stream() -> list[Scenario]:
    return [
        _broken_stream("stream cut by Azure", 3, "truncate={}", "upstream_closed_early"),
        _broken_stream("stream reset by Azure", 2, "reset={}", "upstream_receive_failed"),
        Scenario("stream cut before its first event", 0.5, _empty_stream),
        Scenario("stream with a broken chunk", 1, _broken_chunk),
        Scenario("stream that falls silent", 0.6, _silent_stream),
        Scenario("stream that takes too long", 0.4, _long_stream),
    ]


def _broken_stream(name: str, weight: float, faults: str, code: str) -> Scenario:
    async def run(session: Session) -> None:
        kind = session.rng.choice((STREAM, WITH_USAGE))
        golden = await session.golden(kind, "chat")
        place = Break.choose(session, kind)
        limit = golden.boundary(place.events) + place.more
        request = kind.build("chat", TEAM_KEY, session.rng, f"{kind.faults},{faults.format(limit)}")
        answer = await session.call(request)
        session.count("chat", answer.status)
        if not kind.usage and 0 < place.more <= HELD:
            # What is held back of an event never comes: the client stands between two.
            _check_error_event(answer, golden, limit - place.more, "", code)
        elif place.more > 0:
            _check_cut(answer, golden, limit)
        else:
            _check_error_event(answer, golden, limit, "\n" * -place.more, code)

    return Scenario(name, weight, run)


def _check_error_event(answer: Answer, golden: Golden, limit: int, completion: str, *codes: str) -> None:
    """The events that came, then one that says what went wrong, and a whole answer in HTTP's eyes."""
    golden.check_head(answer)
    if not answer.whole:
        raise Unexpected(f"a stream that stood between two lines at {limit} was cut, with {len(answer.body)} bytes")
    body, _ = without_pings(bytes(answer.body))
    golden.check_body(body[:limit], limit)
    rest = body[limit:]
    start = f"{completion}data: ".encode()
    if not rest.startswith(start) or not rest.endswith(b"\n\n") or b"\n" in rest[len(start) : -2]:
        raise Unexpected(f"behind {limit} bytes stands {rest[:300]!r}")
    check_error(rest[len(start) : -2], *codes)


async def _empty_stream(session: Session) -> None:
    """No word of it came, so another deployment could have done better: none of its head is passed on either."""
    async with session.fault("empty-stream") as fault:
        limit = session.rng.choice((0, session.rng.randrange((await session.golden(STREAM, fault.model)).boundary(1))))
        request = STREAM.build(fault.model, TEAM_KEY, session.rng, f"{STREAM.faults},truncate={limit}")
        answer = await session.call(request)
        if fault.is_cooled(answer):
            return
        session.count(fault.model, answer.status)
        check_refusal(answer, 502, "upstream_closed_early")


async def _broken_chunk(session: Session) -> None:
    """Behind its first event, before its first word."""
    async with session.fault("bad-chunk") as fault:
        request = STREAM.build(fault.model, TEAM_KEY, session.rng, f"{STREAM.faults},garbage=chunk")
        answer = await session.call(request)
        if fault.is_cooled(answer):
            return
        session.count(fault.model, answer.status)
        # libcurl 7.88 reports a bad chunk size as it reports a failure to receive; docs/errors.md allows both.
        check_refusal(answer, 502, "upstream_protocol_violation", "upstream_receive_failed")


async def _silent_stream(session: Session) -> None:
    """Comments keep it alive until the endpoint has been silent for too long."""
    golden = await session.golden(STREAM, "brisk")
    events = session.rng.randrange(WORDS, EVENTS)
    answer = await session.call(STREAM.build("brisk", TEAM_KEY, session.rng, f"{STREAM.faults},silence={events}"))
    session.count("brisk", answer.status)
    if PING not in answer.body:
        raise Unexpected("no comment in a stream that was silent for a second")
    _check_error_event(answer, golden, golden.boundary(events), "", "upstream_idle_timeout")


async def _long_stream(session: Session) -> None:
    golden = await session.golden(STREAM, "brief")
    answer = await session.call(STREAM.build("brief", TEAM_KEY, session.rng, f"{STREAM.faults},interval=120"))
    session.count("brief", answer.status)
    body, _ = without_pings(bytes(answer.body))
    limit = body.rfind(b"\n\n", 0, len(body) - 2) + 2
    if limit not in {golden.boundary(events) for events in range(2, EVENTS)}:
        raise Unexpected(f"a stream of a second ends behind {limit} bytes: {body[-300:]!r}")
    _check_error_event(answer, golden, limit, "", "upstream_total_timeout")


# MARK: no connection is free


def _busy() -> list[Scenario]:
    return [Scenario("few connections", 1, _few_connections)]


async def _few_connections(session: Session) -> None:
    """An endpoint with two connections serves, or says that it is busy: which of the two is chance."""
    kind = Chat("delay=300")
    golden = await session.golden(kind, "narrow")
    request = kind.build("narrow", TEAM_KEY, session.rng)
    answer = await session.call(request)
    session.count("narrow", answer.status, served=answer.status == 200)
    if answer.status == 503:
        check_refusal(answer, 503, "upstream_pool_full", "upstream_pool_timeout")
        if not answer.field("retry-after"):
            raise Unexpected(f"503 without retry-after: {answer.fields}")
    else:
        golden.check_head(answer)
        golden.check_body(bytes(answer.body))
        session.relayed(request, answer)
