"""Deployments for kinds whose faults make a deployment cool (docs/routing.md): no other kind ever meets one of theirs.

Every such kind has a few models, each with one deployment that serves nobody else. An exchange that finds it cooling is
refused with `DeploymentsBusy`, which is explained only while an earlier fault of the same model can have that effect.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field

from .golden import Unexpected
from .wire import Answer

SLACK_SECONDS = 1.5
"""Between what the gateway did and when a client on a busy machine notices."""

PROBE_SECONDS = 30.0
"""How long the one request that tries a deployment keeps the others away, if nothing comes of it before."""


@dataclass(frozen=True, slots=True)
class Cause:
    """When a fault makes its deployment cool, and for how long."""

    failures: int
    """So many on the way make a deployment cool."""
    seconds: float
    """How long it is left alone at most, with the tenth that is added."""


# "left alone as long as it asks": a tenth is added, at most a second.
def asked(seconds: float) -> Cause:
    return Cause(1, seconds + min(seconds / 10, 1))


# A 429 that says nothing: "a second, doubled with each failure in a row, up to a minute"; a tenth of that is added.
SILENT_QUOTA = Cause(1, 66)
# "left alone, then probed", each second.
OVERLOAD = Cause(1, 1.1)
# "the third in a row counts as down", and is tried each second.
THIRD = Cause(3, 1.1)
# With one deployment a first byte that does not come counts as those do, and so does Azure's 408, but the waits double.
TIME_LIMIT = Cause(3, 66)


@dataclass(frozen=True, slots=True)
class Pool:
    name: str
    cause: Cause
    endpoint: str = "main"
    family: str = "gpt-4o"
    size: int = 4

    @property
    def models(self) -> list[str]:
        return [f"{self.name}-{index}" for index in range(self.size)]

    def deployment(self, model: str) -> str:
        return f"{self.family}-{model}"


STATUSES_OF_THE_DEPLOYMENT = {408: TIME_LIMIT, 500: THIRD, 502: THIRD, 503: OVERLOAD, 504: THIRD}
"""What Azure answers that says something against the deployment, and makes it cool though it is the only one."""

POOLS = {
    pool.name: pool
    for pool in (
        *(Pool(f"status-{status}", cause) for status, cause in STATUSES_OF_THE_DEPLOYMENT.items()),
        Pool("quota-seconds", asked(7), size=8),
        Pool("quota-milliseconds", asked(2.5)),
        # Its message says "Please retry after 1 seconds".
        Pool("quota-upload", asked(1), family="whisper"),
        Pool("stream-refused", SILENT_QUOTA, size=8),
        Pool("closed", THIRD),
        Pool("reset", THIRD),
        Pool("no-protocol", THIRD),
        Pool("bad-head", THIRD),
        Pool("huge-head", THIRD),
        Pool("bad-length", THIRD),
        Pool("two-lengths", THIRD),
        Pool("empty-stream", THIRD),
        Pool("bad-chunk", THIRD),
        Pool("silent", TIME_LIMIT, "brisk", size=8),
    )
}


def pool_routes() -> dict[str, tuple[str, str]]:
    """Model -> (endpoint, deployment) of all pools."""
    return {
        model: (pool.endpoint, pool.deployment(model)) for pool in POOLS.values() for model in pool.models
    }


@dataclass(slots=True)
class _History:
    """What the exchanges of one model have met."""

    open: int = 0
    faults: int = 0
    ended: float = float("-inf")


@dataclass(slots=True)
class Cooling:
    """What explains that a deployment cools."""

    _histories: dict[str, _History] = field(default_factory=lambda: defaultdict(_History))

    def begins(self, model: str) -> None:
        self._histories[model].open += 1

    def ends(self, model: str, fault: bool) -> None:
        history = self._histories[model]
        history.open -= 1
        if fault:
            history.faults += 1
            history.ended = time.monotonic()

    def check(self, pool: Pool, model: str, answer: Answer, began: float) -> bool:
        """Whether the gateway refused because the deployment cools; raises where nothing explains that it does."""
        wait = refused_as_busy(answer, model)
        if wait is None:
            return False
        history, cause = self._histories[model], pool.cause
        # The exchange itself is open too.
        others = history.open - 1
        if history.faults + others < cause.failures:
            raise Unexpected(f"{model} cools after {history.faults} faults and {others} exchanges")
        if not others and began > history.ended + cause.seconds + SLACK_SECONDS:
            raise Unexpected(f"{model} cools {began - history.ended:.1f} s after its last fault")
        # "the shortest wait of any deployment it may use, and up to a tenth more"
        longest = cause.seconds
        if others or began <= history.ended + SLACK_SECONDS:
            # "one request of the fleet at a time tries the deployment": this long it may take.
            longest = max(longest, PROBE_SECONDS)
        if not 0 < wait <= longest * 1.1 + SLACK_SECONDS:
            raise Unexpected(f"{model} is to be asked again after {wait} s")
        return True


def refused_as_busy(answer: Answer, model: str) -> float | None:
    """The wait in seconds that a refusal with `DeploymentsBusy` names; `None` for any other answer (docs/errors.md)."""
    if answer.status != 429 or answer.field("x-sluice-deployment") is not None:
        return None
    try:
        error = json.loads(answer.body)["error"]
    except (ValueError, KeyError):
        return None
    if error.get("innererror") != {"code": "DeploymentsBusy"}:
        return None
    text = rf"All deployments of the model '{re.escape(model)}' are at their limits\. Please retry after \d+ seconds?\."
    seconds, milliseconds = answer.field("retry-after"), answer.field("retry-after-ms")
    if not answer.whole or error["code"] != "429" or not re.fullmatch(text, error["message"]):
        raise Unexpected(f"a refusal of another shape: {bytes(answer.body)!r}")
    if not seconds or not milliseconds or int(seconds) != (int(milliseconds) + 999) // 1000:
        raise Unexpected(f"a refusal that names two waits, or none: {answer.fields}")
    return int(milliseconds) / 1000
