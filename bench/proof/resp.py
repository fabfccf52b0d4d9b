"""The Redis protocol, version 2, as far as commands and the replies of scripts need it."""

from __future__ import annotations

Value = int | bytes | None | Exception | list["Value"]


class RedisReplyError(Exception):
    """An error reply."""


class Incomplete(Exception):
    """More bytes are needed."""


class Reader:
    """Cuts a stream into messages; each comes with the bytes that it came in."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[tuple[Value, bytes]]:
        self._bytes += data
        messages = []
        start = 0
        while start < len(self._bytes):
            try:
                value, end = self._parse(start)
            except Incomplete:
                break
            messages.append((value, bytes(self._bytes[start:end])))
            start = end
        del self._bytes[:start]
        return messages

    def _line(self, at: int) -> tuple[bytes, int]:
        end = self._bytes.find(b"\r\n", at)
        if end < 0:
            raise Incomplete
        return bytes(self._bytes[at:end]), end + 2

    def _parse(self, at: int) -> tuple[Value, int]:
        line, at = self._line(at)
        kind, rest = line[:1], line[1:]
        if kind == b":":
            return int(rest), at
        if kind == b"+":
            return rest, at
        if kind == b"-":
            return RedisReplyError(rest.decode(errors="replace")), at
        if kind == b"$":
            length = int(rest)
            if length < 0:
                return None, at
            if len(self._bytes) < at + length + 2:
                raise Incomplete
            return bytes(self._bytes[at : at + length]), at + length + 2
        if kind == b"*":
            items: list[Value] = []
            for _ in range(int(rest)):
                item, at = self._parse(at)
                items.append(item)
            return items, at
        raise ValueError(f"not the Redis protocol: {line[:40]!r}")


def command(*words: str | bytes) -> bytes:
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        data = word if isinstance(word, bytes) else word.encode()
        parts.append(f"${len(data)}\r\n".encode() + data + b"\r\n")
    return b"".join(parts)
