"""The gateways' usage counters in Redis."""

from __future__ import annotations

import socket
from collections import Counter, defaultdict
from urllib.parse import urlsplit


class _Redis:
    """As much of the protocol as reading counters takes."""

    def __init__(self, url: str):
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=5)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> _Redis:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, *words: str):  # noqa: ANN201
        encoded = [word.encode() for word in words]
        self._socket.sendall(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in encoded))
        return self._reply()

    def _reply(self):  # noqa: ANN202
        line = self._file.readline().removesuffix(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        if kind == b"$":
            return self._file.read(int(rest) + 2)[:-2].decode()
        if kind == b"-" or not line:
            raise OSError(f"Redis answered {line!r}")
        return rest.decode()


def usage_in_redis(url: str, namespace: str = "0") -> dict[str, Counter[str]]:
    """By deployment: `req`, `in`, `out` and the others, over all clients and days."""
    usage: dict[str, Counter[str]] = defaultdict(Counter)
    with _Redis(url) as redis:
        for key in redis.send("KEYS", f"{{{namespace}}}:v1:u:*"):
            fields = redis.send("HGETALL", key)
            for name, value in zip(fields[::2], fields[1::2], strict=True):
                deployment, counter = name.rsplit(":", 1)
                # `endpoint/deployment` names it without doubt.
                usage[deployment.rsplit("/", 1)[-1]][counter] += int(value)
    return usage
