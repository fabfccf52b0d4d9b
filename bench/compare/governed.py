"""The same chat requests with limits in Redis: what governing a request costs beside forwarding it.

Envoy and the gateway without limits only forward, as in the other parts. nginx with Lua checks a key, takes from
one bucket in Redis and settles it with what was used; the gateway does what it always does: a key, the client's
limits and the deployments in one call, the answer's usage in another, and an access log line.
"""

import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from failures import Unavailable
from loads import BY_PART, Load
from machine import Layout, free_port
from processes import Deadline, Process, running, said_by
from proxies import GATEWAY, GATEWAY_REDIS, NGINX_REDIS, Proxy, Target, find_proxy, started
from session import Session
from throughput import measure_load
from wire import RedisConnection

PEERS = ["envoy", GATEWAY]
_CALLS = 2000
# How many requests the gateway has booked, over all days and deployments.
_BOOKED = """
local sum = 0
for _, key in ipairs(redis.call('KEYS', '*:u:*')) do
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if fields[i]:sub(-4) == ':req' then sum = sum + tonumber(fields[i + 1]) end
  end
end
return sum
"""


def measure_governed(session: Session, layout: Layout) -> None:
    """Measures the loads of this part against those that forward and those that govern."""
    with ExitStack() as stack:
        redis_port = stack.enter_context(redis(layout, session.folder))
        mock, upstream = stack.enter_context(session.upstream(layout))
        targets: list[Target] = [mock]
        for proxy in [*(proxy for proxy in session.proxies if proxy.name in PEERS), *governing(session)]:
            try:
                configured = replace(upstream, redis_port=redis_port)
                targets.append(stack.enter_context(started(proxy, configured, layout.proxy, session.folder)))
            except Unavailable as failure:
                session.results.skip("limits in Redis", proxy.name, str(failure))
        for load in BY_PART["governed"]:
            measure_load(session, load, targets, layout)
            if load.connections == 1:
                measure_round_trip(session, load, redis_port)
        check(session, redis_port)


def governing(session: Session) -> Iterator[Proxy]:
    """Those that hold limits in Redis; one that cannot be had is left out by name."""
    for name in (NGINX_REDIS, GATEWAY_REDIS):
        try:
            yield find_proxy(name, session.gateway, session.envoy)
        except Unavailable as failure:
            session.results.skip("limits in Redis", name, str(failure))


@contextmanager
def redis(layout: Layout, folder: Path) -> Iterator[int]:
    """A redis-server on the upstream's core; its time is no proxy's."""
    binary = shutil.which("redis-server")
    if not binary:
        raise Unavailable("redis-server is not installed (`deploy/install-dependencies.sh compare` does)")
    said_by(binary, "--version")
    port = free_port()
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with running("redis-server", [*command, "--dir", str(folder)], layout.upstream, folder / "redis.log") as process:
        wait_for_redis(process, port)
        yield port


def wait_for_redis(process: Process, port: int) -> None:
    deadline = Deadline(15)
    while deadline:
        process.check()
        try:
            with RedisConnection(port) as connection:
                if connection.ask("PING") == b"+PONG":
                    return
        except OSError:
            time.sleep(0.02)
    raise Unavailable("redis-server does not answer")


def measure_round_trip(session: Session, load: Load, port: int) -> None:
    """How long one caller waits for Redis to do nothing: what asking it costs at the least."""
    with RedisConnection(port) as connection:
        for _ in range(session.rounds):
            times = []
            for _ in range(_CALLS):
                start = time.perf_counter()
                connection.ask("PING")
                times.append((time.perf_counter() - start) * 1e6)
            session.results.add(load.name, "redis", {"p50_us": statistics.median(times)})


def check(session: Session, port: int) -> None:
    """A governed request that was not governed would be cheap: every one of them has to be in the books."""
    with RedisConnection(port) as connection:
        booked = {
            NGINX_REDIS: connection.ask("HGET", "usage:compare", "requests"),
            GATEWAY_REDIS: connection.ask("EVAL", _BOOKED, "0"),
        }
    for name, requests in booked.items():
        least = sum(
            sample["requests_per_second"] * session.seconds
            for load in BY_PART["governed"]
            for sample in session.results.rounds.get(load.name, {}).get(name, [])
        )
        # What is still on its way when a round ends, and the settlements that wait, are not many.
        if least and int(requests.lstrip(b":") or 0) < 0.95 * least:
            reason = f"Redis has {requests.decode()} requests in its books, and {least:.0f} were answered"
            for load in BY_PART["governed"]:
                session.results.skip(load.name, name, reason)
