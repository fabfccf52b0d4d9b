"""A small HTTP/1.1 client on a bare socket: it knows when the first event came, and how large an answer was."""

import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from loads import request_bytes

_TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True)
class Answer:
    status: int
    bytes: int
    """Head, chunk framing and body: what a load generator counts."""
    events: int
    first_event_us: float
    """From the request's last byte to the first event of the stream, or to the end of an answer without events."""


class Connection:
    """One kept-alive connection to a loopback port; over TLS if there is an authority to verify with."""

    def __init__(self, port: int, authority: Path | None = None):
        self._socket = socket.create_connection(("127.0.0.1", port), _TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if authority:
            context = ssl.create_default_context(cafile=str(authority))
            self._socket = context.wrap_socket(self._socket, server_hostname="localhost")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def exchange(self, body: str) -> Answer:
        """Sends a chat request and reads its answer to the end; an `OSError` if the peer does not keep to HTTP."""
        request = request_bytes(body)
        started = time.perf_counter_ns()
        self._socket.sendall(request)
        received = b""
        first_event = 0
        while True:
            piece = self._socket.recv(65_536)
            now = time.perf_counter_ns()
            if not piece:
                raise ConnectionError("the peer closed in the middle of an answer")
            received += piece
            if not first_event and b"data:" in received:
                first_event = now
            if _is_complete(received):
                break
        return Answer(
            status=int(received[9:12]),
            bytes=len(received),
            events=received.count(b"data: "),
            first_event_us=((first_event or now) - started) / 1000,
        )


def _is_complete(received: bytes) -> bool:
    head, end_of_head, body = received.partition(b"\r\n\r\n")
    if not end_of_head:
        return False
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return len(body) >= int(value)
    # The last chunk. Nothing that mock-azure says ends like this earlier.
    return body.endswith(b"0\r\n\r\n")
