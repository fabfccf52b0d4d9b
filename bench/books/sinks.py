"""Can a sink slow an exchange? p99 of exchanges with sinks that are blocked, slow, failing, or on a full disk, and without any.

    python3 -m bench.books.sinks --binaries DIR [--seconds N] [--rounds N] [--rate N]

Two gateways take the same load in turns: one without usage events, one with every kind of sink. For each trouble the sinks of the
second are brought into it, and both are measured. Then the trouble ends, and every sink must have every event: none twice, none
missing. As root, in a mount namespace: the full disk is a small tmpfs. Exit status 0 if all holds, 1 if not.

The bar is taken from the same run: the p99 in trouble is above neither the one without trouble nor the one without usage events by
more than what rounds without trouble differ among themselves, and a millisecond.
"""

import argparse
import csv
import http.client
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from bench.books.ports import free_port

KEY, AZURE_KEY = "sinks-key", "sinks-azure-key"
ROOT = pathlib.Path(__file__).resolve().parents[2]
# A disk of its own for the gateway, small enough to be filled.
OWN_DISK = 'mkdir -p "$0" && mount -t tmpfs -o size=32m tmpfs "$0" && exec "$@"'
TROUBLES = {
    "blocked": "nobody reads standard output, and the table's calls hang",
    "slow": "standard output is read for 5 ms of each half second, and each of the table's calls takes two seconds",
    "failing": "the table answers 503",
    "disk full": "the disk of the CSV and JSON files is full",
    "spool's disk full": "the disk of the spool is full as well, so that events wait in memory",
}


class Reader:
    """Of the gateway's standard output: `cat`, which can be stopped, or slowed."""

    def __init__(self, pipe, file):
        with file.open("wb") as output:
            self.program = subprocess.Popen(["cat"], stdin=pipe, stdout=output)
        self.is_slow = threading.Event()
        threading.Thread(target=self.now_and_then, daemon=True).start()

    def now_and_then(self):
        while True:
            self.is_slow.wait()
            self.program.send_signal(signal.SIGCONT)
            time.sleep(0.005)
            self.program.send_signal(signal.SIGSTOP)
            time.sleep(0.495)

    def stop(self):
        self.program.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.is_slow.clear()
        time.sleep(0.6)
        self.program.send_signal(signal.SIGCONT)


