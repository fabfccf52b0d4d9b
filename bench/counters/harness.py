"""The gateway under the counters, stand-ins for Azure behind it, and loads that send exactly what they are told to."""

import mmap
import os
import re
import selectors
import shutil
import signal
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent

CLIENT_KEY = "key-of-team-a"
UPSTREAM_KEY = "key-of-the-upstream"
START_SECONDS = 60
ANSWER_SECONDS = 30

HEADER = struct.Struct("<16sQQ")
COUNTER = struct.Struct("<32s16sQQQQ")
SITE_HEAD = struct.Struct("<QQQQQ")


def text(raw):
    return raw.rstrip(b"\0").decode()


class Counters:
    """The counters of a process that runs, by name: (calls, sum, refused)."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        magic, self.size, self.number = HEADER.unpack_from(self.memory)
        if text(magic) != "sluice-counts-1" or self.size != COUNTER.size:
            raise SystemExit(f"{path} is no file of these counters: {magic!r}")
        records = [COUNTER.unpack_from(self.memory, self.offset(i)) for i in range(self.number)]
        self.names = [text(record[0]) for record in records]
        self.groups = {text(record[0]): text(record[1]) for record in records}

    def offset(self, index):
        return HEADER.size + index * self.size

    def snapshot(self):
        records = [COUNTER.unpack_from(self.memory, self.offset(i)) for i in range(self.number)]
        return {text(record[0]): record[2:5] for record in records}

    def mark(self, names, on):
        for name in names:
            struct.pack_into("<Q", self.memory, self.offset(self.names.index(name)) + COUNTER.size - 8, int(on))


class Sites:
    """Where the marked counters were counted from: {(counter, frames): (calls, sum)}."""

    def __init__(self, path):
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        magic, self.size, self.number = HEADER.unpack_from(self.memory)
        if text(magic) != "sluice-sites-1":
            raise SystemExit(f"{path} is no file of call sites: {magic!r}")

    def snapshot(self):
        found = {}
        for index in range(self.number):
            offset = HEADER.size + index * self.size
            _, calls, total, counter, depth = SITE_HEAD.unpack_from(self.memory, offset)
            if depth:
                frames = struct.unpack_from(f"<{depth}Q", self.memory, offset + SITE_HEAD.size)
                found[counter, frames] = (calls, total)
        return found


def wait_for(what, process, value):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        found = value()
        if found:
            return found
        if process.poll() is not None:
            raise SystemExit(f"waiting for {what}: the process ended with status {process.returncode}")
        time.sleep(0.01)
    raise SystemExit(f"waited in vain for {what}")


class LockstepUpstream:
    """Streams so many events in one segment, each a chunk of its own, and the next 2 ms after the client has these.

    The gateway is then done with all it had to do, and its counts do not hang on who was faster, even on a machine that
    is busy. mock-azure knows nothing of the client; how many of its writes meet in one segment is left to chance.
    """

    HEAD = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n"
        b"apim-request-id: 55327416-1bbf-4475-ad5b-ca4696b343b3\r\n"
        b"x-request-id: 70d29b6c-7d22-428d-abf2-b716f9915475\r\n"
        b"x-ms-region: East US 2\r\nx-ms-client-request-id: Not-Set\r\nx-ms-deployment-name: gpt-4o\r\n"
        b"x-ms-rai-invoked: true\r\nx-ratelimit-limit-requests: 1000000\r\nx-ratelimit-limit-tokens: 100000000\r\n"
        b"x-ratelimit-remaining-requests: 1000000\r\nx-ratelimit-remaining-tokens: 100000000\r\n"
        b"date: Mon, 23 Nov 2026 21:47:23 GMT\r\n\r\n"
    )
    HARMLESS = b'{"filtered":false,"severity":"safe"}'
    EVENT = (
        b'data: {"choices":[{"content_filter_results":{"hate":%b,"self_harm":%b,"sexual":%b,"violence":%b},'
        b'"delta":{"content":" word"},"finish_reason":null,"index":0,"logprobs":null}],"created":1795470443,'
        b'"id":"chatcmpl-09f1fd9d03f0a9b4","model":"gpt-4o","object":"chat.completion.chunk",'
        b'"system_fingerprint":"fp_0123456789"}\n\n'
    ) % (HARMLESS, HARMLESS, HARMLESS, HARMLESS)
    CHUNK = b"%x\r\n%b\r\n" % (len(EVENT), EVENT)
    END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"

    def __init__(self, tls=None, closes=False):
        self.tls = tls
        self.closes = closes
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        inbox = b""
        while piece := connection.recv(65_536):
            inbox += piece
            head, _, body = inbox.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            if not length or len(body) < int(length[1]):
                continue
            inbox = b""
            events, together = (int(text) for text in re.search(rb"events=(\d+),together=(\d+)", body).groups())
            group = self.CHUNK * together
            start = self.HEAD.replace(b"date:", b"connection: close\r\ndate:") if self.closes else self.HEAD
            parts = [start + group, *[group] * (events // together - 1), self.END]
            for index, part in enumerate(parts):
                end = time.monotonic() + ANSWER_SECONDS
                while Connection.events_received < index * together and time.monotonic() < end:
                    time.sleep(0.0005)
                time.sleep(0.002)
                connection.sendall(part)
            if self.closes:
                return connection.close()


class Bench:
    """Both processes. A `with` block: they end with it.

    `under` is a command that runs the gateway in place of the counters; `tls` adds upstreams behind TLS.
    """

    def __init__(self, sluice, mock, *, log="info", sites=False, under=(), threads=1, tls=False):
        self.under = [*under]
        self.threads = threads
        self.tls = tls
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-counters-"))
        self.processes = []
        try:
            self._start(sluice, mock, log, sites)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _spawn(self, name, command, environment=None):
        output = open(self.folder / f"{name}.log", "wb")
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
        self.processes.append(process)
        return process

    def _lines(self, name):
        try:
            return (self.folder / name).read_text().splitlines()
        except FileNotFoundError:
            return []

    def _start(self, sluice, mock, log, sites):
        for program in (sluice, mock):
            if not os.access(program, os.X_OK):
                raise SystemExit(f"there is no {program}: `make budgets` builds it, or name another")
        library = CHECKOUT / ".build" / "counters" / "libcounters.so"
        if not self.under:
            subprocess.run([HERE / "build-library", library], check=True)

        command = [mock, "--listen", "127.0.0.1:0", "--api-key", UPSTREAM_KEY, "--deployment", "*", "--quiet"]
        process = self._spawn("mock", command)
        line = wait_for("mock-azure", process, lambda: next(iter(self._lines("mock.log")), None))
        upstream = line.rsplit(":", 1)[1]

        tls_endpoints, tls_models = self._tls_upstreams() if self.tls else ("", "")
        (self.folder / "sluice.yaml").write_text(
            f"""listen: 127.0.0.1:0
