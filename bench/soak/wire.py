"""HTTP/1.1 as a strict client sees it (RFC 9112): whatever is not as the standard says is a failure, not a guess."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

from .channel import Channel, Ending

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\x20-\x7e]*)\r\n")
FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)\r\n")
CHUNK_LINE = re.compile(rb"([1-9a-fA-F][0-9a-fA-F]{0,7}|0)\r\n")
MAX_LINE = 64 * 1024


class WireError(Exception):
    """The gateway's bytes are not HTTP/1.1."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `fields` are all that goes into the head besides Host and the framing."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    chunk: int = 0
    """Send the body in chunks of this size instead of with its length."""
    version: str = "HTTP/1.1"

    def head(self) -> bytes:
        lines = [f"{self.method} {self.target} {self.version}", "host: gateway.test"]
        lines += [f"{name}: {value}" for name, value in self.fields]
        if self.chunk:
            lines.append("transfer-encoding: chunked")
        elif self.body or self.method == "POST":
            lines.append(f"content-length: {len(self.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def framed_body(self) -> bytes:
        if not self.chunk:
            return self.body
        pieces = [self.body[at : at + self.chunk] for at in range(0, len(self.body), self.chunk)]
        return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Pace:
    """How a client reads an answer: a pause behind each `piece` bytes; it leaves after `stop` bytes."""

    piece: int = 1 << 30
    pause: float = 0.0
    stop: int = 1 << 62


FAST = Pace()


@dataclass(slots=True)
class Answer:
    status: int
    fields: list[tuple[str, str]]
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False
    """It ended as its framing promised."""
    ending: Ending = ""
    """How the connection ended, when the answer is not whole."""
    chunked: bool = False
    length: int | None = None
    paused_at: int = 0
    """Bytes of the body before the reader's last pause."""

    def field(self, name: str) -> str | None:
        found = [value for known, value in self.fields if known.lower() == name]
        if len(found) > 1:
            raise WireError(f"the field {name} stands {len(found)} times")
        return found[0] if found else None

    @property
    def closes(self) -> bool:
        return (self.field("connection") or "").lower() == "close"


async def read_head(channel: Channel) -> Answer | None:
    """The next head; `None` when the connection ends in place of one."""
    try:
        first = await channel.line(MAX_LINE)
        if first is None:
            if channel.buffer:
                raise WireError(f"the connection ended within a status line: {bytes(channel.buffer[:80])!r}")
            return None
        match = STATUS_LINE.fullmatch(first)
        if match is None:
            raise WireError(f"no status line: {first[:80]!r}")
        answer = Answer(int(match[1]), [])
        while True:
            line = await channel.line(MAX_LINE)
            if line is None:
                raise WireError("the connection ended within a head")
            if line == b"\r\n":
                break
            match = FIELD_LINE.fullmatch(line)
            if match is None:
                raise WireError(f"no header field: {line[:80]!r}")
            answer.fields.append((match[1].decode(), match[2].strip(b" \t").decode("latin-1")))
    except ValueError as error:
        raise WireError(str(error)) from None
    _read_framing(answer)
    return answer


def _read_framing(answer: Answer) -> None:
    coding, length = answer.field("transfer-encoding"), answer.field("content-length")
    if coding is not None and (coding != "chunked" or length is not None):
        raise WireError(f"transfer-encoding {coding!r} with content-length {length!r}")
    answer.chunked = coding is not None
    if length is not None:
        if not re.fullmatch(r"0|[1-9][0-9]{0,14}", length):
            raise WireError(f"content-length {length!r}")
        answer.length = int(length)


async def read_body(channel: Channel, answer: Answer, method: str, pace: Pace = FAST) -> None:
    """Reads to the end that the head promised, to the connection's end, or to where the reader's patience ends."""
    if method == "HEAD" or answer.status in (204, 304):
        answer.whole = True
    elif answer.chunked:
        answer.whole = await _read_chunks(channel, answer, pace)
    elif answer.length is not None:
        answer.whole = await _read_piece(channel, answer, answer.length, pace)
    elif answer.closes:
        await _read_piece(channel, answer, 1 << 62, pace)
        answer.whole = channel.ending == "closed"
    else:
        raise WireError("an answer without a length on a connection that stays open")
    if not answer.whole:
        answer.ending = channel.ending


async def _read_piece(channel: Channel, answer: Answer, count: int, pace: Pace) -> bool:
    """Appends `count` bytes to the body; false when the connection ended or the reader leaves."""
    while count > 0:
        if len(answer.body) >= pace.stop:
            return False
        if not channel.buffer and not await channel.more():
            return False
        piece = channel.take(min(count, pace.piece))
        answer.body += piece
        count -= len(piece)
        if pace.pause and len(answer.body) - answer.paused_at >= pace.piece:
            answer.paused_at = len(answer.body)
            await asyncio.sleep(pace.pause)
    return True


async def _read_chunks(channel: Channel, answer: Answer, pace: Pace) -> bool:
    while True:
        line = await channel.line(64)
        if line is None:
            if channel.buffer:
                raise WireError(f"the connection ended within a chunk's size: {bytes(channel.buffer)!r}")
            return False
        match = CHUNK_LINE.fullmatch(line)
        if match is None:
            raise WireError(f"no chunk size: {line!r}")
        size = int(match[1], 16)
        if size and not await _read_piece(channel, answer, size, pace):
            return False
        end = await channel.line(64)
        if end is None:
            return False
        if end != b"\r\n":
            raise WireError(f"no line break behind a chunk, or a trailer: {end!r}")
        if size == 0:
            return True
