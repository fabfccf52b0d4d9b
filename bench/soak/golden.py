"""What the mock answers when asked directly: the gateway must pass on the same, byte for byte."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, replace

from .channel import Channel
from .request_kinds import TOOL_DIGITS, Chat, Kind
from .wire import Answer, WireError, read_body, read_head

# What differs from answer to answer, by name; within one answer each has one value.
VARIABLES = {
    "created": re.compile(rb'"created":(\d{10})'),
    "completion": re.compile(rb'"id":"chatcmpl-([0-9a-f]{16})"'),
    "call": re.compile(rb'"id":"call_([0-9a-f]{16})"'),
    "tool": re.compile(rb'"name":"fn_([0-9a-f]{%d})"' % TOOL_DIGITS),
}
# Fields whose value is the same each time.
STEADY = {
    "content-type",
    "x-ms-region",
    "x-ms-deployment-name",
    "x-ms-client-request-id",
    "x-ms-rai-invoked",
    "retry-after",
}
STEADY |= {"retry-after-ms", "x-ratelimit-limit-requests", "x-ratelimit-limit-tokens"}
# Fields of one hop.
HOP = {"content-length", "transfer-encoding", "connection"}
# What the gateway adds to event streams, so that no proxy holds them back.
STREAM_FIELDS = [("cache-control", "no-cache, no-transform"), ("x-accel-buffering", "no")]
PING = b": ping\n\n"


class Unexpected(Exception):
    """An exchange that did not end as it had to."""


@dataclass(frozen=True, slots=True)
class Span:
    start: int
    end: int
    variable: str


@dataclass(frozen=True, slots=True)
class Golden:
    status: int
    fields: list[tuple[str, str]]
    chunked: bool
    length: int | None
    """Of the body that a GET would have, for HEAD."""
    body: bytes
    """With zeros in place of what varies."""
    spans: list[Span]
    origin: str = ""
    """`<endpoint>/<deployment>` that the gateway names."""

    @property
    def is_stream(self) -> bool:
        return any(name == "content-type" and value.startswith("text/event-stream") for name, value in self.fields)

    def boundary(self, events: int) -> int:
        """The offset behind so many events."""
        at = 0
        for _ in range(events):
            at = self.body.index(b"\n\n", at) + 2
        return at

    def check_head(self, answer: Answer) -> None:
        if answer.status != self.status:
            raise Unexpected(f"status {answer.status} in place of {self.status}: {bytes(answer.body[:300])!r}")
        added = [("x-sluice-deployment", self.origin), ("x-sluice-attempts", "1")]
        if self.is_stream:
            added += STREAM_FIELDS
        expected = [*self.fields, *added]
        found = [(name, value) for name, value in answer.fields if name not in HOP]
        if [name for name, _ in found] != [name for name, _ in expected]:
            raise Unexpected(f"fields {found} in place of {expected}")
        for (name, value), (_, wanted) in zip(found, expected, strict=True):
            if (name in STEADY or (name, wanted) in added) and value != wanted:
                raise Unexpected(f"field {name} is {value!r} in place of {wanted!r}")
        if answer.chunked != self.chunked:
            raise Unexpected("the framing is not Azure's")
        if answer.length != self.length:
            raise Unexpected(f"content-length {answer.length} in place of {self.length}")

    def check_body(self, body: bytes, count: int | None = None, tool: str | None = None) -> None:
        """The body, or its first `count` bytes, is the golden one."""
        expected = self.body if count is None else self.body[:count]
        masked = bytearray(body)
        values: dict[str, set[bytes]] = {}
        for span in self.spans:
            if span.end <= len(masked):
                values.setdefault(span.variable, set()).add(bytes(masked[span.start : span.end]))
            if span.start < len(masked):
                end = min(span.end, len(masked))
                masked[span.start : end] = b"0" * (end - span.start)
        if masked != expected:
            raise Unexpected(difference(bytes(masked), expected))
        for variable, found in values.items():
            if len(found) != 1:
                raise Unexpected(f"one answer carries the {variable} of several: {sorted(found)}")
        if tool is not None and values.get("tool", {tool.encode()}) != {tool.encode()}:
            raise Unexpected(f"the answer to another request: {values['tool']} in place of {tool}")


def difference(found: bytes, expected: bytes) -> str:
    at = next(
        (i for i, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b), min(len(found), len(expected))
    )
    return (
        f"body of {len(found)} bytes ({found.count(b'data: ')} events) in place of {len(expected)}"
        f" ({expected.count(b'data: ')} events), differs at {at}:"
        f" {found[max(0, at - 40) : at + 80]!r} in place of {expected[max(0, at - 40) : at + 80]!r}"
    )


def without_pings(body: bytes) -> tuple[bytes, int]:
    """The stream without the gateway's comments, which stand between events only, and how many there were."""
    pings, at = 0, body.find(PING)
    if at < 0:
        return body, 0
    pieces, start = [], 0
    while at >= 0:
        if at > 0 and body[at - 2 : at] != b"\n\n":
            raise Unexpected(f"a comment within an event: {body[max(0, at - 60) : at + 20]!r}")
        pieces.append(body[start:at])
        pings, start = pings + 1, at + len(PING)
        at = body.find(PING, start)
    return b"".join([*pieces, body[start:]]), pings


