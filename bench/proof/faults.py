"""A TCP proxy on the loopback interface that misbehaves on demand; the faults are those of Tests' FaultProxy."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """`kind` is one of none, delay, blackhole, drip, reset, half-close, cut and corrupt."""

    kind: str = "none"
    amount: float = 0
    """Seconds of a delay, or between two bytes that drip; bytes before a cut; the place of the byte that is changed."""


NONE = Fault()


class FaultProxy:
    def __init__(self, backend: int):
        self.backend = backend
        self.fault = NONE
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the fault proxy did not start")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        # Connections that a fault ends are no news.
        self._loop.set_exception_handler(lambda *_: None)
        server = self._loop.run_until_complete(asyncio.start_server(self._client, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self.backend)
        except OSError:
            writer.transport.abort()
            return
        answers = self._loop.create_task(self._answers(back_reader, writer))
        self._tasks.add(answers)
        answers.add_done_callback(self._tasks.discard)
        try:
            while data := await reader.read(65536):
                match self.fault.kind:
                    case "blackhole":
                        continue
                    case "reset":
                        end = writer.get_extra_info("socket")
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        writer.transport.abort()
                        break
                    case "half-close":
                        if writer.can_write_eof() and not writer.transport.is_closing():
                            writer.write_eof()
                back_writer.write(data)
        except ConnectionError:
            pass
        back_writer.close()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                fault = self.fault
                match fault.kind:
                    case "blackhole" | "half-close":
                        continue
                    case "delay":
                        await asyncio.sleep(fault.amount)
                    case "drip":
                        for at in range(len(data)):
                            await asyncio.sleep(fault.amount)
                            writer.write(data[at : at + 1])
                        continue
                    case "cut":
                        writer.write(data[: int(fault.amount)])
                        break
                    case "corrupt":
                        at = int(fault.amount)
                        data = data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :] if at < len(data) else data
                if self.fault.kind != "blackhole":
                    writer.write(data)
        except ConnectionError:
            pass
        writer.close()
