"""One run: what was asked for, where its files lie, what it has measured so far."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from certificates import make_certificates
from failures import RunFailure, Unavailable
from loads import Load
from machine import Layout, Seat
from proxies import GATEWAY, Proxy, Target, Upstream, find_proxy, started, started_mock
from results import Results
from sluice_load import run_sluice_load
from wrk import run_wrk


@dataclass
class Session:
    gateway: Path
    mock: Path
    load_tool: Path | None
    """sluice-load; without it wrk puts the load."""
    envoy: Path | None
    rounds: int
    seconds: int
    folder: Path
    proxies: list[Proxy] = field(default_factory=list)
    results: Results = field(default_factory=Results)

    def run_load(self, load: Load, port: int, seconds: int, seat: Seat) -> dict[str, float]:
        if self.load_tool:
            return run_sluice_load(self.load_tool, load, port, seconds, seat)
        return run_wrk(load, port, seconds, seat)

    def find_proxies(self, names: list[str]) -> None:
        for name in names:
            try:
                self.proxies.append(find_proxy(name, self.gateway, self.envoy))
            except Unavailable as failure:
                if name == GATEWAY:
                    raise RunFailure(f"{name}: {failure}") from failure
                self.results.skip("everything", name, str(failure))

    @property
    def gateway_proxy(self) -> Proxy:
        for proxy in self.proxies:
            if proxy.name == GATEWAY:
                return proxy
        raise Unavailable(f"{GATEWAY} is not among the proxies")

    @contextmanager
    def upstream(self, layout: Layout, tls: bool = False) -> Iterator[tuple[Target, Upstream]]:
        """Runs the upstream: as a target of its own, and as what a proxy forwards to."""
        certificates = make_certificates(self.folder) if tls else None
        with started_mock(self.mock, layout.upstream, self.folder, certificates) as mock:
            yield mock, Upstream(mock.port, certificates.authority if certificates else None)

    @contextmanager
    def targets(self, layout: Layout, tls: bool = False) -> Iterator[list[Target]]:
        """Runs the upstream with every proxy in front of it; those that do not start are left out.

        They stay up through all rounds, and rest while another one is measured. Over TLS the upstream itself is not
        among the targets: the load speaks plain HTTP.
        """
        with ExitStack() as stack:
            mock, upstream = stack.enter_context(self.upstream(layout, tls))
            targets = [] if tls else [mock]
            for proxy in self.proxies:
                try:
                    targets.append(stack.enter_context(started(proxy, upstream, layout.proxy, self.folder)))
                except Unavailable as failure:
                    self.results.skip("TLS upstream" if tls else "plain upstream", proxy.name, str(failure))
            yield targets


@contextmanager
def run_folder(keep: bool) -> Iterator[Path]:
    """A folder for configurations, certificates and logs, removed afterwards unless it is to be kept."""
    with ExitStack() as stack:
        if keep:
            folder = Path(tempfile.mkdtemp(prefix="sluice-compare."))
            print(f"Files of this run stay in {folder}")
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sluice-compare.")))
        yield folder
