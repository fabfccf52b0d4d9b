"""Gateways that differ in what they record, a stand-in for Azure behind them, and a load that is the same for each."""

import http.server
import os
import selectors
import socket
import subprocess
import threading
import time
from pathlib import Path

KEY = "key-of-team-a"
UPSTREAM_KEY = "key-of-the-upstream"
START_SECONDS = 20
ANSWER_SECONDS = 30
CONNECTIONS = 16

# A gateway has a core to itself; load and stand-in have the other.
CORES = sorted(os.sched_getaffinity(0))

# By name: lines of the configuration.
VARIANTS = {
    "nothing": ["log: {access: false}"],
    "nothing again": ["log: {access: false}"],
    "access log": ["log: {access: true}"],
    "csv": ["log: {access: true}", "usage: {{spool: {folder}/spool, sinks: [{{type: csv, directory: {folder}/usage}}]}}"],
    "tracing": ["log: {access: true}", "tracing: {{otlp: 'http://127.0.0.1:{collector}', sampling_ratio: 0.01}}"],
}

BODY = (
    b'{"model":"gpt-4o","messages":[{"role":"system","content":"You are a helpful assistant."},'
    b'{"role":"user","content":"Why is the sky blue?"}],"max_tokens":16}'
)
REQUEST = (
    b"POST /openai/v1/chat/completions HTTP/1.1\r\nhost: gateway\r\napi-key: %b\r\n"
    b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
) % (KEY.encode(), len(BODY), BODY)


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes spans and forgets them."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Machine:
    """Everything that runs; ended when left."""

    def __init__(self, binaries: Path, folder: Path):
        self.binaries, self.folder = binaries, folder
        self.children = []
        self.ports = {}
        self.processes = {}

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _start(self):
        os.sched_setaffinity(0, {CORES[0]})
        self.collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
        threading.Thread(target=self.collector.serve_forever, daemon=True).start()
        mock = self._spawn(
            "mock", [self.binaries / "mock-azure", "--listen", "127.0.0.1:0", "--api-key", UPSTREAM_KEY, "--deployment", "*"]
        )
        log = self.folder / "mock.log"
        line = self._wait("mock-azure", mock, lambda: next((l for l in lines(log) if "listening on" in l), None))
        upstream = int(line.rsplit(":", 1)[1])
        for name, own in VARIANTS.items():
            self._start_gateway(name, own, upstream)

    def _start_gateway(self, name, own, upstream):
        folder = self.folder / name.replace(" ", "-")
        (folder / "usage").mkdir(parents=True)
        (folder / "spool").mkdir()
        values = {"folder": folder, "collector": self.collector.server_address[1]}
        text = "\n".join(
            [
                "listen: 127.0.0.1:0", "admin: 127.0.0.1:0", "server: {threads: 1, drain: {lame_duck: 0s, grace: 1s}}",
                f"clients: [{{name: team-a, api_keys: [{KEY}]}}]",
                f"endpoints: [{{name: west, url: 'http://127.0.0.1:{upstream}', api_key: {UPSTREAM_KEY}}}]",
                "models: [{name: gpt-4o, deployments: [{endpoint: west, deployment: gpt-4o}]}]",
            ]
            + [line.format(**values) if "{{" in line else line for line in own]
        )
        (folder / "sluice.yaml").write_text(text + "\n")
        ports = folder / "ports"
        command = [self.binaries / "sluice", "serve", "--config", folder / "sluice.yaml", "--port-file", ports]
        process = self._spawn(name.replace(" ", "-"), command, core=1)
        found = self._wait(name, process, lambda: lines(ports) if len(lines(ports)) == 2 else None)
        self.processes[name] = process
        self.ports[name] = int(found[0].rsplit(":", 1)[1])

    def _spawn(self, name, command, core=0):
        with (self.folder / f"{name}.log").open("wb") as log:
            child = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        os.sched_setaffinity(child.pid, {CORES[core % len(CORES)]})
        self.children.append(child)
        return child

    def _wait(self, name, process, found):
        end = time.monotonic() + START_SECONDS
        while not (value := found()):
            if process.poll() is not None or time.monotonic() > end:
                log = self.folder / f"{name.replace(' ', '-')}.log"
                raise SystemExit(f"{name} did not come up: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        return value

    def cost(self, name, requests):
        """Microseconds of CPU time for each of so many requests."""
        process = self.processes[name]
        before = cpu_nanoseconds(process.pid)
        send(self.ports[name], requests)
        time.sleep(0.3)  # what is written later belongs to it
        return (cpu_nanoseconds(process.pid) - before) / requests / 1000


def lines(path):
    return path.read_text(errors="replace").splitlines() if path.exists() else []


def cpu_nanoseconds(process):
    total = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total


def send(port, requests):
    """Each of a few connections sends its next request when it has its answer."""
    selector = selectors.DefaultSelector()
    left, answered = requests, 0
    for _ in range(min(CONNECTIONS, requests)):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(REQUEST)
        left -= 1
        selector.register(connection, selectors.EVENT_READ, bytearray())
    while answered < requests:
        events = selector.select(ANSWER_SECONDS)
        if not events:
            raise SystemExit(f"no answer for {ANSWER_SECONDS} seconds")
        for key, _ in events:
            data = key.fileobj.recv(1 << 16)
            if not data:
                raise SystemExit("the gateway closed a connection")
            key.data.extend(data)
            if not is_whole(key.data):
                continue
            if not key.data.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(f"not the answer that was expected: {bytes(key.data[:500])!r}")
            answered += 1
            key.data.clear()
            if left > 0:
                left -= 1
                key.fileobj.sendall(REQUEST)
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    selector.close()


def is_whole(data):
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return False
    fields = bytes(data[:head]).lower()
    if b"transfer-encoding: chunked" in fields:
        return data.endswith(b"\r\n0\r\n\r\n")
    start = fields.index(b"content-length:") + len(b"content-length:")
    return len(data) >= head + 4 + int(fields[start:].split(b"\r\n")[0])
