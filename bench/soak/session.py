"""What a client does to make an exchange: connections kept and new, requests sent, answers read."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from .channel import Channel
from .golden import Golden, GoldenAnswers, Unexpected
from .ledger import Ledger
from .pools import POOLS, Cooling, Pool
from .processes import ROUTES, TEAM_KEY
from .request_kinds import Kind
from .wire import FAST, Answer, Pace, Request, read_body, read_head

# Well below the gateway's `idle_timeout`: a connection younger than this may not be closed on us.
KEPT_SECONDS = 30.0
MAX_KEPT = 64
NEW_CONNECTION = 0.12
CLOSE_WANTED = 0.3
BEARER = 0.25


@dataclass(slots=True)
class Shared:
    """What all clients have in common."""

    host: str
    port: int
    golden: GoldenAnswers
    ledger: Ledger = field(default_factory=Ledger)
    kept: deque[Channel] = field(default_factory=deque)
    cooling: Cooling = field(default_factory=Cooling)


@dataclass(slots=True)
class Session:
    """One client of many; its random numbers are its own, so that a seed gives each the same choices again."""

    shared: Shared
    rng: random.Random
    evidence: list[str] = field(default_factory=list)
    """Ids of the last exchange's answers, to find its log line."""
    held: set[Channel] = field(default_factory=set)
    """Connections of the running exchange."""
    cooled: bool = False
    """The last exchange was refused because an earlier one's fault makes its deployment cool."""

    # MARK: connections

    async def connect(self, receive_buffer: int | None = None) -> Channel:
        channel = await Channel.open(self.shared.host, self.shared.port, receive_buffer)
        self.shared.ledger.connections += 1
        self.held.add(channel)
        return channel

    async def drop(self) -> None:
        """Closes what an exchange that failed has left open."""
        while self.held:
            await self.held.pop().reset()

    async def lease(self) -> Channel:
        """A kept connection, or a new one."""
        while self.shared.kept and self.rng.random() >= NEW_CONNECTION:
            channel = self.shared.kept.pop()
            if time.monotonic() - channel.idle_since > KEPT_SECONDS:
                await channel.close()
                continue
            if channel.ending or channel.buffer:
                await channel.close()
                raise Unexpected(
                    f"a kept connection was {channel.ending or 'sent to'}: {bytes(channel.buffer[:200])!r}"
                )
            self.held.add(channel)
            return channel
        return await self.connect()

    async def release(self, channel: Channel, answer: Answer) -> None:
        """Keeps the connection, or sees it closed as the answer said."""
        self.held.discard(channel)
        if answer.whole and not answer.closes and not channel.ending and len(self.shared.kept) < MAX_KEPT:
            channel.idle_since = time.monotonic()
            self.shared.kept.append(channel)
            return
        try:
            if answer.whole and answer.closes:
                await self.expect_end(channel)
        finally:
            await channel.close()

    async def expect_end(self, channel: Channel) -> None:
        """The gateway closes, and sends nothing more."""
        try:
            more = bool(channel.buffer) or await asyncio.wait_for(channel.more(), 10)
        except TimeoutError:
            raise Unexpected("the connection stays open, though the answer said close") from None
        if more:
            raise Unexpected(f"bytes behind the last answer: {bytes(channel.buffer[:200])!r}")

    # MARK: exchanges

    async def call(self, request: Request, pace: Pace = FAST, receive_buffer: int | None = None) -> Answer:
        """Sends the request and reads its answer."""
        if receive_buffer is not None:
            channel = await self.connect(receive_buffer)
        else:
            channel = await self.lease()
        if self.rng.random() < NEW_CONNECTION * CLOSE_WANTED:
            request = replace(request, fields=(*request.fields, ("connection", "close")))
        if self.rng.random() < BEARER:
            request = replace(request, fields=tuple(_bearer(name, value) for name, value in request.fields))
        return await self.talk(channel, request.head() + request.framed_body(), request.method, pace)

    async def talk(self, channel: Channel, data: bytes, method: str, pace: Pace = FAST) -> Answer:
        """One exchange on this connection, which is kept or closed afterwards."""
        await self.send(channel, data)
        answer = await self.read(channel, method, pace)
        await self.release(channel, answer)
        return answer

    async def send(self, channel: Channel, data: bytes) -> None:
        self.shared.ledger.offered += len(data)
        await channel.send(data)

    async def read(self, channel: Channel, method: str, pace: Pace = FAST) -> Answer:
        """The answer, whole or not; a connection that ends in place of one is never expected."""
        answer = await read_head(channel)
        if answer is None:
            raise Unexpected(f"the connection was {channel.ending} without an answer")
        self.evidence.extend(value for name, value in answer.fields if name in ("x-request-id", "apim-request-id"))
        await read_body(channel, answer, method, pace)
        return answer

    # MARK: the books

    async def golden(self, kind: Kind, model: str) -> Golden:
        endpoint, deployment = ROUTES[model]
        golden = await self.shared.golden.of(kind, deployment)
        return replace(golden, origin=f"{endpoint}/{deployment}" if deployment else endpoint)

    @contextlib.asynccontextmanager
    async def fault(self, pool: str) -> AsyncIterator[Fault]:
        """An exchange whose fault may make its deployment cool, at one of the models of that pool."""
        fault = Fault(self, POOLS[pool], self.rng.choice(POOLS[pool].models))
        self.shared.cooling.begins(fault.model)
        try:
            yield fault
        finally:
            self.shared.cooling.ends(fault.model, not self.cooled)

    def count(self, model: str, status: int, *, served: bool = True) -> None:
        """An exchange that was sent to Azure; `served`: a whole request can have come there."""
        ledger, endpoint = self.shared.ledger, ROUTES[model][0]
        ledger.count("team", model, status)
        ledger.attempts[endpoint] += 1
        ledger.servable += served
        ledger.unfinished += not served

    def relayed(self, request: Request, answer: Answer, pings: int = 0) -> None:
        """Azure's whole answer came."""
        ledger = self.shared.ledger
        ledger.body_sent += len(request.body)
        ledger.body_relayed += len(answer.body) - pings * len(": ping\n\n")
        ledger.pings += pings


