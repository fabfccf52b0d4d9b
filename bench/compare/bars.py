"""The numbers that the gateway must reach, and whether a run reached them."""

from dataclasses import dataclass

import first_byte
import governed
import memory
import scaling
from proxies import GATEWAY
from results import Results


@dataclass(frozen=True)
class Verdict:
    """A bar and what was measured. A value that is missing was not measured: no verdict."""

    bar: str
    value: float | None
    limit: float
    unit: str = "x"
    at_least: bool = False

    @property
    def holds(self) -> bool | None:
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def word(self) -> str:
        return {True: "holds", False: "misses", None: "not measured"}[self.holds]

    @property
    def measured(self) -> str:
        return "-" if self.value is None else f"{self.value:.2f} {self.unit}"

    @property
    def required(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g} {self.unit}"


def verdicts(results: Results) -> list[Verdict]:
    """Judges a run by its medians. All but those of memory are ratios within rounds: noise bends them less."""

    def against(peer: str, load: str, metric: str) -> float | None:
        return results.ratio(load, metric, GATEWAY, peer)

    def governed_of(peer: str) -> float | None:
        return results.ratio(governed.LOAD, "cpu_us_per_request", governed.GOVERNED, peer)

    def added_by_redis() -> float | None:
        """Microseconds that limits in Redis add to one caller's request, beyond the round trip of its admission."""
        ours, without, trip = (
            results.median(governed.ONE, name, "p50_us") for name in (governed.GOVERNED, GATEWAY, governed.ADMIT)
        )
        return None if ours is None or without is None or trip is None else ours - without - trip

    def memory_of(metric: str, unit: int) -> float | None:
        value = results.median(memory.LOAD, GATEWAY, metric)
        return None if value is None else value / unit

    def of_one_loop(metric: str) -> float | None:
        return results.ratio(scaling.LOAD, metric, scaling.TWO, scaling.ONE)

    request, event = "cpu_us_per_request", "cpu_us_per_event"
    most = memory.STREAMS[-1]
    return [
        Verdict("CPU per request, of Envoy's", against("envoy", "unary", request), 1.0),
        Verdict("CPU per request over TLS, of Envoy's", against("envoy", "tls-unary", request), 1.0),
        Verdict("CPU per request, limits in Redis, of Envoy's forwarding alone", governed_of("envoy"), 1.25),
        Verdict("CPU per request, limits in Redis, of nginx + Lua + Redis", governed_of(governed.LUA), 0.5),
        Verdict("latency of one caller, added by limits in Redis beyond a round trip", added_by_redis(), 50, "us"),
        Verdict("CPU per event, as fast as it comes, of Envoy's", against("envoy", "burst", event), 1.0),
        Verdict("CPU per event, as fast as it comes, TLS, of Envoy's", against("envoy", "tls-burst", event), 1.0),
        Verdict("CPU per event, paced, of Envoy's", against("envoy", "paced", event), 1.0),
        Verdict("CPU per event, paced, TLS, of Envoy's", against("envoy", "tls-paced", event), 1.0),
        Verdict("latency of one caller, of nginx's", against("nginx", "one-unary", "p50_us"), 1.3),
        Verdict("time added to a first event, of nginx's", against("nginx", first_byte.LOAD, "added_us"), 1.5),
        Verdict(f"memory per stream, {most:,} open", memory_of(f"bytes_per_stream_{most}", 1024), 32, "KiB"),
        Verdict("memory at rest", memory_of("rest_bytes", 1024**2), 40, "MiB"),
        Verdict("CPU per request, 2 loops of 1 loop", of_one_loop(request), 1.1),
        Verdict("room for requests, 2 loops of 1 loop", of_one_loop("capacity_per_second"), 1.8, "x", True),
    ]
