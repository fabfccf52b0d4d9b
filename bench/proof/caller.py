"""One caller of the gateway over a kept connection, and how long each answer takes."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field

from bench.proof.stack import KEYS

PATH = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"


@dataclass(frozen=True)
class Answer:
    status: int
    seconds: float
    """From before the request is written until the whole answer is read."""
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def wait(self) -> int:
        """Milliseconds, of a refusal."""
        return int(self.headers["retry-after-ms"])


class Caller:
    def __init__(self, address: str, client: str = "team-a", timeout: float = 30):
        self._connection = http.client.HTTPConnection(address, timeout=timeout)
        self._connection.connect()
        self._headers = {"api-key": KEYS[client], "content-type": "application/json"}

    def ask(self, user: str = "mock:tokens=2", max_tokens: int = 10) -> Answer:
        message = {"role": "user", "content": "Hello there"}
        body = json.dumps({"model": "gpt-4o", "messages": [message], "max_tokens": max_tokens, "user": user})
        start = time.perf_counter()
        self._connection.request("POST", PATH, body, self._headers)
        response = self._connection.getresponse()
        data = response.read()
        seconds = time.perf_counter() - start
        return Answer(response.status, seconds, {name.lower(): value for name, value in response.getheaders()}, data)

    def close(self) -> None:
        self._connection.close()
