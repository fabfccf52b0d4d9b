"""Clients that leave: nobody gets an answer, and the gateway must let go of everything and count a 499."""

from __future__ import annotations

import asyncio
import dataclasses

from .channel import Channel
from .golden import Golden, Unexpected, without_pings
from .processes import TEAM_KEY
from .request_kinds import Chat, Transcription
from .scenario import Scenario
from .session import Session
from .wire import Answer, Pace, Request, read_body, read_head

PACED = Chat("tokens=400,interval=40", stream=True)
LARGE = Chat("bytes=16000000")
SMALL_BUFFER = 32 * 1024


def scenarios() -> list[Scenario]:
    return [
        Scenario("connects and leaves", 0.5, _without_a_word),
        Scenario("leaves within a head", 1, _within_head),
        Scenario("leaves within a body", 1, _within_body),
        Scenario("leaves within an upload", 1, _within_upload),
        Scenario("resets within an upload", 0.7, _reset_within_upload),
        Scenario("leaves before the answer", 1.5, _before_answer),
        Scenario("leaves a stream", 3, _within_stream),
        Scenario("leaves a large answer", 0.4, _within_large_answer),
    ]


async def _leave(session: Session, channel: Channel, reset: bool) -> None:
    session.held.discard(channel)
    if reset:
        await channel.reset()
    else:
        await channel.close()


async def _without_a_word(session: Session) -> None:
    channel = await session.connect()
    await asyncio.sleep(session.rng.choice((0.0, 0.2)))
    await _leave(session, channel, reset=False)


async def _within_head(session: Session) -> None:
    """No request came, so none is counted."""
    channel = await session.lease()
    data = Chat().build("chat", TEAM_KEY, session.rng).head()
    await session.send(channel, data[: session.rng.randrange(1, len(data) - 3)])
    await asyncio.sleep(session.rng.choice((0.0, 0.1)))
    await _leave(session, channel, reset=False)


async def _within_body(session: Session) -> None:
    """The gateway collects JSON before it does anything with it."""
    channel = await session.lease()
    request = Chat(size=session.rng.choice((500, 200_000)), v1=session.rng.random() < 0.5).build(
        "chat", TEAM_KEY, session.rng
    )
    data = request.head() + request.body
    await session.send(channel, data[: session.rng.randrange(len(request.head()), len(data) - 1)])
    await asyncio.sleep(session.rng.choice((0.0, 0.1)))
    await _leave(session, channel, reset=False)
    session.shared.ledger.count("team", "", 499)


async def _within_upload(session: Session) -> None:
    """A form is on its way to Azure already."""
    channel = await session.lease()
    request = Transcription(300_000, chunk=session.rng.choice((0, 7000))).build("whisper", TEAM_KEY, session.rng)
    data = request.head() + request.framed_body()
    await session.send(channel, data[: session.rng.randrange(len(request.head()), len(data) - 10)])
    await asyncio.sleep(session.rng.choice((0.0, 0.2)))
    await _leave(session, channel, reset=False)
    session.count("whisper", 499, served=False)


async def _reset_within_upload(session: Session) -> None:
    channel = await session.lease()
    request = Transcription(300_000).build("whisper", TEAM_KEY, session.rng)
    request = dataclasses.replace(request, fields=(*request.fields, ("expect", "100-continue")))
    await session.send(channel, request.head())
    interim = await read_head(channel)
    if interim is None or interim.status != 100:
        raise Unexpected(f"{interim} in place of 100 Continue")
    await session.send(channel, request.body[: session.rng.randrange(200_000)])
    await _leave(session, channel, reset=True)
    session.count("whisper", 499, served=False)


async def _before_answer(session: Session) -> None:
    channel = await session.lease()
    kind = Chat("delay=20000", stream=session.rng.random() < 0.5, v1=session.rng.random() < 0.5)
    request = kind.build("chat", TEAM_KEY, session.rng)
    await session.send(channel, request.head() + request.body)
    await asyncio.sleep(session.rng.uniform(0.0, 0.3))
    await _leave(session, channel, reset=False)
    session.count("chat", 499)


async def _within_stream(session: Session) -> None:
    golden = await session.golden(dataclasses.replace(PACED, faults="tokens=400"), "chat")
    request = PACED.build("chat", TEAM_KEY, session.rng)
    channel = await session.lease()
    answer = await _read_until(session, channel, request, session.rng.randrange(1, 20_000))
    _check_start(answer, golden)
    await _leave(session, channel, reset=session.rng.random() < 0.5)
    session.count("chat", 499)


async def _within_large_answer(session: Session) -> None:
    """Far more than all buffers on the way hold, so it cannot have been sent when the client goes."""
    golden = await session.golden(LARGE, "chat")
    channel = await session.connect(SMALL_BUFFER)
    answer = await _read_until(
        session, channel, LARGE.build("chat", TEAM_KEY, session.rng), session.rng.randrange(1, 100_000)
    )
    _check_start(answer, golden)
    await asyncio.sleep(session.rng.choice((0.0, 0.3)))
    await _leave(session, channel, reset=session.rng.random() < 0.5)
    session.count("chat", 499)


async def _read_until(session: Session, channel: Channel, request: Request, stop: int) -> Answer:
    await session.send(channel, request.head() + request.body)
    answer = await read_head(channel)
    if answer is None:
        raise Unexpected(f"the connection was {channel.ending} without an answer")
    await read_body(channel, answer, request.method, Pace(stop=stop))
    return answer


def _check_start(answer: Answer, golden: Golden) -> None:
    golden.check_head(answer)
    if answer.ending or answer.whole:
        raise Unexpected(f"an answer that was to be left ended: whole {answer.whole}, {answer.ending}")
    body = without_pings(bytes(answer.body))[0] if golden.is_stream else bytes(answer.body)
    golden.check_body(body, len(body))