def without_usage(stream: bytes) -> bytes:
    """The stream without the event of "an empty list of choices and a usage"."""
    return b"".join(event + b"\n\n" for event in stream.split(b"\n\n")[:-1] if not _is_usage(event))


def _is_usage(event: bytes) -> bool:
    if event == b"data: [DONE]":
        return False
    chunk = json.loads(event.removeprefix(b"data: "))
    return chunk.get("choices") == [] and chunk.get("usage") is not None


class GoldenAnswers:
    """Asks the mock once for each kind of request."""

    def __init__(self, host: str, port: int, key: str) -> None:
        self._address = (host, port)
        self._key = key
        self._known: dict[tuple[Kind, str], Golden] = {}
        self.asked = 0

    async def of(self, kind: Kind, deployment: str) -> Golden:
        known = self._known.get((kind, deployment))
        if known is None:
            known = self._known[kind, deployment] = await self._ask(kind, deployment)
        return known

    async def _ask(self, kind: Kind, deployment: str) -> Golden:
        self.asked += 1
        # The gateway asks for the usage of a stream where its client does not, and takes it out (docs/tokens.md).
        adds_usage = isinstance(kind, Chat) and kind.stream and not kind.usage
        if adds_usage:
            kind = replace(kind, usage=True)
        request = kind.build(deployment, self._key, random.Random(1))
        channel = await Channel.open(*self._address)
        try:
            await channel.send(request.head() + request.framed_body())
            answer = await read_head(channel)
            if answer is None:
                raise WireError(f"the mock gives no answer to {kind}")
            await read_body(channel, answer, request.method)
            if not answer.whole:
                raise WireError(f"the mock breaks off its answer to {kind}")
        finally:
            await channel.close()
        if adds_usage and answer.status == 200:
            answer.body = bytearray(without_usage(bytes(answer.body)))
            # The length that Azure promised is not the client's.
            answer.chunked, answer.length = True, None
        body = bytes(answer.body)
        spans = sorted(
            (Span(*match.span(1), name) for name, pattern in VARIABLES.items() for match in pattern.finditer(body)),
            key=lambda span: span.start,
        )
        for span in reversed(spans):
            answer.body[span.start : span.end] = b"0" * (span.end - span.start)
        fields = [(name, value) for name, value in answer.fields if name not in HOP]
        return Golden(answer.status, fields, answer.chunked, answer.length, bytes(answer.body), spans)


def tool_of(body: bytes) -> str | None:
    """The nonce that a request's tool carries."""
    match = VARIABLES["tool"].search(body[-400:])
    return None if match is None else match[1].decode()
