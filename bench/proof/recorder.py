"""A proxy in front of Redis that writes down every call of a script with its reply, in the order in which Redis ran
them.

All connections of all replicas become one connection to Redis, and Redis runs what comes over one connection in its
order. So the log is the order, and nothing has to be guessed from clocks.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass

from bench.proof.resp import Reader, Value

SCRIPTS = {
    b"-- Admits an": "admit",
    b"-- Notes that": "reroute",
    b"-- Ends a lease": "settle",
    b"-- Counts a proc": "beat",
}


@dataclass(slots=True)
class Call:
    script: str
    keys: list[bytes]
    arguments: list[bytes]
    reply: Value = None


class Recorder:
    def __init__(self, redis_port: int):
        self.calls: list[Call] = []
        self.problems: list[str] = []
        self.port = 0
        self._redis_port = redis_port
        self._names: dict[bytes, str] = {}
        self._waiting: deque[tuple[asyncio.StreamWriter, Call | None, list[Value] | None]] = deque()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> int:
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the recording proxy did not start")
        return self.port

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._loop.run_forever()

    async def _open(self) -> None:
        reader, self._backend = await asyncio.open_connection("127.0.0.1", self._redis_port)
        self._loop.create_task(self._replies(reader))
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        messages = Reader()
        while data := await self._read(reader):
            for value, raw in messages.feed(data):
                assert isinstance(value, list)
                self._waiting.append((writer, self._call(value), value if self._is_load(value) else None))
                self._backend.write(raw)
        writer.close()

    @staticmethod
    async def _read(reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.read(65536)
        except ConnectionError:
            return b""

    @staticmethod
    def _is_load(words: list[Value]) -> bool:
        return len(words) == 3 and words[0] == b"SCRIPT" and words[1] == b"LOAD"

    def _call(self, words: list[Value]) -> Call | None:
        head = words[0]
        assert isinstance(head, bytes)
        if head.upper() not in (b"EVALSHA", b"EVAL"):
            return None
        what, count = words[1], words[2]
        assert isinstance(what, bytes) and isinstance(count, bytes)
        name = self._names.get(what) if head.upper() == b"EVALSHA" else self._name(what)
        if name is None:
            return None
        keys, arguments = words[3 : 3 + int(count)], words[3 + int(count) :]
        call = Call(name, keys, arguments)  # type: ignore[arg-type]
        self.calls.append(call)
        return call

    @staticmethod
    def _name(text: bytes) -> str | None:
        return next((name for start, name in SCRIPTS.items() if start in text), None)

    async def _replies(self, reader: asyncio.StreamReader) -> None:
        messages = Reader()
        while data := await reader.read(65536):
            for value, raw in messages.feed(data):
                writer, call, load = self._waiting.popleft()
                if call:
                    call.reply = value
                if load and isinstance(value, bytes) and isinstance(load[2], bytes) and (name := self._name(load[2])):
                    self._names[value] = name
                if not writer.is_closing():
                    writer.write(raw)
        self.problems.append("Redis closed the recorder's connection")
