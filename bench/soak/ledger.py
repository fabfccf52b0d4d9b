"""What the clients counted, to be held against what the gateway counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .exposition import Exposition


@dataclass(frozen=True, slots=True)
class Label:
    """Where the gateway must count an exchange: see docs/metrics.md."""

    client: str
    model: str | None
    """`None`: docs/metrics.md leaves the model open."""
    status: str


@dataclass(slots=True)
class Ledger:
    labels: Counter[Label] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    """By endpoint."""
    servable: int = 0
    """Attempts whose whole request can have come to Azure."""
    unfinished: int = 0
    """Attempts whose client left before its upload was whole."""
    connections: int = 0
    pings: int = 0
    """Comments that clients read in streams they read to the end."""
    body_sent: int = 0
    """Request body bytes of exchanges that Azure answered in full: the gateway must have received them."""
    offered: int = 0
    """All bytes sent to the gateway: it cannot have received more in bodies."""
    body_relayed: int = 0
    """Bytes of Azure's answers that clients read."""

    def count(self, client: str, model: str | None, status: int) -> None:
        self.labels[Label(client, model, "499" if status == 499 else f"{status // 100}xx")] += 1

    def disagreements(self, start: Exposition, end: Exposition, served: int, unfinished: int) -> list[str]:
        """What was counted otherwise between two scrapes at rest.

        `served`: requests that came to Azure as a whole; `unfinished`: those that broke off in their body.
        """
        found: list[str] = []
        # Fewer may come: clients leave.
        if served > self.servable:
            found.append(f"Azure served {served} requests in place of {self.servable} at most")
        if unfinished > self.unfinished:
            found.append(f"{unfinished} requests broke off on their way to Azure in place of {self.unfinished} at most")
        self._compare_requests(start, end, found)
        self._compare_attempts(start, end, found)
        accepted = end.difference(start, "sluice_connections_accepted_total")
        if accepted != self.connections:
            found.append(f"connections accepted: {accepted:.0f} in place of {self.connections}")
        heartbeats = end.difference(start, "sluice_heartbeats_total")
        if heartbeats < self.pings:
            found.append(f"heartbeats: {heartbeats:.0f}, but clients read {self.pings}")
        received = end.difference(start, "sluice_received_bytes_total")
        if not self.body_sent <= received <= self.offered:
            found.append(f"received bytes: {received:.0f}, not within {self.body_sent} to {self.offered}")
        sent = end.difference(start, "sluice_sent_bytes_total")
        if sent < self.body_relayed:
            found.append(f"sent bytes: {sent:.0f}, but clients read {self.body_relayed}")
        for name in ("gen_ai_server_request_duration_seconds_count", "sluice_requests_total"):
            total = end.difference(start, name)
            if total != self.labels.total():
                found.append(f"{name}, all labels: {total:.0f} in place of {self.labels.total()}")
        dropped = end.difference(start, "sluice_log_dropped_bytes_total")
        if dropped:
            found.append(f"log bytes dropped: {dropped:.0f}")
        return found

    def _compare_requests(self, start: Exposition, end: Exposition, found: list[str]) -> None:
        open_models = {(label.client, label.status) for label in self.labels if label.model is None}
        ours: Counter[tuple[str, str, str]] = Counter()
        for label, count in self.labels.items():
            model = "*" if (label.client, label.status) in open_models else label.model or ""
            ours[label.client, model, label.status] += count
        theirs: Counter[tuple[str, str, str]] = Counter()
        for labels, value in end.samples("sluice_requests_total"):
            known = dict(labels)
            client, status = known["client"], known["status"]
            model = "*" if (client, status) in open_models else known["model"]
            before = start.values.get(("sluice_requests_total", labels), 0.0)
            theirs[client, model, status] += round(value - before)
        for key in sorted(ours.keys() | theirs.keys()):
            if ours[key] != theirs[key]:
                client, model, status = key
                found.append(
                    f"requests of client {client!r}, model {model!r}, {status}: {theirs[key]} in place of {ours[key]}"
                )

    def _compare_attempts(self, start: Exposition, end: Exposition, found: list[str]) -> None:
        """Each attempt is counted once, by how it ended."""
        theirs: Counter[str] = Counter()
        for labels, value in end.samples("sluice_upstream_attempts_total"):
            before = start.values.get(("sluice_upstream_attempts_total", labels), 0.0)
            theirs[dict(labels)["endpoint"]] += round(value - before)
        for endpoint in sorted(self.attempts.keys() | theirs.keys()):
            if self.attempts[endpoint] != theirs[endpoint]:
                found.append(f"attempts at {endpoint!r}: {theirs[endpoint]} in place of {self.attempts[endpoint]}")
