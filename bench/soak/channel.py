"""One TCP connection as bytes: what came, how it ended, and no more than is asked for.

asyncio's own StreamReader throws away what it holds when a connection is reset; how much came before a reset is just
what the soak wants to know.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from typing import Literal, cast

Ending = Literal["", "closed", "reset"]


class Channel(asyncio.Protocol):
    """The bytes of one connection, read by one task."""

    def __init__(self, high: int) -> None:
        self.buffer = bytearray()
        self.ending: Ending = ""
        self.idle_since = time.monotonic()
        """It has served an exchange before."""
        self.sent = 0
        self._high = high
        self._transport: asyncio.Transport | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()

    @staticmethod
    async def open(host: str, port: int, receive_buffer: int | None = None) -> Channel:
        """Connects; a small receive buffer makes a reader whose slowness the other side feels."""
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(connection, (host, port))
            high = 256 * 1024 if receive_buffer is None else receive_buffer
            _, channel = await loop.create_connection(lambda: Channel(high), sock=connection)
        except BaseException:
            connection.close()
            raise
        return channel

    # asyncio calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) >= self._high and self._transport is not None:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self.ending = self.ending or "closed"
        self._wake()
        return True  # our side is closed by whoever uses the connection

    def connection_lost(self, error: Exception | None) -> None:
        self.ending = self.ending or ("closed" if error is None else "reset")
        self._writable.set()
        self._gone.set()
        self._wake()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # The reader calls these.

    async def more(self) -> bool:
        """Waits for more bytes than are in the buffer now; false once no more will come."""
        before = len(self.buffer)
        while len(self.buffer) == before:
            if self.ending:
                return False
            if self._transport is not None and before < self._high:
                self._transport.resume_reading()
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return True

    def take(self, count: int) -> bytes:
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    async def line(self, limit: int) -> bytes | None:
        """The next line with its line break; `None` if the connection ended first."""
        start = 0
        while True:
            at = self.buffer.find(b"\n", start)
            if at >= 0:
                return self.take(at + 1)
            start = len(self.buffer)
            if start > limit:
                raise ValueError(f"a line above {limit} bytes")
            if start >= self._high:
                self._high = start * 2
            if not await self.more():
                return None

    async def send(self, data: bytes | memoryview) -> None:
        """Writes, and waits while the other side is slow to read."""
        if self._transport is None or self._gone.is_set():
            return
        self.sent += len(data)
        self._transport.write(data)
        if not self._writable.is_set():
            await self._writable.wait()

    async def close(self) -> None:
        """Closes in order, without waiting for what is still in flight to us."""
        if self._transport is not None:
            self._transport.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._gone.wait(), 5)

    async def reset(self) -> None:
        """Closes as a process does that is killed: with RST."""
        if self._transport is not None and not self._gone.is_set():
            connection = cast(socket.socket, self._transport.get_extra_info("socket"))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        await self._gone.wait()
