"""One kind of exchange: how often it comes, and how it must end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .golden import Unexpected, tool_of, without_pings
from .processes import TEAM_KEY
from .request_kinds import Chat, Kind
from .session import Fault, Session
from .wire import FAST, Pace


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    weight: float
    """Its share of the load is its weight among all weights."""
    run: Callable[[Session], Awaitable[None]]
    """Raises `Unexpected` (or `WireError`) unless everything ends as it must."""


def passed_on(
    name: str,
    weight: float,
    kind: Kind,
    model: str,
    pace: Pace = FAST,
    receive_buffer: int | None = None,
    pings: int = 0,
) -> Scenario:
    """Azure's answer, whatever it is, reaches the client as it was given, with `pings` comments at least."""

    async def run(session: Session) -> None:
        await _pass(session, kind, model, None, pace, receive_buffer, pings)

    return Scenario(name, weight, run)


def refused_by_azure(name: str, weight: float, kind: Kind, pool: str) -> Scenario:
    """The same of an answer that makes its deployment cool."""

    async def run(session: Session) -> None:
        async with session.fault(pool) as fault:
            await _pass(session, kind, fault.model, fault)

    return Scenario(name, weight, run)


async def _pass(
    session: Session,
    kind: Kind,
    model: str,
    fault: Fault | None,
    pace: Pace = FAST,
    receive_buffer: int | None = None,
    pings: int = 0,
) -> None:
    golden = await session.golden(kind, model)
    request = kind.build(model, TEAM_KEY, session.rng)
    answer = await session.call(request, pace, receive_buffer)
    if fault is not None and fault.is_cooled(answer):
        return
    session.count(model, answer.status)
    golden.check_head(answer)
    if not answer.whole:
        raise Unexpected(f"the answer is not whole: {answer.ending} after {len(answer.body)} bytes")
    body, found = without_pings(bytes(answer.body)) if golden.is_stream else (bytes(answer.body), 0)
    golden.check_body(body, tool=tool_of(request.body) if isinstance(kind, Chat) and kind.tool else None)
    if found < pings:
        raise Unexpected(f"{found} comments in a silent stream in place of {pings} or more")
    session.relayed(request, answer, found)