class World:
    def __init__(self, options, folder):
        self.options, self.binaries, self.folder = options, pathlib.Path(options.binaries), pathlib.Path(folder)
        self.programs = []
        self.sent = 0
        self.mock_port = free_port()
        self.start("mock", [str(self.binaries / "mock-azure"), "--listen", f"127.0.0.1:{self.mock_port}", "--api-key",
                            AZURE_KEY, "--deployment", "*"])
        self.until("mock-azure", lambda: self.get(self.mock_port, "/mock/stats"))
        log = self.folder / "ingestion.log"
        self.start("ingestion", [sys.executable, str(ROOT / "Tests/IntegrationTests/python/logs_ingestion.py")])
        self.until("the stand-in for Log Analytics", lambda: "listening on" in log.read_text())
        self.table_port = int(log.read_text().split()[-1])
        self.ports = {"without": free_port(), "with": free_port()}
        self.admin = {"without": free_port(), "with": free_port()}
        self.without = self.start("without", self.command("without", ""))
        self.disk, self.spool_disk = self.folder / "disk", self.folder / "spool"
        self.gateway = self.start_with_sinks()
        for port in self.ports.values():
            self.until("a gateway", lambda port=port: self.get(port, "/health/front-door") is not None)

    def start(self, name, command, **more):
        with (self.folder / f"{name}.log").open("ab") as log:
            program = subprocess.Popen(command, stdin=subprocess.DEVNULL, **({"stdout": log, "stderr": log} | more))
        self.programs.append(program)
        return program

    def command(self, name, usage):
        file = self.folder / f"{name}.yaml"
        file.write_text(f"""\
listen: 127.0.0.1:{self.ports[name]}
admin: 127.0.0.1:{self.admin[name]}
server: {{threads: 1, drain: {{lame_duck: 0s, grace: 5s}}}}
log: {{access: false}}
clients: [{{name: team, api_keys: [{KEY}]}}]
endpoints: [{{name: main, url: "http://127.0.0.1:{self.mock_port}", api_key: {AZURE_KEY}}}]
models: [{{name: chat, deployments: [{{endpoint: main, deployment: gpt-4o}}]}}]
{usage}""")
        return [str(self.binaries / "sluice"), "serve", "--config", str(file)]

    def start_with_sinks(self):
        usage = f"""\
usage:
  spool: {self.spool_disk}/spool
  sinks:
    - {{type: console}}
    - {{type: csv, directory: "{self.disk}/csv", columns: extended}}
    - {{type: jsonl, directory: "{self.disk}/events"}}
    - type: log_analytics
      endpoint: http://127.0.0.1:{self.table_port}
      rule: dcr-{'0' * 32}
      stream: Custom-AzureOpenAIUsage_PP_CL
      managed_identity: {{}}
"""
        command = self.command("with", usage)
        mount = ["unshare", "-m", "--propagation", "private", "/bin/sh", "-c", OWN_DISK]
        reading, writing = os.pipe()
        with (self.folder / "with.log").open("ab") as log:
            environment = os.environ | {"IDENTITY_ENDPOINT": f"http://127.0.0.1:{self.table_port}/msi/token",
                                        "IDENTITY_HEADER": "secret"}
            program = self.start("with", [*mount, str(self.disk), *mount[-3:], str(self.spool_disk), *command],
                                 stdout=writing, stderr=log, env=environment)
        self.console = Reader(reading, self.folder / "console.txt")
        self.programs.append(self.console.program)
        os.close(reading)
        os.close(writing)
        return program

    def seen(self, folder):
        """A folder as the gateway sees it, whose disks nobody else has."""
        return pathlib.Path(f"/proc/{self.gateway.pid}/root{folder}")

    def get(self, port, path, method="GET", body=None):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request(method, path, body)
            return connection.getresponse().read().decode()
        except OSError:
            return None

    def metric(self, name, label=""):
        lines = (self.get(self.admin["with"], "/metrics") or "").splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.startswith((name + " ", name + "{")) and label in line)

    def until(self, what, condition, seconds=120):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"waited in vain for {what}")
            time.sleep(0.05)

    def is_true(self, condition, seconds=40):
        """Whether it comes true in time."""
        end = time.monotonic() + seconds
        while not (holds := condition()) and time.monotonic() < end:
            time.sleep(0.1)
        return holds

    def stop(self):
        self.console.go_on()
        for program in self.programs:
            if program.poll() is None:
                program.kill()
                program.wait()

    # Load

    def measure(self, name):
        """The p99 of a round, in milliseconds, from when each request was to be sent."""
        requests = [{"name": "plain", "share": 3, "model": "chat", "max_tokens": 20, "prompt_tokens": 50},
                    {"name": "stream", "model": "chat", "stream": True, "max_tokens": 20, "prompt_tokens": 50}]
        scenario = {"name": "sinks", "loops": 1, "warm_up": "500ms", "connections": 32, "requests": requests,
                    "load": {"open": {"arrivals": "poisson",
                                      "phases": [{"rate": self.options.rate, "for": f"{self.options.seconds + 0.5:g}s"}]}},
                    "clients": [{"name": "team", "key": KEY}], "fail_if": ["errors>0"]}
        file, result = self.folder / "scenario.yaml", self.folder / "result.json"
        file.write_text(json.dumps(scenario))
        before = json.loads(self.get(self.mock_port, "/mock/stats"))["requests"]["total"]
        done = subprocess.run([str(self.binaries / "sluice-load"), "run", str(file), "--quiet", "--json", str(result),
                               "--target", f"http://127.0.0.1:{self.ports[name]}"], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise SystemExit(f"sluice-load ended with {done.returncode}: {done.stdout}{done.stderr}")
        if name == "with":
            # What reached Azure; the load tool's own question, which is no exchange of a deployment, has an event too.
            self.sent += json.loads(self.get(self.mock_port, "/mock/stats"))["requests"]["total"] - before
        return json.loads(result.read_text())["total"]["latency"]["p99"]

    # Trouble

    def mode(self, mode):
        self.get(self.table_port, "/mode", "POST", mode)

    def fill(self, folder):
        with open(self.seen(folder) / "ballast", "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"0" * 65536)
            except OSError:
                pass

    def begin(self, trouble):
        if trouble == "blocked":
            self.console.stop()
            self.mode("hang")
        elif trouble == "slow":
            self.console.is_slow.set()
            self.mode("slow")
        elif trouble == "failing":
            self.mode("fail")
        elif trouble == "disk full":
            self.fill(self.disk)
        else:
            self.fill(self.disk)
            self.fill(self.spool_disk)

    def is_felt(self, trouble):
        """Whether the sinks are in trouble at all: without that it would prove nothing."""
        failures = "sluice_usage_sink_failures_total"
        waiting = (self.console_blocks() < self.sent, len(self.rows()) < self.sent)
        if trouble in ("blocked", "slow"):
            return all(waiting) if trouble == "blocked" else any(waiting)
        if trouble == "failing":
            return self.metric(failures, "log-analytics") > 0 and waiting[1]
        if trouble == "disk full":
            return self.metric(failures, "csv") > 0 and self.metric(failures, "jsonl") > 0
        return self.metric("sluice_usage_spool_failures_total") > 0

    def end(self, trouble):
        self.console.go_on()
        self.mode("ok")
        for folder in (self.disk, self.spool_disk):
            self.seen(folder / "ballast").unlink(missing_ok=True)

    # What came

    def lines(self, folder, suffix):
        files = sorted(self.seen(self.disk / folder).glob(f"*.{suffix}"))
        return [line for file in files for line in file.read_text().splitlines()]

    def rows(self):
        return json.loads(self.get(self.table_port, "/rows"))["rows"]

    def ids(self):
        """Of the events that each sink has, by sink."""
        rows = list(csv.DictReader(self.lines("csv", "csv")))
        return {
            "csv": [row["id"] for row in rows if row["id"] != "id"],
            "jsonl": [json.loads(line)["id"] for line in self.lines("events", "jsonl")],
            "log_analytics": [row["EventId"] for row in self.rows()],
        }

    def console_blocks(self):
        text = (self.folder / "console.txt").read_text(errors="replace")
        return text.count("Azure OpenAI Standin Deployment : ")


class Verdict:
    def __init__(self, world):
        self.world, self.failed = world, False

    def check(self, holds, what):
        print(("ok    " if holds else "WRONG ") + what, flush=True)
        self.failed |= not holds

    def drained(self):
        """Waits until every sink has what there was, and looks whether it has it once."""
        world = self.world
        total = int(world.metric("sluice_usage_events_total"))

        def have_all():
            return (len(world.lines("events", "jsonl")) >= total
                    and all(len(found) >= world.sent for found in world.ids().values())
                    and world.console_blocks() >= world.sent)

        world.is_true(have_all, seconds=120)
        ids = world.ids()
        for sink, found in ids.items():
            twice = len(found) - len(set(found))
            missing = len(set(ids["jsonl"]) - set(found)) if sink == "csv" else world.sent - len(set(found))
            self.check(twice == 0 and missing <= 0, f"      {sink}: {len(found)} events, {twice} twice, {max(0, missing)} missing")
        self.check(len(set(ids["jsonl"])) == total, f"      all {total} events that the gateway made are there")
        blocks = world.console_blocks()
        self.check(blocks == world.sent, f"      console: {blocks} of {world.sent} exchanges")
        lost = world.metric("sluice_usage_events_lost_total") + world.metric("sluice_usage_sink_lost_total")
        self.check(lost == 0, f"      {lost:.0f} events counted as lost")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", required=True)
    parser.add_argument("--seconds", type=float, default=6, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=150, help="requests a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sluice-sinks-") as folder:
        world = World(options, folder)
        verdict = Verdict(world)
        try:
            world.measure("without"), world.measure("with")  # warm
            calm = {name: [] for name in ("without", "with")}
            for _ in range(options.rounds + 1):
                for name, found in calm.items():
                    found.append(world.measure(name))
            for name, found in calm.items():
                print(f"{name} sinks, no trouble: p99 {statistics.median(found):.2f} ms ({min(found):.2f} to {max(found):.2f})")
            verdict.drained()
            for trouble, meaning in TROUBLES.items():
                world.begin(trouble)
                found = []
                for _ in range(options.rounds):
                    calm["without"].append(world.measure("without"))
                    found.append(world.measure("with"))
                verdict.check(world.is_true(lambda trouble=trouble: world.is_felt(trouble)), f"{trouble}: {meaning}")
                world.end(trouble)
                noise = max(max(values) - min(values) for values in calm.values())
                bar = max(statistics.median(values) for values in calm.values()) + noise + 1
                p99 = statistics.median(found)
                verdict.check(p99 <= bar, f"      p99 {p99:.2f} ms ({min(found):.2f} to {max(found):.2f}), bar {bar:.2f} ms")
                verdict.drained()
        finally:
            world.stop()
    print("no sink slows an exchange, and none loses an event" if not verdict.failed else "THE SINKS DO NOT HOLD")
    sys.exit(verdict.failed)


main()