admin: 127.0.0.1:0
server: {{threads: {self.threads}}}
clients: [{{name: team-a, api_keys: [{CLIENT_KEY}]}}]
endpoints:
  - {{name: west, url: "http://127.0.0.1:{upstream}", api_key: {UPSTREAM_KEY}}}
  - {{name: lockstep, url: "http://127.0.0.1:{LockstepUpstream().port}", api_key: {UPSTREAM_KEY}}}
{tls_endpoints}models:
  - {{name: gpt-4o, deployments: [{{endpoint: west, deployment: gpt-4o}}]}}
  - {{name: gpt-4o-stream, deployments: [{{endpoint: lockstep, deployment: gpt-4o}}]}}
{tls_models}log: {{level: {log}}}
"""
        )
        environment = {"LD_PRELOAD": str(library), "COUNTERS_FILE": str(self.folder / "counters")}
        if self.under:
            environment = {}
        if sites:
            environment["COUNTERS_SITES"] = str(self.folder / "sites")
        ports = self.folder / "ports"
        command = [*self.under, sluice, "serve", "--config", self.folder / "sluice.yaml", "--port-file", ports]
        self.gateway = self._spawn("sluice", command, environment)

        def listens():
            lines = self._lines("ports")
            return lines if len(lines) == 2 else None

        self.port = int(wait_for("the gateway's ports", self.gateway, listens)[0].rsplit(":", 1)[1])
        self.counters = None if self.under else Counters(self.folder / "counters")
        self.sites = Sites(self.folder / "sites") if sites else None

    def _tls_upstreams(self):
        sys.path.insert(0, str(HERE.parent / "compare"))
        from certificates import make_certificates

        certificates = make_certificates(self.folder)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates.certificate, certificates.key)
        endpoints = models = ""
        for name, closes in (("tls", False), ("tls-connect", True)):
            port = LockstepUpstream(context, closes).port
            endpoints += f"""  - name: {name}
    url: "https://127.0.0.1:{port}"
    ca_file: {certificates.authority}
    api_key: {UPSTREAM_KEY}
