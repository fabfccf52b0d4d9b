"""Callers that write down what they asked for and what they got, exchange by exchange."""

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass

from bench.books.fleet import KEY

JSON = "application/json"


@dataclass(slots=True)
class Exchange:
    """What a caller knows of one exchange."""

    caller: int
    gateway: int
    model: str
    kind: str
    # What mock-azure was told to report: its books and the gateway's have to say the same.
    prompt: int
    output: int
    start: float
    end: float = 0.0
    # `answered`; `left`: by this caller; `cut`: the answer ended early; `broken`: no answer; `unreached`: nobody took it
    outcome: str = ""
    status: int = 0
    # By which its event is known: Azure's id of the answer, or the gateway's own of an answer that it gave itself.
    azure_id: str = ""
    gateway_id: str = ""
    deployment: str = ""
    attempts: int = 0

    @property
    def tokens(self):
        """What is to be booked, if Azure reports it."""
        return (self.prompt, self.output) if self.status == 200 else (0, 0)

    def __str__(self):
        return (f"team-{self.caller} at gateway {self.gateway}, {self.kind} to {self.deployment or self.model}, "
                f"{self.outcome} {self.status or ''} {self.tokens if self.status else (self.prompt, self.output)}")


class Load:
    """Each caller has one connection to one gateway, and one request at a time."""

    KINDS = ["plain", "plain", "stream", "stream", "embed", "fault", "fault", "error", "reply", "leave", "cut", "silent"]

    def __init__(self, fleet, pause):
        self.fleet, self.pause, self.ends = fleet, pause, threading.Event()
        self.exchanges = [[] for _ in range(fleet.clients)]
        self.problems = []
        self.threads = [threading.Thread(target=self.run, args=(caller,)) for caller in range(fleet.clients)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ends.set()
        for thread in self.threads:
            thread.join(timeout=60)

    def run(self, caller):
        dice = random.Random(caller)
        gateway = caller % len(self.fleet.gateways)
        connection = None
        while not self.ends.is_set():
            exchange, path, body = self.draw(caller, gateway, dice)
            self.exchanges[caller].append(exchange)
            try:
                if not connection:
                    connection = http.client.HTTPConnection("127.0.0.1", self.fleet.gateways[gateway], timeout=30)
                    connection.connect()
            except OSError:
                exchange.outcome, exchange.end = "unreached", time.time()
                connection = None
                time.sleep(0.05)
                continue
            try:
                keeps = self.ask(connection, exchange, path, body, dice)
            except (OSError, http.client.HTTPException):
                exchange.outcome = "cut" if exchange.kind == "cut" and exchange.status else "broken"
                keeps = False
            except (ValueError, KeyError) as error:
                exchange.outcome = "answered"
                self.problems.append(f"{exchange}: the answer cannot be read: {error!r}")
                keeps = False
            exchange.end = time.time()
            if not keeps:
                connection.close()
                connection = None
            self.ends.wait(dice.random() * 2 * self.pause)

    def draw(self, caller, gateway, dice):
        kind = dice.choice(self.KINDS)
        prompt, output = dice.randint(1, 900), dice.randint(1, 60)
        orders = [f"prompt-tokens={prompt}", f"tokens={output}"]
        model = {"embed": "embed", "fault": "fault", "error": "error", "reply": "reply"}.get(kind)
        model = model or ("left" if kind in ("leave", "cut", "silent") else "chat")
        path, streams = "/openai/v1/chat/completions", kind not in ("plain", "embed")
        body = {"model": model, "max_tokens": output, "messages": [{"role": "user", "content": "word " * (prompt // 9)}]}
        if kind in ("fault", "error", "reply"):
            streams = dice.random() < 0.5
        if kind == "error":
            orders.append(dice.choice(["status=400", "status=429,retry-after-ms=20", "tokens=" + str(output)]))
        elif kind == "leave":
            orders.append("interval=20")
        elif kind == "cut":
            orders.append(f"truncate={dice.randint(1, 2000)},interval=2")
        elif kind == "silent":
            orders.append("no-usage")
        elif kind == "embed":
            path, output = "/openai/v1/embeddings", 0
            body = {"model": model, "input": "word " * (prompt // 9)}
        elif kind == "reply":
            path = "/openai/v1/responses"
            body = {"model": model, "max_output_tokens": output, "input": "word " * (prompt // 9), "store": False}
        body["user"] = "mock:" + ",".join(orders)
        if streams:
            body["stream"] = True
            if path.endswith("completions") and dice.random() < 0.5:
                body["stream_options"] = {"include_usage": True}
        exchange = Exchange(caller, gateway, model, kind, prompt, output, time.time())
        return exchange, path, json.dumps(body)

    def ask(self, connection, exchange, path, body, dice):
        """Returns whether the connection can be used again."""
        connection.request("POST", path, body, {"content-type": JSON, "api-key": f"{KEY}-{exchange.caller}"})
        answer = connection.getresponse()
        exchange.status = answer.status
        exchange.azure_id = answer.getheader("apim-request-id") or ""
        exchange.gateway_id = answer.getheader("x-request-id") or ""
        exchange.deployment = (answer.getheader("x-sluice-deployment") or "").rpartition("/")[2]
        exchange.attempts = int(answer.getheader("x-sluice-attempts") or 0)
        if exchange.kind == "leave" and answer.status == 200:
            answer.read1(dice.randint(1, 400))
            exchange.outcome = "left"
            return False
        text = answer.read()
        exchange.outcome = "answered"
        if answer.status == 200:
            self.check(exchange, text, answer.getheader("content-type") or "")
        return not answer.will_close

    def check(self, exchange, text, kind):
        """What the caller itself can read of its usage has to be what mock-azure was told to report."""
        if exchange.kind in ("silent", "cut"):
            return
        reported = None
        if kind.startswith(JSON):
            reported = json.loads(text)["usage"]
        else:
            for line in text.decode().splitlines():
                if line.startswith("data: {") and '"usage":{' in line:
                    event = json.loads(line.removeprefix("data: "))
                    reported = event.get("usage") or event["response"]["usage"]
        if reported is None:
            return
        seen = (reported.get("prompt_tokens", reported.get("input_tokens")),
                reported.get("completion_tokens", reported.get("output_tokens", 0)))
        if seen != exchange.tokens:
            self.problems.append(f"{exchange}: its caller read {seen}")
