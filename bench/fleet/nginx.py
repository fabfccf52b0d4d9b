"""An nginx in front of gateways, which plays the load balancer of a platform."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path

from bench.fleet.processes import Program, StartError, free_port

CONFIGURATION = """
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream gateways {{
        include {folder}/replicas.conf;
        keepalive 64;
    }}
    server {{
        listen 127.0.0.1:{port};
        # A worker that is replaced closes idle connections, just as a caller may be sending on one: that would be a failure of
        # this nginx, and it is the gateways that are looked at.
        keepalive_timeout 0;
        location / {{
            proxy_pass http://gateways;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_read_timeout 240s;
        }}
    }}
}}
"""


def found_nginx() -> str:
    # Debian keeps daemons where only root's PATH looks.
    binary = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if not binary:
        raise StartError("nginx is not installed: deploy/install-dependencies.sh test")
    return binary


class Balancer:
    """Sends to the gateways that it was given."""

    def __init__(self, folder: Path):
        self._folder = folder
        folder.mkdir()
        self._replicas: dict[str, str] = {}
        self._program: Program | None = None
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        configuration = self._folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(folder=self._folder, port=self._port))
        command = [found_nginx(), "-p", str(self._folder), "-e", str(self._folder / "error.log"), "-c", str(configuration)]
        self._program = Program("nginx", command, self._folder / "nginx.log", {})
        self._program.wait_for("does not listen", self.accepting(self._port))

    @staticmethod
    def accepting(port: int) -> Callable[[], str | None]:
        def look() -> str | None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return None
            return "yes"

        return look

    def add(self, name: str, address: str) -> None:
        self._change({**self._replicas, name: address})

    def remove(self, name: str) -> None:
        self._change({key: value for key, value in self._replicas.items() if key != name})

    def _change(self, replicas: dict[str, str]) -> None:
        self._replicas = replicas
        lines = [f"server {address};  # {name}\n" for name, address in sorted(replicas.items())]
        (self._folder / "replicas.conf").write_text("".join(lines))
        if self._program:
            self._program.hang_up()

    def stop(self) -> None:
        if self._program:
            self._program.stop()
