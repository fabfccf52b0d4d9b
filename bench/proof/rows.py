"""The rows of the failure table: how each is made real, and what may come of it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from bench.fleet.processes import free_port
from bench.proof.faults import NONE, Fault, FaultProxy
from bench.proof.redis import Redis
from bench.proof.resp import RedisReplyError, command
from bench.proof.stack import until

PASSWORD = "proof-password"


@dataclass
class Site:
    """What a row may meddle with."""

    redis: Redis
    proxy: FaultProxy
    other: Redis | None = None


@dataclass(frozen=True)
class Row:
    name: str
    begin: Callable[[Site], None]
    end: Callable[[Site], None]
    decides: str = "alone"
    """Who decides meanwhile: alone, shared (Redis all the same), or either."""
    loses: bool = False
    """What Redis had counted before is lost with it."""
    options: tuple[str, ...] = ()
    """Of redis-server."""
    coordination: str = ""
    """Further keys of `coordination`."""
    starts_ill: bool = False
    """The fault is there before the gateway is."""
    other: bool = False
    """Needs a second node of a cluster."""


def network(name: str, fault: Fault) -> Row:
    def begin(site: Site) -> None:
        site.proxy.fault = fault

    def end(site: Site) -> None:
        site.proxy.fault = NONE

    return Row(name, begin, end)


def config(name: str, setting: str, ill: str, well: str, **rest: object) -> Row:
    def begin(site: Site) -> None:
        site.redis.ask("CONFIG", "SET", setting, ill)

    def end(site: Site) -> None:
        site.redis.ask("CONFIG", "SET", setting, well)

    return Row(name, begin, end, **rest)  # type: ignore[arg-type]


def nothing(_: Site) -> None:
    pass


def stop(site: Site) -> None:
    site.redis.program.pause()


def go_on(site: Site) -> None:
    site.redis.program.resume()


def pause_clients(site: Site) -> None:
    site.redis.ask("CLIENT", "PAUSE", "1500", "ALL")


def kill(site: Site) -> None:
    site.redis.program.kill()


def start_again(site: Site) -> None:
    site.redis.start_again()


def kill_and_start_again(site: Site) -> None:
    kill(site)
    start_again(site)


def replica_of_nobody(site: Site) -> None:
    site.redis.ask("REPLICAOF", "127.0.0.1", str(free_port()))


def master_again(site: Site) -> None:
    site.redis.ask("REPLICAOF", "NO", "ONE")


def flush_scripts(site: Site) -> None:
    site.redis.ask("SCRIPT", "FLUSH")


def wants_password(site: Site) -> None:
    set_password(site.redis, PASSWORD)


def wants_none(site: Site) -> None:
    set_password(site.redis, "")


def wants_the_wrong_one(site: Site) -> None:
    """The password that the gateway has all the time."""
    set_password(site.redis, "wrong")


def set_password(redis: Redis, password: str) -> None:
    redis.ask("CONFIG", "SET", "requirepass", password)
    redis.password = password


def wrong_type(site: Site) -> None:
    site.redis.ask("DEL", "{0}:v1:cl:team-a")
    site.redis.ask("SET", "{0}:v1:cl:team-a", "not a set")


def right_type(site: Site) -> None:
    site.redis.ask("DEL", "{0}:v1:cl:team-a")


def no_scripts(site: Site) -> None:
    site.redis.ask("ACL", "SETUSER", "default", "-@scripting")


def scripts_again(site: Site) -> None:
    site.redis.ask("ACL", "SETUSER", "default", "+@all")


def run_for_ever(site: Site) -> None:
    """A script that does not end: BUSY for everybody else. Its connection waits for it."""

    def run() -> None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", site.redis.port), timeout=60) as end:
            end.sendall(command("EVAL", "while true do end", "0"))
            end.recv(4096)

    threading.Thread(target=run, name="busy-script", daemon=True).start()

    def is_busy() -> bool:
        try:
            site.redis.ask("GET", "x")
        except RedisReplyError as error:
            return str(error).startswith("BUSY")
        return False

    until("Redis to be busy", is_busy)


def end_script(site: Site) -> None:
    site.redis.ask("SCRIPT", "KILL")


def moved(site: Site) -> None:
    """All slots are another node's."""
    assert site.other
    own = str(site.redis.ask("CLUSTER", "MYID").decode())  # type: ignore[union-attr]
    other = str(site.other.ask("CLUSTER", "MYID").decode())  # type: ignore[union-attr]
    assert own != other
    # A slot with keys in it cannot be given away.
    site.redis.ask("FLUSHALL")
    site.redis.ask("CLUSTER", "SETSLOT", str(slot_of_zero(site.redis)), "NODE", other)
    site.other.ask("CLUSTER", "SETSLOT", str(slot_of_zero(site.redis)), "NODE", other)


