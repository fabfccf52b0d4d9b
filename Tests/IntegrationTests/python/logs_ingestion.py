"""A stand-in for the Logs Ingestion API of Azure Monitor, and for the identity service that gives tokens for it.

    GET  /msi/token...                    a token; the newest one is the only one that is valid
    POST /dataCollectionRules/...         204, or as POST /mode last said: ok, throttle, small (413 above one row), fail, slow, hang
    POST /expire                          the newest token is no longer valid
    GET  /rows                            what was taken, and what was answered
"""

import gzip
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

state = {"mode": "ok", "tokens": 0, "valid": 0, "rows": [], "answers": [], "largest": 0}
lock = threading.Lock()
TARGET = re.compile(r"^/dataCollectionRules/dcr-[0-9a-f]{32}/streams/Custom-[A-Za-z_]+\?api-version=2023-01-01$")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, text="", headers=()):
        with lock:
            if self.path.startswith("/dataCollectionRules"):
                state["answers"].append(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("content-length", str(len(text)))
        self.end_headers()
        if status != 204:
            self.wfile.write(text.encode())

    def do_GET(self):
        if self.path.startswith("/msi/token"):
            if self.headers["X-IDENTITY-HEADER"] != "secret" or "monitor.azure.com" not in self.path:
                return self.answer(400, "{}")
            with lock:
                state["tokens"] += 1
                state["valid"] = state["tokens"]
                token = f"token-{state['tokens']}"
            return self.answer(200, json.dumps({"access_token": token, "expires_in": "3600", "token_type": "Bearer"}))
        with lock:
            text = json.dumps(state)
        return self.answer(200, text)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        if self.path == "/mode":
            with lock:
                state["mode"] = body.decode()
            return self.answer(200)
        if self.path == "/expire":
            with lock:
                state["valid"] = -1
            return self.answer(200)
        with lock:
            mode = state["mode"]
            is_valid = self.headers["Authorization"] == f"Bearer token-{state['valid']}"
        if not TARGET.match(self.path) or self.headers["content-type"] != "application/json":
            return self.answer(404, "{}")
        if not is_valid:
            return self.answer(401, '{"error":{"code":"InvalidToken"}}')
        if mode == "throttle":
            with lock:
                state["mode"] = "ok"
            return self.answer(429, "{}", [("retry-after", "1")])
        if mode == "fail":
            return self.answer(503, "{}")
        if mode in ("slow", "hang"):
            time.sleep(2 if mode == "slow" else 600)
        assert self.headers["content-encoding"] == "gzip"
        plain = gzip.decompress(body)
        rows = json.loads(plain)
        if len(plain) > 1_000_000 or mode == "small" and len(rows) > 1:
            return self.answer(413, "{}")
        with lock:
            state["rows"] += rows
            state["largest"] = max(state["largest"], len(plain))
        return self.answer(204)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(f"listening on {server.server_address[1]}", flush=True)
sys.stdout.flush()
server.serve_forever()
