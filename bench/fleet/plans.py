"""What each scenario needs besides its load: upstreams, a gateway's configuration, and what goes wrong meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

CLIENT_KEYS = {f"TEAM_{letter}_KEY": f"fleet-key-of-team-{letter.lower()}" for letter in "ABCD"}
UPSTREAM_KEY = "fleet-upstream-key"


@dataclass(frozen=True)
class Event:
    """Something that happens so many seconds after the load began."""

    at: float
    program: str
    action: str  # pause | resume | stop | start_again


@dataclass(frozen=True)
class Plan:
    gateway: str = "plain"
    """The file in `gateways/`."""
    upstreams: tuple[tuple[str, ...], ...] = ((),)
    """The options of each mock-azure."""
    needs_redis: bool = False
    deadline: str = "75ms"
    """How long a gateway waits for Redis before it decides alone."""
    events: tuple[Event, ...] = ()


PLANS: dict[str, Plan] = {
    "smoke": Plan(),
    "throughput": Plan(),
    "streams": Plan(),
    # What replicas hold together is asked here. On a machine that does more than it can a decision may take longer than the
    # default allows, and what they then decide alone is redis-outage's to judge.
    "quota": Plan(gateway="quota", needs_redis=True, deadline="2s"),
    "failover": Plan(
        gateway="failover",
        upstreams=((), ()),
        events=(Event(8, "mock-azure-1", "stop"), Event(16, "mock-azure-1", "start_again")),
    ),
    "spill": Plan(
        gateway="spill",
        upstreams=(("--deployment", "ptu,provisioned=60000,kind=chat", "--deployment", "standard,kind=chat"),),
    ),
    "redis-outage": Plan(
        gateway="quota",
        needs_redis=True,
        events=(Event(10, "redis", "pause"), Event(20, "redis", "resume")),
    ),
    "soak": Plan(),
}

ROLLING = Plan(
    gateway="rolling",
    upstreams=(("--deployment", "gpt-4o,kind=chat", "--deployment", "long-answers,kind=chat"),),
    needs_redis=True,
)
"""For `bench.fleet.rolling`, which has its own way of running it."""
