"""Redis, a stand-in for Azure, an endpoint that only fails, and gateways; ended by their ids."""

import contextlib
import http.client
import json
import pathlib
import random
import signal
import socket
import struct
import subprocess
import threading
import time
from collections import Counter
from urllib.parse import unquote

from bench.books.ports import free_port

KEY, AZURE_KEY = "books-key", "books-azure-key"
# Deployments whose exchanges may be estimated: clients leave there, and streams end early or without a usage.
ESTIMATED = "gpt-4o-left"


class FailingEndpoint:
    """An Azure that is down: it answers 500 or 503, or ends the connection, before or after the request."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.dice = random.Random(7)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.fail, args=(connection,), daemon=True).start()

    def fail(self, connection):
        with contextlib.suppress(OSError), connection:
            way = self.dice.choice(["500", "503", "reset", "refuse"])
            if way == "refuse":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            connection.settimeout(5)
            received = b""
            while b"\r\n\r\n" not in received:
                piece = connection.recv(65536)
                if not piece:
                    return
                received += piece
            if way != "reset":
                connection.sendall(f"HTTP/1.1 {way} X\r\ncontent-type: application/json\r\ncontent-length: 2\r\n"
                                   "connection: close\r\n\r\n{}".encode())
                with contextlib.suppress(OSError):
                    connection.recv(65536)

    def stop(self):
        self.socket.close()


class Fleet:
    def __init__(self, binaries, replicas, clients, folder):
        self.binaries, self.folder, self.clients = pathlib.Path(binaries), pathlib.Path(folder), clients
        self.redis_port, self.mock_port = free_port(), free_port()
        self.programs = {}
        self.failing = FailingEndpoint()
        self.start("redis", ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "",
                             "--appendonly", "no", "--dir", str(self.folder)])
        # Two have less than they are asked for, so that requests move on to the next.
        deployments = ["gpt-4o,rpm=900,rpm-window=1", "gpt-4o-second", "gpt-4o-weak,rpm=600,rpm-window=1",
                       "gpt-4o-worse", "gpt-4o-error", "gpt-4o-reply", ESTIMATED, "text-embedding-3-small"]
        command = [str(self.binaries / "mock-azure"), "--listen", f"127.0.0.1:{self.mock_port}", "--api-key", AZURE_KEY]
        self.start("mock", command + [word for name in deployments for word in ("--deployment", name)])
        self.until(lambda: self.redis("PING") == "PONG", "redis")
        self.until(self.stats, "mock-azure")
        self.gateways = []
        for number in range(replicas):
            self.gateways.append(free_port())
            self.start_gateway(number)

    def start(self, name, command):
        with (self.folder / f"{name}.log").open("ab") as log:
            self.programs[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                                   stderr=subprocess.STDOUT, start_new_session=True)

    def configuration(self, number):
        """Each caller is a client of its own, so that the counters in Redis tell what each of them used."""
        limits = ", limits: {tokens_per_minute: 100M}"
        clients = "\n".join(f"  - {{name: team-{caller}, api_keys: [{KEY}-{caller}]{limits if caller % 2 else ''}}}"
                            for caller in range(self.clients))
        return f"""\
listen: 127.0.0.1:{self.gateways[number]}
admin: 127.0.0.1:0
server: {{drain: {{lame_duck: 0s, grace: 10s}}}}
coordination: {{redis: "redis://127.0.0.1:{self.redis_port}", deadline: 1s}}
clients:
{clients}
endpoints:
  - {{name: main, url: "http://127.0.0.1:{self.mock_port}", api_key: {AZURE_KEY}}}
  - {{name: down, url: "http://127.0.0.1:{self.failing.port}", api_key: {AZURE_KEY}}}
models:
  - name: chat
    deployments: [{{endpoint: main, deployment: gpt-4o, tier: 1}}, {{endpoint: main, deployment: gpt-4o-second, tier: 2}}]
  - name: fault
    deployments:
      - {{endpoint: down, deployment: gpt-4o-gone, tier: 1}}
      - {{endpoint: main, deployment: gpt-4o-weak, tier: 2}}
      - {{endpoint: main, deployment: gpt-4o-worse, tier: 3}}
  - {{name: error, deployments: [{{endpoint: main, deployment: gpt-4o-error}}]}}
  - {{name: reply, deployments: [{{endpoint: main, deployment: gpt-4o-reply}}]}}
  - {{name: left, deployments: [{{endpoint: main, deployment: {ESTIMATED}}}]}}
  - {{name: embed, deployments: [{{endpoint: main, deployment: text-embedding-3-small}}]}}
usage:
  spool: {self.folder}/spool
  sinks:
    - {{type: jsonl, directory: "{self.folder}/events"}}
    - {{type: csv, directory: "{self.folder}/csv"}}
"""

    def start_gateway(self, number):
        file = self.folder / f"gateway-{number}.yaml"
        file.write_text(self.configuration(number))
        self.start(f"gateway-{number}", [str(self.binaries / "sluice"), "serve", "--config", str(file)])
        self.until(lambda: self.answers(self.gateways[number]), f"gateway {number}")

    def answers(self, port):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/health/front-door")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def until(self, condition, what, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"waited in vain for {what}; logs are in {self.folder}")
            time.sleep(0.05)

    def redis(self, *words):
        try:
            return subprocess.run(["redis-cli", "-p", str(self.redis_port), *words], capture_output=True, text=True,
                                  timeout=10, check=True).stdout.strip()
        except subprocess.CalledProcessError:
            return ""

    def counters(self):
        """By client, model and deployment, over all days."""
        sums = {}
        for key in self.redis("KEYS", "*:u:*").splitlines():
            lines = self.redis("HGETALL", key).splitlines()
            for field, value in zip(lines[::2], lines[1::2], strict=True):
                line, counter = field.rsplit(":", 1)
                model, _, deployment = (unquote(name) for name in line.split("/"))
                place = (unquote(key.rsplit(":", 1)[1]), model, deployment)
                sums.setdefault(place, Counter())[counter] += int(value)
        return sums

    def stats(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.mock_port, timeout=5)
            connection.request("GET", "/mock/stats")
            return json.loads(connection.getresponse().read())
        except OSError:
            return None

    def kill(self, number):
        """Between the two times that are returned it stopped being."""
        program = self.programs[f"gateway-{number}"]
        before = time.time()
        program.send_signal(signal.SIGKILL)
        program.wait()
        return before, time.time()

    def stop_gateways(self):
        for name, program in self.programs.items():
            if name.startswith("gateway-"):
                program.send_signal(signal.SIGTERM)
        for name, program in self.programs.items():
            if name.startswith("gateway-") and program.wait(timeout=40) != 0:
                raise SystemExit(f"{name} ended with {program.returncode}; its log is in {self.folder}")

    def stop(self):
        self.failing.stop()
        for program in self.programs.values():
            if program.poll() is None:
                program.kill()
                program.wait()
