"""Do the books agree? Mixed load through several gateways with a real Redis, then three books are compared.

    python3 -m bench.books --binaries DIR [--seconds N] [--replicas N] [--kill]

The load has plain and streamed chats, embeddings, deployments that refuse and fail, clients that leave, and with --kill one
`kill -9` of a gateway, which is then started again. The books: the usage events of all gateways (JSON lines), the usage counters
in Redis, and `/mock/stats` of the stand-in for Azure. For exchanges that completed they must be equal, to the token. What may
differ is what docs/usage.md names, each within its bound. Exit status 0 if all holds, 1 if not.
"""

import argparse
import http.client
import json
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter

from bench.books.ports import free_port

KEY, AZURE_KEY = "books-key", "books-azure-key"
# What a killed gateway may have had on its way to the spool, in seconds.
EVENTS_AT_RISK = 1.0


class Fleet:
    """Redis, a stand-in for Azure and gateways; ended by their ids."""

    def __init__(self, binaries, replicas, folder):
        self.binaries, self.folder = pathlib.Path(binaries), pathlib.Path(folder)
        self.redis_port, self.mock_port = free_port(), free_port()
        self.programs = {}
        self.start("redis", ["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "",
                             "--appendonly", "no", "--dir", str(self.folder)])
        # The first refuses a part of the requests, so that they move on.
        self.start("mock", [str(self.binaries / "mock-azure"), "--listen", f"127.0.0.1:{self.mock_port}",
                            "--api-key", AZURE_KEY, "--deployment", "gpt-4o,rpm=900,rpm-window=1",
                            "--deployment", "gpt-4o-second", "--deployment", "gpt-4o-weak", "--deployment", "gpt-4o-worse", "--deployment", "gpt-4o-left",
                            "--deployment", "text-embedding-3-small"])
        self.until(lambda: self.redis("PING") == "PONG", "redis")
        self.until(self.stats, "mock-azure")
        self.gateways = []
        for number in range(replicas):
            self.gateways.append(free_port())
            self.start_gateway(number)

    def start(self, name, command):
        log = (self.folder / f"{name}.log").open("ab")
        self.programs[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                               stderr=subprocess.STDOUT, start_new_session=True)

    def start_gateway(self, number):
        file = self.folder / f"gateway-{number}.yaml"
        endpoint = f"http://127.0.0.1:{self.mock_port}"
        file.write_text(f"""\
listen: 127.0.0.1:{self.gateways[number]}
admin: 127.0.0.1:0
server: {{drain: {{lame_duck: 0s, grace: 10s}}}}
coordination: {{redis: "redis://127.0.0.1:{self.redis_port}", deadline: 500ms}}
clients:
  - {{name: team-0, api_keys: [{KEY}-0], limits: {{tokens_per_minute: 100M}}}}
  - {{name: team-1, api_keys: [{KEY}-1]}}
endpoints:
  - {{name: main, url: "{endpoint}", api_key: {AZURE_KEY}}}
models:
  - name: chat
    deployments:
      - {{endpoint: main, deployment: gpt-4o, tier: 1}}
      - {{endpoint: main, deployment: gpt-4o-second, tier: 2}}
  - name: fault
    deployments:
      - {{endpoint: main, deployment: gpt-4o-weak, tier: 1}}
      - {{endpoint: main, deployment: gpt-4o-worse, tier: 2}}
  - {{name: left, deployments: [{{endpoint: main, deployment: gpt-4o-left}}]}}
  - {{name: embed, deployments: [{{endpoint: main, deployment: text-embedding-3-small}}]}}
usage:
  spool: {self.folder}/spool
  sinks:
    - {{type: jsonl, directory: "{self.folder}/events"}}
    - {{type: csv, directory: "{self.folder}/csv"}}
""")
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

    def stats(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.mock_port, timeout=5)
            connection.request("GET", "/mock/stats")
            return json.loads(connection.getresponse().read())
        except OSError:
            return None

    def kill(self, number):
        program = self.programs[f"gateway-{number}"]
        program.send_signal(signal.SIGKILL)
        program.wait()

    def stop_gateways(self):
        for name, program in self.programs.items():
            if name.startswith("gateway-"):
                program.send_signal(signal.SIGTERM)
        for name, program in self.programs.items():
            if name.startswith("gateway-") and program.wait(timeout=40) != 0:
                raise SystemExit(f"{name} ended with {program.returncode}; its log is in {self.folder}")

    def stop(self):
        for program in self.programs.values():
            if program.poll() is None:
                program.kill()
                program.wait()