"""
            models += f"  - {{name: gpt-4o-{name}, deployments: [{{endpoint: {name}, deployment: gpt-4o}}]}}\n"
        return endpoints, models

    def connect(self):
        return Connection(self.port)

    def settled(self):
        """The counters, or the call sites, when what follows an exchange has been done: nothing moved for 30 ms."""
        last = self.counters.snapshot()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            time.sleep(0.03)
            now = self.counters.snapshot()
            if now == last:
                break
            last = now
        return self.sites.snapshot() if self.sites else last


class Connection:
    """A kept connection of a client; takes answers apart just far enough to find their end."""

    # Of the latest answer, on whichever connection: for the upstream that waits for them.
    events_received = 0

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.inbox = bytearray()
        self.end = None

    def send(self, request):
        self.inbox.clear()
        self.end = None
        Connection.events_received = 0
        self.socket.sendall(request)

    def receive(self):
        """Receives once; returns whether the answer is complete."""
        piece = self.socket.recv(262_144)
        if not piece:
            raise SystemExit(f"the connection ended after {bytes(self.inbox[:200])!r}")
        self.inbox += piece
        Connection.events_received = self.inbox.count(b"data: ")
        if self.end is None:
            head_end = self.inbox.find(b"\r\n\r\n")
            if head_end < 0:
                return False
            head = bytes(self.inbox[:head_end]).lower()
            if not head.startswith(b"http/1.1 200 "):
                raise SystemExit(f"not a 200: {bytes(self.inbox[:300])!r}")
            if b"\r\ntransfer-encoding: chunked" in head:
                self.end = 0
            else:
                length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
                self.end = head_end + 4 + int(length.split(b":")[1])
        # JSON and event streams never contain the last chunk's bytes.
        return self.inbox.endswith(b"\r\n0\r\n\r\n") if self.end == 0 else len(self.inbox) >= self.end

    def exchange(self, request):
        self.send(request)
        while not self.receive():
            pass


def unary():
    """A chat request that is answered after 2 ms, when the gateway waits for nothing else."""
    return chat("gpt-4o", ',"user":"mock:delay=2"')


def stream(events, together, model="gpt-4o-stream"):
    options = ',"stream":true,"stream_options":{"include_usage":true}'
    return chat(model, f'{options},"user":"events={events},together={together}"')


def chat(model, rest):
    """A chat request as an SDK sends it."""
    question = "Please summarise the following notes for the weekly report. " * 6
    body = f'{{"model":"{model}","messages":[{{"role":"user","content":"{question}"}}]'
    body += f',"temperature":0.2,"max_tokens":200{rest}}}'
    head = (
        f"POST /openai/deployments/{model}/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n"
        "Host: gateway.internal\r\nAccept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
        "Accept: application/json\r\nContent-Type: application/json\r\nUser-Agent: AzureOpenAI/Python 1.99.1\r\n"
        f"X-Stainless-Lang: python\r\nX-Stainless-Retry-Count: 0\r\napi-key: {CLIENT_KEY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


def one_at_a_time(bench, request, number):
    connection = bench.connect()
    connection.exchange(request)
    before = bench.settled()
    for _ in range(number):
        connection.exchange(request)
    after = bench.settled()
    connection.socket.close()
    bench.settled()
    return before, after


def at_once(bench, request, number, connections=16):
    """`number` exchanges over this many connections; each sends its next request as soon as it has its answer."""
    idle = [bench.connect() for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        for connection in idle:
            selector.register(connection.socket, selectors.EVENT_READ, connection)

        def run(number):
            sent = done = 0
            for connection in idle:
                connection.send(request)
                sent += 1
            while done < number:
                for key, _ in selector.select(ANSWER_SECONDS):
                    if key.data.receive():
                        done += 1
                        if sent < number:
                            key.data.send(request)
                            sent += 1

        run(connections * 4)
        before = bench.settled()
        run(number)
        after = bench.settled()
    for connection in idle:
        connection.socket.close()
    bench.settled()
    return before, after


def combined(function, *snapshots):
    """`function` of each column's values; what a snapshot does not have is zero there."""
    keys = dict.fromkeys(key for snapshot in snapshots for key in snapshot)
    width = max((len(values) for snapshot in snapshots for values in snapshot.values()), default=0)
    zeros = (0,) * width
    return {key: tuple(map(function, *(snapshot.get(key, zeros) for snapshot in snapshots))) for key in keys}


def cost(before, after, number):
    return combined(lambda before, after: (after - before) / number, before, after)


def median(*values):
    return statistics.median(values)


def per_request(bench, send, request, number, rounds):
    return combined(median, *(cost(*send(bench, request, number), number) for _ in range(rounds)))


def per_event(bench, together, streams, rounds):
    """What 100 events more cost, divided by them: all that a stream costs besides falls out."""

    def of_stream(events):
        return cost(*one_at_a_time(bench, stream(events, together), streams), streams)

    return combined(median, *(cost(of_stream(100), of_stream(200), 100) for _ in range(rounds)))


# name: (unit, measure)
LOADS = {
    "unary": ("request", lambda bench, rounds: per_request(bench, one_at_a_time, unary(), 200, rounds)),
    "unary-16": ("request", lambda bench, rounds: per_request(bench, at_once, unary(), 1_600, rounds)),
    "stream": ("request", lambda bench, rounds: per_request(bench, one_at_a_time, stream(4, 1), 50, rounds)),
    "paced": ("event", lambda bench, rounds: per_event(bench, 1, 3, rounds)),
    "burst": ("event", lambda bench, rounds: per_event(bench, 10, 10, rounds)),
}
