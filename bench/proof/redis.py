"""A redis-server of this run's own, and a connection to look into it and to make it ill."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from bench.fleet.processes import Program, StartError, answers_ping, free_port
from bench.proof.resp import Reader, RedisReplyError, Value, command


class Redis:
    def __init__(self, folder: Path, *options: str):
        binary = shutil.which("redis-server")
        if not binary:
            raise StartError("redis-server is not installed: deploy/install-dependencies.sh test")
        # The bus of a cluster's node listens 10,000 above.
        highest = 55_000 if "--cluster-enabled" in options else 65_535
        self.port = next(port for port in iter(free_port, 0) if port <= highest)
        self.password = ""
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        words += ["--enable-debug-command", "yes", "--dir", str(folder), *options]
        self.program = Program("redis", [binary, *words], folder / f"redis-{self.port}.log", os.environ)
        self.wait()

    def wait(self) -> None:
        self.program.wait_for("does not answer", lambda: answers_ping(self.port)() or self._wants_password())

    def _wants_password(self) -> str | None:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return "NOAUTH" if connection.recv(16).startswith(b"-NOAUTH") else None
        except OSError:
            return None

    def start_again(self) -> None:
        self.program.start_again()
        self.wait()

    def ask(self, *words: str | bytes) -> Value:
        """One command on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            reader = Reader()
            wanted = 1
            if self.password:
                connection.sendall(command("AUTH", self.password))
                wanted = 2
            connection.sendall(command(*words))
            replies: list[tuple[Value, bytes]] = []
            while len(replies) < wanted:
                data = connection.recv(65536)
                if not data:
                    raise StartError(f"redis-server closed the connection before it answered {words[0]!r}")
                replies += reader.feed(data)
            value = replies[-1][0]
            if isinstance(value, RedisReplyError):
                raise value
            return value

    def usage(self) -> dict[str, int]:
        """The sums of the counters of all clients, days and deployments."""
        sums: dict[str, int] = {}
        keys = self.ask("KEYS", "*:u:*")
        assert isinstance(keys, list)
        for key in keys:
            assert isinstance(key, bytes)
            fields = self.ask("HGETALL", key)
            assert isinstance(fields, list)
            for name, count in zip(fields[::2], fields[1::2], strict=True):
                assert isinstance(name, bytes) and isinstance(count, bytes)
                field = name.rsplit(b":", 1)[-1].decode()
                sums[field] = sums.get(field, 0) + int(count)
        return sums

    def slots(self) -> dict[str, int]:
        """How many leases hold a slot, by key."""
        found: dict[str, int] = {}
        for pattern in ("*:cl:*", "*:dl:*"):
            keys = self.ask("KEYS", pattern)
            assert isinstance(keys, list)
            for key in keys:
                assert isinstance(key, bytes)
                count = self.ask("ZCARD", key)
                assert isinstance(count, int)
                found[key.decode()] = count
        return found