@dataclass(slots=True)
class Fault:
    """One exchange of those."""

    session: Session
    pool: Pool
    model: str
    began: float = field(default_factory=time.monotonic)

    def is_cooled(self, answer: Answer) -> bool:
        """Whether an earlier fault explains that nobody asked Azure; then the exchange is counted as such, and over."""
        session = self.session
        if not session.shared.cooling.check(self.pool, self.model, answer, self.began):
            return False
        session.cooled = True
        session.shared.ledger.count("team", self.model, answer.status)
        return True


def _bearer(name: str, value: str) -> tuple[str, str]:
    return ("authorization", f"Bearer {value}") if (name, value) == ("api-key", TEAM_KEY) else (name, value)


def check_refusal(answer: Answer, status: int, *codes: str, closes: bool | None = None) -> None:
    """An answer of the gateway itself, in Azure's shape (docs/errors.md)."""
    text = bytes(answer.body)
    if not answer.whole or answer.status != status:
        raise Unexpected(f"status {answer.status}, whole {answer.whole}, in place of {status} {codes}: {text[:300]!r}")
    if answer.field("content-type") != "application/json" or not answer.field("x-request-id"):
        raise Unexpected(f"fields of a refusal: {answer.fields}")
    check_error(text, *codes)
    if closes is not None and answer.closes != closes:
        raise Unexpected(f"{status} {codes} with connection close {answer.closes} in place of {closes}")


def check_error(text: bytes, *codes: str) -> None:
    try:
        document = json.loads(text)
        error = document["error"]
        is_right = set(document) == {"error"} and set(error) == {"code", "message"} and error["code"] in codes
        is_right = is_right and isinstance(error["message"], str) and bool(error["message"])
    except (ValueError, KeyError, TypeError):
        is_right = False
    if not is_right:
        raise Unexpected(f"no error of code {codes}: {text[:300]!r}")
