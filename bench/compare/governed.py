"""What limits cost when replicas share them through Redis: the gateway against nginx with Lua, and Envoy that has none."""

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from failures import Unavailable
from loads import BY_PART
from machine import Seat, free_port, one_core_layout
from processes import Deadline, running
from proxies import GATEWAY, READY_SECONDS, Upstream, started
from redis_trip import admission_of, round_trips
from session import Session
from throughput import measure_load

LOAD = "governed"
GOVERNED = "sluice-redis"
LUA = "nginx-lua"
ONE = "one-governed"
PING = "redis-ping"
ADMIT = "redis-admit"
"""What a round trip to Redis takes, told as targets of their own: one that does nothing, and the gateway's own."""


def measure_governed(session: Session) -> None:
    layout = one_core_layout()
    load = replace(BY_PART["unary"][0], name=LOAD, title="chat requests, limits in Redis")
    proxies = []
    for proxy in session.proxies:
        if proxy.name == GATEWAY:
            proxies += [proxy, replace(proxy, name=GOVERNED, template="sluice-redis.yaml")]
        elif proxy.name == "nginx":
            proxies.append(replace(proxy, name=LUA, template="nginx-lua.conf"))
        elif proxy.name == "envoy":
            proxies.append(proxy)
    with ExitStack() as stack:
        redis = stack.enter_context(started_redis(layout.upstream, session.folder))
        _, upstream = stack.enter_context(session.upstream(layout))
        targets = []
        for proxy in proxies:
            try:
                way = Upstream(upstream.port, redis_port=redis)
                targets.append(stack.enter_context(started(proxy, way, layout.proxy, session.folder)))
            except Unavailable as failure:
                session.results.skip(LOAD, proxy.name, str(failure))
        measure_load(session, load, targets, layout)
        one = replace(load, name=ONE, connections=1)
        measure_load(session, one, targets, layout)
        for target in targets:
            if target.name == GOVERNED:
                call = admission_of(target.port, redis)
                for _ in range(session.rounds):
                    ping, admit = round_trips(redis, call, layout.proxy)
                    session.results.add(ONE, PING, {"p50_us": ping})
                    session.results.add(ONE, ADMIT, {"p50_us": admit})
        check_books(session, redis)


def check_books(session: Session, port: int) -> None:
    """A peer that settled nothing would be cheap: what nginx answered has to be in its books, but for the last moment."""
    answered = sum(
        sample["requests_per_second"] * session.seconds
        for load in (LOAD, ONE)
        for sample in session.results.rounds.get(load, {}).get(LUA, [])
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"HGET usage:compare requests\r\n")
        booked = int((connection.recv(256).split(b"\r\n") + [b""])[1] or 0)
    if booked < 0.98 * answered:
        for load in (LOAD, ONE):
            session.results.skip(load, LUA, f"it answered {answered:.0f} requests and settled {booked}")


@contextmanager
def started_redis(seat: Seat, folder: Path) -> Iterator[int]:
    """Runs a Redis that keeps nothing on disk; gives its port."""
    binary = shutil.which("redis-server")
    if not binary:
        raise Unavailable("redis-server is not installed (`deploy/install-dependencies.sh compare` does)")
    port = free_port()
    command = [binary, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with running("redis-server", command, seat, folder / f"redis-{port}.log") as process:
        deadline = Deadline(READY_SECONDS)
        while deadline:
            process.check()
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                break
        yield port
