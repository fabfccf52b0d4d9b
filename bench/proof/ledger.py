"""Replays the log of a fleet's calls and holds every reply against the invariants of docs/fleet-proof.md.

Written from the contract, not from the scripts: one bucket is a level and a time, a slot is a lease and its end.
Whatever a reply tells must be what follows, to the unit, from the replies before it.
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import dataclass, field

from bench.proof.recorder import Call
from bench.proof.resp import Value

UNIT = 60_000
"""Units in a token, and milliseconds in a minute."""


@dataclass
class Bucket:
    refill: int
    capacity: int
    level: int
    stamp: int
    # What makes I3: admitted less refunded plus overrun less refilled, and the least that it ever was.
    net: int = 0
    least: int | None = None
    over: int = -(2**62)
    # The first overrun that no reply has told of yet, and when it was at the earliest.
    overrun: int | None = None

    def at(self, now: int) -> int:
        return min(self.capacity, self.level + max(0, now - self.stamp) * self.refill)

    def admit(self, units: int, now: int) -> None:
        before = self.net - self.refill * now
        self.least = before if self.least is None else min(self.least, before)
        self.level, self.stamp = self.at(now) - units, now
        self.net += units
        # More than a burst and the refill of any interval that ends here: above the limit.
        self.over = max(self.over, self.net - self.refill * now - self.least - self.capacity)

    def move(self, units: int) -> None:
        """A settlement: positive for an overrun, negative for what comes back."""
        self.level = min(self.capacity, self.level - units)
        self.net += units


@dataclass
class Ledger:
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    buckets: dict[tuple[bytes, str], Bucket] = field(default_factory=dict)
    slots: dict[bytes, dict[bytes, int]] = field(default_factory=dict)
    admitted: dict[bytes, int] = field(default_factory=dict)
    """How often each lease was admitted."""
    ended: Counter[bytes] = field(default_factory=Counter)
    """How often the end of each lease had an effect."""
    released: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    usage: Counter[str] = field(default_factory=Counter)
    now: int = 0

    def replay(self, calls: list[Call]) -> None:
        for index, call in enumerate(calls):
            if call.reply is None or isinstance(call.reply, Exception):
                self.counts["without an answer" if call.reply is None else "refused with an error"] += 1
                continue
            before = len(self.violations)
            getattr(self, "_" + call.script)(call, call.reply)
            for at in range(before, len(self.violations)):
                self.violations[at] = f"call {index} ({call.script}): {self.violations[at]}"
        for lease, times in self.ended.items():
            if times > 1:
                self.violations.append(f"S1: the end of {lease!r} had {times} effects")
        for (key, lease), times in self.released.items():
            if times > 1:
                self.violations.append(f"S3: {lease!r} left {key!r} {times} times")
        for (key, dimension), bucket in self.buckets.items():
            if bucket.over > 0:
                self.violations.append(f"I3: {key!r} was over its {dimension} by {bucket.over / UNIT:.3f}")

    @property
    def tokens_over(self) -> float:
        """The most that any bucket admitted above its limit, in tokens or requests; 0 or less is within it."""
        return max((bucket.over / UNIT for bucket in self.buckets.values()), default=0)

    # MARK: scripts

    def _admit(self, call: Call, reply: Value) -> None:
        assert isinstance(reply, list)
        numbers = integers(call.arguments[0])
        term, _, estimate, scopes = numbers[:4]
        candidates = (len(numbers) - 4 - 7 * scopes) // 6
        scope_limits = [numbers[4 + 7 * i : 11 + 7 * i] for i in range(scopes)]
        limits = [numbers[4 + 7 * scopes + 6 * i : 10 + 7 * scopes + 6 * i] for i in range(candidates)]
        lease, states = call.keys[0], call.keys[1 : 1 + scopes + candidates]
        slot_keys = iter(call.keys[1 + scopes + candidates :])
        scope_slots = [next(slot_keys) if limit[4] else None for limit in scope_limits]
        candidate_slots = [next(slot_keys) if limit[4] else None for limit in limits]
        code, now = reply[0], reply[1]
        assert isinstance(code, int) and isinstance(now, int)
        self._time(now)
        self.counts[f"admit {code}"] += 1
        if code == 6:
            return
        levels = {0: lambda: reply[6 : 6 + 2 * scopes], 3: lambda: reply[3 : 3 + 2 * scopes]}.get(
            code, lambda: reply[5 : 5 + 2 * scopes]
        )()
        longest = 0
        for i, limit in enumerate(scope_limits):
            pairs = self._pair(states[i], limit, now)
            wanted = [(bucket, need) for bucket, need in zip(pairs, (UNIT, estimate * UNIT), strict=True) if bucket]
            longest = max([longest, *(wait(bucket, need, now) for bucket, need in wanted)])
            if code == 0:
                # I2, I3: it was there to be had, in every dimension.
                for bucket, need in wanted:
                    if wait(bucket, need, now):
                        self.violations.append(f"I3: admitted {estimate} without {need} units in {states[i]!r}")
                    bucket.admit(need, now)
            self._levels(states[i], pairs, levels[2 * i : 2 * i + 2], now)
        if code == 1 and reply[2] != longest:
            self.violations.append(f"the wait is {longest} ms and {reply[2]} was told")
        if code in (2, 3) and longest:
            self.violations.append(f"I1: refused by {code} although the client's rates say {longest} ms")
        if code == 2 and not any(
            key and self._live(key, now) >= limit[4] for key, limit in zip(scope_slots, scope_limits)
        ):
            self.violations.append("I4: refused although a slot was free")
        if code != 0:
            return
        # I5: a lease is admitted once.
        self.admitted[lease] = self.admitted.get(lease, 0) + 1
        if self.admitted[lease] > 1:
            self.violations.append(f"I5: {lease!r} was admitted before")
        index = reply[2]
        assert isinstance(index, int)
        home = states[scopes + index]
        self._reserve(home, limits[index], estimate, reply[4:6], now)
        held = zip([*scope_slots, candidate_slots[index]], [*scope_limits, limits[index]], strict=True)
        for key, limit in held:
            if not key:
                continue
            if self._live(key, now) >= limit[4]:
                self.violations.append(f"I4: {key!r} had {self._live(key, now)} of {limit[4]} slots taken")
            self.slots.setdefault(key, {})[lease] = now + term

    def _reroute(self, call: Call, reply: Value) -> None:
        assert isinstance(reply, list)
        self.counts[f"reroute {reply[0]}"] += 1
        self.violations.append("a deployment failed: this load has no failures, and the ledger does not follow them")

    def _settle(self, call: Call, reply: Value) -> None:
        assert isinstance(reply, int)
        numbers = integers(call.arguments[0])
        mode, estimate, actual, _, refund, _, left_requests, left_tokens, named, scopes = numbers[:10]
        deployments = (len(numbers) - 10 - 7 * scopes) // 5
        scope_limits = [numbers[10 + 7 * i : 17 + 7 * i] for i in range(scopes)]
        limits = [numbers[10 + 7 * scopes + 5 * i : 15 + 7 * scopes + 5 * i] for i in range(deployments)]
        lease, states = call.keys[0], call.keys[1 : 1 + scopes + deployments]
        slot_keys = iter(call.keys[1 + scopes + deployments :])
        slots = [next(slot_keys) for limit in [*scope_limits, *limits] if limit[4]]
        self.counts[f"settle {mode} -> {reply}"] += 1
        if left_requests >= 0 or left_tokens >= 0 or named > 0:
            self.violations.append("feedback of a deployment: the ledger does not follow it")
        if reply == 0:
            return
        self.ended[lease] += 1
        requests = {3: -UNIT, 4: UNIT}.get(mode, 0)
        over = {3: -estimate, 4: max(actual, 0)}.get(mode, actual - estimate if actual >= 0 else 0)
        for key, limit in zip(states, [*scope_limits, *limits], strict=True):
            isDeployment = key in states[scopes:]
            # A standard deployment keeps what it was charged; an overrun is charged anyway.
            moves = over if not isDeployment or over > 0 or refund else 0
            for bucket, units in zip(self._pair(key, limit, self.now), (requests, moves * UNIT), strict=True):
                if bucket and units:
                    # An overrun is refilled first, at a time that the reply does not tell; it matters to a full bucket only.
                    if units > 0:
                        bucket.level, bucket.stamp = bucket.at(self.now), max(bucket.stamp, self.now)
                        bucket.overrun = self.now if bucket.overrun is None else bucket.overrun
                    bucket.move(units)
        for key in slots:
            if self.slots.get(key, {}).pop(lease, None) is not None:
                self.released[(key, lease)] += 1
        for name, count in zip(call.arguments[2::2], call.arguments[3::2], strict=True):
            self.usage[name.rsplit(b":", 1)[-1].decode()] += int(count)

    def _beat(self, call: Call, reply: Value) -> None:
        assert isinstance(reply, list)
        now = reply[1]
        assert isinstance(now, int)
        self._time(now)
        self.counts["beat"] += 1
        if reply[3]:
            self.violations.append(f"{reply[3]} leases were brought back, and none was lost")
        numbers = integers(call.arguments[0])
        at = 1
        for i in range((len(numbers) - 2) // 4):
            _, _, of_scopes, of_deployment = numbers[2 + 4 * i : 6 + 4 * i]
            lease = call.keys[at]
            for key in call.keys[at + 2 : at + 2 + of_scopes + of_deployment]:
                if lease in self.slots.get(key, {}):
                    self.slots[key][lease] = now + numbers[1]
            at += 2 + of_scopes + of_deployment

    # MARK: parts

    def _time(self, now: int) -> None:
        self.now = max(self.now, now)

    def _live(self, key: bytes, now: int) -> int:
        return sum(1 for end in self.slots.get(key, {}).values() if end > now)

    def _pair(self, key: bytes, limit: list[int], now: int) -> list[Bucket | None]:
        """The buckets of requests and tokens, full where nobody used them yet."""
        pair: list[Bucket | None] = []
        for dimension, refill, capacity in (("requests", *limit[0:2]), ("tokens", *limit[2:4])):
            if not refill:
                pair.append(None)
                continue
            pair.append(self.buckets.setdefault((key, dimension), Bucket(refill, capacity, capacity, now)))
        return pair

    def _reserve(self, key: bytes, limit: list[int], estimate: int, levels: list[Value], now: int) -> None:
        pair = self._pair(key, limit, now)
        for bucket, need in zip(pair, (UNIT, estimate * UNIT), strict=True):
            if not bucket:
                continue
            if wait(bucket, need, now):
                self.violations.append(f"I2: {key!r} was chosen without {need} units")
            bucket.admit(need, now)
        self._levels(key, pair, levels, now)

    def _levels(self, key: bytes, pair: list[Bucket | None], told: list[Value], now: int) -> None:
        for bucket, level in zip(pair, told, strict=True):
            if not bucket:
                continue
            expected = bucket.at(now)
            assert isinstance(level, int)
            if expected != level:
                # What a full bucket refills before an overrun is lost, and the overrun may have been later than was known.
                since = now if bucket.overrun is None else bucket.overrun
                if expected - bucket.refill * (now - since) <= level < expected:
                    self.counts["full when it was overrun"] += 1
                else:
                    text = f"I1/S1/S2: {key!r} holds {level}, and {expected} follows from the replies before"
                    self.violations.append(text)
                bucket.level, bucket.stamp = level, now
            bucket.overrun = None


def wait(bucket: Bucket, units: int, now: int) -> int:
    needed = min(units, bucket.capacity)
    level = bucket.at(now)
    return 0 if level >= needed else -((level - needed) // bucket.refill) + max(0, bucket.stamp - now)


def integers(packed: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(packed) // 8}q", packed))
