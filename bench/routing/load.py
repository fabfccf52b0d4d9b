"""An open load of small chat requests over kept connections, spread over gateways, and what came of it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

MOST_THREADS = 64


@dataclass
class Answer:
    """One answer as its client saw it."""

    started: float
    seconds: float
    status: int
    deployment: str
    attempts: int
    retry_after_ms: int | None
    tokens: int


@dataclass
class Outcome:
    answers: list[Answer] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def statuses(self) -> Counter[int]:
        return Counter(answer.status for answer in self.answers)


class Caller:
    """Sends one request after the other on a connection of its own."""

    def __init__(self, address: str, key: str):
        host, port = address.removeprefix("http://").split(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=60)
        self._key = key

    def ask(self, body: dict[str, object], path: str = "/openai/v1/chat/completions") -> Answer:
        started = time.monotonic()
        headers = {"api-key": self._key, "content-type": "application/json"}
        self._connection.request("POST", path, json.dumps(body), headers)
        response = self._connection.getresponse()
        text = response.read()
        wait = response.getheader("retry-after-ms")
        usage = json.loads(text).get("usage") or {} if response.status == 200 else {}
        return Answer(
            started,
            time.monotonic() - started,
            response.status,
            response.getheader("x-sluice-deployment") or "",
            int(response.getheader("x-sluice-attempts") or 0),
            int(wait) if wait else None,
            usage.get("total_tokens", 0),
        )


def run(targets: list[str], key: str, body: dict[str, object], rate: float, seconds: float) -> Outcome:
    """`rate` requests a second, each due at its time whatever became of those before it."""
    outcome = Outcome()
    lock = threading.Lock()
    start = time.monotonic()
    count = int(rate * seconds)
    due = iter(range(count))

    def work(number: int) -> None:
        caller = Caller(targets[number % len(targets)], key)
        while True:
            with lock:
                index = next(due, None)
            if index is None:
                return
            time.sleep(max(0.0, start + index / rate - time.monotonic()))
            try:
                answer = caller.ask(body)
            except (OSError, http.client.HTTPException) as error:
                with lock:
                    outcome.errors[type(error).__name__] += 1
                caller = Caller(targets[number % len(targets)], key)
                continue
            with lock:
                outcome.answers.append(answer)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(min(MOST_THREADS, count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome
