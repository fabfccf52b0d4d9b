"""The proxies: how each is found, configured from its template, started, and known to be ready."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from certificates import Certificates
from failures import Unavailable
from loads import CLIENT_KEY, PROBE, UPSTREAM_KEY
from machine import Seat, free_port
from processes import Deadline, Process, running, said_by, version_of
from wire import Connection

GATEWAY = "sluice"
DIRECT = "direct"
READY_SECONDS = 15.0

_REPOSITORY = Path(__file__).resolve().parents[2]
_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Upstream:
    """Where a proxy forwards to. With an authority the way there is TLS, and its certificate is verified."""

    port: int
    authority: Path | None = None
    redis_port: int | None = None


@dataclass(frozen=True)
class Proxy:
    """A program to measure."""

    name: str
    binary: str
    template: str
    options: list[str]
    """The last one takes the configuration file."""
    version: str


@dataclass(frozen=True)
class Target:
    """Something that answers on a port: a proxy, or the upstream itself, which costs no CPU that counts."""

    name: str
    port: int
    process: Process | None = None


def find_proxy(name: str, gateway: Path, envoy: Path | None) -> Proxy:
    """Looks for a proxy on this machine; raises `Unavailable` with the reason when it cannot be used."""
    match name:
        case "sluice":
            return _found(name, str(gateway), "sluice.yaml", "serve --config", "--version")
        case "envoy":
            options = "--concurrency 1 --disable-hot-restart --log-level error -c"
            return _found(name, str(envoy or _installed_envoy()), "envoy.yaml", options, "--version")
        case "haproxy":
            return _found(name, _on_path("haproxy"), "haproxy.cfg", "-db -f", "-v")
        case "nginx":
            return _found(name, _on_path("nginx"), "nginx.conf", "-c", "-v")
        case _:
            raise Unavailable("no such proxy")


@contextmanager
def started(
    proxy: Proxy, upstream: Upstream, seat: Seat, folder: Path, threads: int = 1
) -> Iterator[Target]:
    """Runs a proxy in front of an upstream, from its first answer on."""
    port = free_port()
    label = f"{proxy.name}-{port}"
    configuration = folder / f"{label}-{proxy.template}"
    configuration.write_text(_configuration(proxy, upstream, port, folder, threads))
    command = [proxy.binary, *proxy.options, str(configuration)]
    with running(proxy.name, command, seat, folder / f"{label}.log") as process:
        wait_until_ready(process, port)
        yield Target(proxy.name, port, process)


@contextmanager
def started_mock(
    binary: Path, seat: Seat, folder: Path, certificates: Certificates | None = None
) -> Iterator[Target]:
    """Runs mock-azure, over TLS if it gets certificates. It takes our clients' key too, for the direct row."""
    port = free_port()
    command = [str(binary), "--listen", f"127.0.0.1:{port}", "--threads", "1", "--quiet"]
    command += ["--api-key", UPSTREAM_KEY, "--api-key", CLIENT_KEY]
    if certificates:
        if "--tls-certificate" not in said_by(str(binary), "--help"):
            raise Unavailable("this mock-azure does not speak TLS (it has no --tls-certificate)")
        command += ["--tls-certificate", str(certificates.certificate), "--tls-key", str(certificates.key)]
    with running("mock-azure", command, seat, folder / f"mock-azure-{port}.log") as process:
        wait_until_ready(process, port, certificates.authority if certificates else None)
        yield Target(DIRECT, port)


def wait_until_ready(process: Process, port: int, authority: Path | None = None) -> None:
    """Returns when a chat request was answered with 200; `Unavailable` when the process ends or does not get there."""
    deadline = Deadline(READY_SECONDS)
    said = "it does not answer"
    while deadline:
        process.check()
        try:
            with Connection(port, authority) as connection:
                status = connection.exchange(PROBE).status
        except OSError:
            time.sleep(0.02)
            continue
        if status == 200:
            return
        said = f"it answers with status {status}"
        time.sleep(0.02)
    raise Unavailable(f"{process.name} is not ready after {READY_SECONDS:.0f} s: {said}")


def _found(name: str, binary: str, template: str, options: str, version_option: str) -> Proxy:
    return Proxy(name, binary, template, options.split(), version_of(binary, version_option))


def _configuration(proxy: Proxy, upstream: Upstream, port: int, folder: Path, threads: int) -> str:
    values = {
        "port": port,
        "admin_port": free_port(),
        "upstream_port": upstream.port,
        "redis_port": upstream.redis_port,
        "folder": folder,
        "threads": threads,
        "client_key": CLIENT_KEY,
        "upstream_key": UPSTREAM_KEY,
        "scheme": "https" if upstream.authority else "http",
        "tls": "",
    }
    if upstream.authority:
        stem, _, suffix = proxy.template.rpartition(".")
        tls = (_TEMPLATES / f"{stem}-tls.{suffix}").read_text()
        values["tls"] = Template(tls).substitute(authority=upstream.authority).rstrip()
    return Template((_TEMPLATES / proxy.template).read_text()).substitute(values)


def _on_path(name: str) -> str:
    # Debian keeps daemons where only root's PATH looks.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise Unavailable("not installed (`deploy/install-dependencies.sh compare` does)")
    return found


def _installed_envoy() -> str:
    inside = "lib/python*/site-packages/envoy/_bin/envoy"
    for found in (_REPOSITORY / ".venv").glob(inside):
        return str(found)
    return _on_path("envoy")