class Load:
    """Clients that each have one connection and one request at a time."""

    def __init__(self, fleet, clients):
        self.fleet, self.ends = fleet, threading.Event()
        self.lock = threading.Lock()
        self.statuses = Counter()
        # (gateway, when it ended or None, tokens): what could be lost by a kill.
        self.exchanges = []
        self.broken = 0
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ends.set()
        for thread in self.threads:
            thread.join(timeout=60)

    def run(self, number):
        dice = random.Random(number)
        gateway = number % len(self.fleet.gateways)
        connection = None
        while not self.ends.is_set():
            connection = connection or http.client.HTTPConnection("127.0.0.1", self.fleet.gateways[gateway], timeout=30)
            try:
                if not self.ask(connection, gateway, number, dice):
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException):
                with self.lock:
                    self.broken += 1
                connection.close()
                connection = None
                time.sleep(0.05)

    def ask(self, connection, gateway, number, dice):
        """Returns whether the connection can be used again."""
        kind = dice.choice(["plain", "plain", "stream", "stream", "embed", "fault", "left"])
        body = {"model": "chat", "max_tokens": dice.randint(5, 40),
                "messages": [{"role": "user", "content": "word " * dice.randint(1, 50)}]}
        path = "/openai/v1/chat/completions"
        if kind == "embed":
            body, path = {"model": "embed", "input": "word " * dice.randint(1, 50)}, "/openai/v1/embeddings"
        elif kind == "stream":
            body |= {"stream": True}
            if dice.random() < 0.5:
                body |= {"stream_options": {"include_usage": True}}
        elif kind == "fault":
            body |= {"model": "fault", "user": "mock:" + dice.choice(["status=500", "status=503", "status=429,retry-after-ms=20",
                                                    "status=400", "reset=head"])}
        elif kind == "left":
            body |= {"model": "left", "stream": True, "max_tokens": 400, "user": "mock:interval=20"}
        connection.request("POST", path, json.dumps(body),
                           {"content-type": "application/json", "api-key": f"{KEY}-{number % 2}"})
        answer = connection.getresponse()
        if kind == "left":
            answer.read1(50)
            return False
        answer.read()
        with self.lock:
            self.statuses[answer.status] += 1
            self.exchanges.append((gateway, time.monotonic()))
        return not answer.will_close


def events_of(folder):
    """All events, and how many came twice."""
    events, twice = {}, 0
    for file in sorted(pathlib.Path(folder).glob("*.jsonl")):
        for line in file.read_text().splitlines():
            event = json.loads(line)
            twice += event["id"] in events
            events[event["id"]] = event
    return events, twice


def counters_of(fleet):
    """Counters in Redis by deployment."""
    sums = {}
    for key in fleet.redis("KEYS", "*:u:*").splitlines():
        lines = fleet.redis("HGETALL", key).splitlines()
        for name, value in zip(lines[::2], lines[1::2]):
            line, counter = name.rsplit(":", 1)
            sums.setdefault(line.rsplit("/", 1)[1], Counter())[counter] += int(value)
    return sums


class Verdict:
    def __init__(self):
        self.failed = False

    def check(self, holds, what):
        print(("ok    " if holds else "WRONG ") + what)
        self.failed |= not holds