def moved_back(site: Site) -> None:
    assert site.other
    own = str(site.redis.ask("CLUSTER", "MYID").decode())  # type: ignore[union-attr]
    # In this order: the owner gives it up last.
    site.redis.ask("CLUSTER", "SETSLOT", str(slot_of_zero(site.redis)), "NODE", own)
    site.redis.ask("CLUSTER", "BUMPEPOCH")
    site.other.ask("CLUSTER", "SETSLOT", str(slot_of_zero(site.redis)), "NODE", own)


def migrating(site: Site) -> None:
    """Keys that are not there yet are asked for at another node: ASK, or TRYAGAIN for several of which some are here."""
    assert site.other
    other = str(site.other.ask("CLUSTER", "MYID").decode())  # type: ignore[union-attr]
    site.redis.ask("CLUSTER", "SETSLOT", str(slot_of_zero(site.redis)), "MIGRATING", other)


def stable(site: Site) -> None:
    site.redis.ask("CLUSTER", "SETSLOT", str(slot_of_zero(site.redis)), "STABLE")


def slot_of_zero(redis: Redis) -> int:
    slot = redis.ask("CLUSTER", "KEYSLOT", "{0}:v1:x")
    assert isinstance(slot, int)
    return slot


def slots_gone(site: Site) -> None:
    site.redis.ask("CLUSTER", "DELSLOTSRANGE", "0", "16383")


def slots_back(site: Site) -> None:
    site.redis.ask("CLUSTER", "ADDSLOTSRANGE", "0", "16383")


CLUSTER = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no")

ROWS = [
    network("no answer: blackhole", Fault("blackhole")),
    network("no answer in time: delay", Fault("delay", 0.3)),
    network("no answer in time: drip", Fault("drip", 0.05)),
    Row("no answer: SIGSTOP", stop, go_on),
    Row("no answer: CLIENT PAUSE", pause_clients, nothing, decides="either"),
    network("connection reset", Fault("reset")),
    network("lost in flight: half-close", Fault("half-close")),
    network("lost in flight: cut before the answer", Fault("cut", 0)),
    network("lost in flight: cut in the answer", Fault("cut", 7)),
    network("protocol error: a corrupt byte", Fault("corrupt", 0)),
    Row("connection refused: killed", kill, start_again, loses=True),
    Row("restarted empty", kill_and_start_again, nothing, decides="either", loses=True),
    Row("READONLY: REPLICAOF", replica_of_nobody, master_again),
    Row(
        "MASTERDOWN: a replica without stale data",
        replica_of_nobody,
        master_again,
        options=("--replica-serve-stale-data", "no"),
    ),
    Row("BUSY: a script that does not end", run_for_ever, end_script, options=("--busy-reply-threshold", "20")),
    config("NOREPLICAS", "min-replicas-to-write", "1", "0"),
    config("OOM: maxmemory", "maxmemory", "1", "0"),
    Row("NOSCRIPT: SCRIPT FLUSH", flush_scripts, nothing, decides="shared"),
    Row("NOPERM", no_scripts, scripts_again),
    Row("an error of a script", wrong_type, right_type),
    Row("CLUSTERDOWN", slots_gone, slots_back, options=CLUSTER),
    Row("MOVED", moved, moved_back, options=CLUSTER, other=True, loses=True),
    Row("ASK and TRYAGAIN", migrating, stable, options=CLUSTER, other=True, decides="either"),
    Row("absent at the start", kill, start_again, starts_ill=True, loses=True),
    Row("NOAUTH at the start", wants_password, wants_none, starts_ill=True),
    Row("WRONGPASS at the start", wants_password, wants_the_wrong_one, starts_ill=True, coordination="password: wrong"),
]