def compare(fleet, load, killed):
    verdict = Verdict()
    events, twice = events_of(fleet.folder / "events")
    stats, counters = fleet.stats(), counters_of(fleet)
    verdict.check(twice == 0, f"{len(events)} events, {twice} of them twice")
    rows = sum(max(0, len(file.read_text().splitlines()) - 1) for file in (fleet.folder / "csv").glob("*.csv"))
    answered = sum(bool(event["attempts"]) and event["attempts"][-1]["status"] > 0 for event in events.values())
    verdict.check(rows == answered, f"PowerProxy's columns: {rows} rows for {answered} answers of Azure")
    # A kill can cost the events of a second, and the exchanges that ran: one a client.
    at_risk = 0
    if killed:
        number, moment = killed
        clients = sum(1 for index in range(len(load.threads)) if index % len(fleet.gateways) == number)
        at_risk = clients + sum(1 for gateway, end in load.exchanges
                                if gateway == number and moment - EVENTS_AT_RISK <= end <= moment)
    completed = sum(1 for event in events.values() if event["status"] != 499)
    missing = sum(load.statuses.values()) - completed
    verdict.check(missing <= at_risk, f"{sum(load.statuses.values())} answers, {completed} in events: {max(missing, 0)} "
                  f"missing, at most {at_risk} may be")
    for deployment in sorted(set(counters) | set(stats["tokens"]["by_deployment"])):
        mine = [event for event in events.values() if event.get("deployment") == deployment]
        event_sum = (sum(event["tokens"]["input"] for event in mine), sum(event["tokens"]["output"] for event in mine))
        counted = counters.get(deployment, Counter())
        counter_sum = (counted["in"], counted["out"])
        azure = stats["tokens"]["by_deployment"].get(deployment, {"prompt": 0, "completion": 0})
        azure_sum = (azure["prompt"], azure["completion"])
        text = f"{deployment}: events {event_sum}, Redis {counter_sum}, Azure {azure_sum}"
        if deployment == "gpt-4o-left":
            left = [event for event in mine if event["status"] == 499]
            estimated = sum(event["estimated"] for event in left)
            verdict.check(len(left) > 0 and estimated > 0, f"{len(left)} clients left, {estimated} of them estimated")
            if not killed:
                verdict.check(event_sum == counter_sum, text + " (estimated: not Azure's)")
        elif not killed:
            verdict.check(event_sum == counter_sum == azure_sum, text)
        else:
            most = at_risk * 200
            lost = [azure_sum[0] - event_sum[0], azure_sum[1] - event_sum[1],
                    azure_sum[0] - counter_sum[0], azure_sum[1] - counter_sum[1]]
            verdict.check(all(0 <= tokens <= most for tokens in lost), f"{text}: missing {lost}, each 0 to {most}")
    print(f"statuses {dict(load.statuses)}, {load.broken} connections broken, "
          f"{sum(1 for event in events.values() if len(event['attempts']) > 1)} exchanges took another deployment")
    return not verdict.failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", required=True)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--replicas", type=int, default=4)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-books-") as folder:
        fleet = Fleet(options.binaries, options.replicas, folder)
        try:
            load = Load(fleet, options.clients)
            killed = None
            if options.kill:
                time.sleep(options.seconds / 2)
                number = options.replicas - 1
                moment = time.monotonic()
                fleet.kill(number)
                killed = (number, moment)
                fleet.start_gateway(number)
                time.sleep(options.seconds / 2)
            else:
                time.sleep(options.seconds)
            load.stop()
            fleet.until(lambda: fleet.stats()["requests"]["open"] == 0, "the last requests")
            fleet.stop_gateways()
            # What a sink had not taken when its gateway ended goes out with the next start.
            for number in range(options.replicas):
                fleet.start_gateway(number)
            fleet.stop_gateways()
            holds = compare(fleet, load, killed)
        finally:
            fleet.stop()
    print("the books agree" if holds else "THE BOOKS DO NOT AGREE")
    sys.exit(0 if holds else 1)


main()
