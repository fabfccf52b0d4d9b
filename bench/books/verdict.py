"""The books of a run, compared exchange by exchange.

What a caller saw, its usage event, the counters in Redis and the books of mock-azure. Whatever differs is listed by exchange, with
the loss of docs/usage.md that it is, and is wrong if it is none or beyond that loss's bound.
"""

import contextlib
import copy
import io
import itertools
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

from bench.books.fleet import ESTIMATED

# docs/usage.md: what a gateway that was killed may have had on its way to the spool, in seconds.
EVENTS_AT_RISK = 1.0


@dataclass(slots=True)
class Event:
    id: str
    client: str
    model: str
    deployment: str
    status: int
    tokens: tuple
    is_estimated: bool
    azure_id: str
    attempts: tuple


def read_events(folder):
    """All events, and how many came twice."""
    events, twice = {}, 0
    for file in sorted(folder.glob("*.jsonl")):
        with file.open() as lines:
            for line in lines:
                told = json.loads(line)
                event = Event(
                    id=told["id"], client=told["client"], model=told.get("model", ""),
                    deployment=told.get("deployment", ""), status=told["status"],
                    tokens=(told["tokens"]["input"], told["tokens"]["output"]), is_estimated=told["estimated"],
                    azure_id=told.get("upstream_request_id", ""),
                    attempts=tuple((part.get("deployment", ""), part["status"]) for part in told["attempts"]))
                twice += event.id in events
                events[event.id] = event
    return events, twice


class Books:
    """What the gateways, Redis and mock-azure wrote down."""

    def __init__(self, fleet):
        self.events, self.twice = read_events(fleet.folder / "events")
        self.stats, self.counters = fleet.stats(), fleet.counters()
        self.rows = 0
        for file in (fleet.folder / "csv").glob("*.csv"):
            with file.open() as lines:
                self.rows += max(0, sum(1 for _ in lines) - 1)


class Verdict:
    """What the books say together.

    `killed` is the gateway, the two times between which it ended, and when it had been started again.
    """

    def __init__(self, load, books, killed=None):
        self.load, self.killed = load, killed
        self.events, self.stats, self.counters = books.events, books.stats, books.counters
        self.books = books
        self.failed = False
        self.exchanges = [exchange for caller in load.exchanges for exchange in caller]
        # (exchange, what is missing of it, the loss that it is)
        self.losses = []
        self.event_of = {}

    def check(self, holds, what):
        print(("ok    " if holds else "WRONG ") + what)
        self.failed |= not holds

    def none(self, problems, what):
        self.check(not problems, f"{what}: {len(problems)}" if problems else what)
        for problem in problems[:10]:
            print(f"      {problem}")

    def was_killed_under(self, exchange):
        """Whether its gateway was killed while it ran."""
        return (self.killed is not None and exchange.gateway == self.killed[0]
                and exchange.start <= self.killed[2] and exchange.end >= self.killed[1])

    def found_nobody(self, exchange):
        """Whether it was sent on a connection that had ended with the gateway."""
        return (self.killed is not None and exchange.gateway == self.killed[0] and exchange.outcome == "broken"
                and not exchange.status and self.killed[2] < exchange.start < self.killed[3])

    def may_have_lost_event(self, exchange):
        return (self.killed is not None and exchange.gateway == self.killed[0]
                and exchange.start <= self.killed[2] and exchange.end >= self.killed[1] - EVENTS_AT_RISK)

    def compare(self):
        twice = self.books.twice
        self.check(twice == 0 and len(self.events) > 0, f"{len(self.events)} events, {twice} of them twice")
        self.compare_rows()
        self.none(self.load.problems, "callers read the usage that Azure was told to report")
        self.compare_events()
        self.compare_counters()
        self.compare_attempts()
        self.compare_tokens()
        self.list_losses()
        outcomes = Counter(f"{exchange.outcome} {exchange.status or ''}".strip() for exchange in self.exchanges)
        moved = sum(len(event.attempts) > 1 for event in self.events.values())
        print(f"exchanges: {dict(sorted(outcomes.items()))}; {moved} took another deployment")
        return not self.failed

    def compare_rows(self):
        rows = self.books.rows
        answered = sum(bool(event.attempts) and event.attempts[-1][1] > 0 for event in self.events.values())
        self.check(rows == answered, f"PowerProxy's columns: {rows} rows for {answered} answers of Azure")

    # Exchange by exchange.

    def compare_events(self):
        by_azure_id = {event.azure_id: event for event in self.events.values() if event.azure_id}
        unseen = set(self.events)
        missing, wrong, compared = [], [], 0
        for exchange in self.exchanges:
            event = by_azure_id.get(exchange.azure_id) or self.events.get(exchange.gateway_id)
            if event is None:
                if exchange.outcome == "unreached" or self.found_nobody(exchange):
                    continue
                if self.was_killed_under(exchange) and exchange.outcome != "answered":
                    self.losses.append((exchange, "event", "kill -9: it was running"))
                elif self.may_have_lost_event(exchange):
                    self.losses.append((exchange, "event", "kill -9: events of the last second"))
                else:
                    missing.append(str(exchange))
                continue
            unseen.discard(event.id)
            self.event_of[id(exchange)] = event
            compared += 1
            wrong += self.differences(exchange, event)
        self.none(missing, f"{compared} exchanges have their event")
        self.none(wrong, "each event says what its caller saw: client, model, deployment, attempts, status, tokens")
        # A caller that was cut off while its gateway was killed knows no id.
        running = [exchange for exchange in self.exchanges
                   if self.was_killed_under(exchange) and exchange.outcome == "broken" and not exchange.azure_id]
        strange = [self.events[number] for number in unseen
                   if self.events[number].client not in {f"team-{exchange.caller}" for exchange in running}]
        self.none([f"{event.id} of {event.client}" for event in strange],
                  f"every event has an exchange ({len(unseen) - len(strange)} of exchanges that the kill cut off)")

    def differences(self, exchange, event):
        told = [(event.client, f"team-{exchange.caller}", "client"), (event.model, exchange.model, "model")]
        if exchange.deployment:
            told.append((event.deployment, exchange.deployment, "deployment"))
        if exchange.attempts:
            told.append((len(event.attempts), exchange.attempts, "attempts"))
        if exchange.outcome == "answered":
            told.append((event.status, exchange.status, "status"))
            if exchange.model != "left":
                told += [(event.tokens, exchange.tokens, "tokens"), (event.is_estimated, False, "estimated")]
        if exchange.outcome == "left" and event.status not in (200, 499):
            told.append((event.status, 499, "status"))
        return [f"{exchange}: the event's {what} is {found}, not {wanted}" for found, wanted, what in told
                if found != wanted]

    # Redis: by caller and deployment; a caller has one exchange at a time, so what is missing is its last.

    def compare_counters(self):
        booked = defaultdict(list)
        for exchange in self.exchanges:
            event = self.event_of.get(id(exchange))
            if event and event.attempts:
                booked[(event.client, event.model, event.deployment)].append((exchange, event.tokens))
            elif not event and exchange.outcome in ("answered", "left", "cut") and exchange.deployment:
                # Nobody but the event knows an estimate.
                tokens = None if exchange.deployment == ESTIMATED else exchange.tokens
                booked[(f"team-{exchange.caller}", exchange.model, exchange.deployment)].append((exchange, tokens))
        wrong, same = [], 0
        for place in sorted(set(booked) | set(self.counters)):
            entries, counted = booked[place], self.counters.get(place, Counter())
            found = (counted["req"], counted["in"], counted["out"])
            sums = [sum(tokens[part] for _, tokens in entries if tokens) for part in (0, 1)]
            wanted = (len(entries), *sums)
            if found == wanted:
                same += 1
            elif place[2] == ESTIMATED:
                if not self.explain_estimates(place, entries, [of - at for of, at in zip(found, wanted, strict=True)]):
                    wrong.append(f"{place}: Redis {found}, exchanges {wanted}")
            elif not self.explain(place, entries, [wanted[0] - found[0], wanted[1] - found[1], wanted[2] - found[2]]):
                wrong.append(f"{place}: Redis {found}, exchanges {wanted}")
        rest = "" if same == len(booked) else "; the others differ by exchanges of the killed gateway"
        self.none(wrong, f"{same} of {len(booked)} counters of clients and deployments are the sums of their exchanges" + rest)

    def explain(self, place, entries, lacks):
        """Whether what Redis lacks is the caller's last exchanges before the kill, to the token."""
        at_risk = [entry for entry in entries if self.may_have_lost_event(entry[0])]
        at_risk.sort(key=lambda entry: entry[0].end, reverse=True)
        while at_risk and lacks[0] > 0:
            exchange, tokens = at_risk.pop(0)
            lacks = [lacks[0] - 1, lacks[1] - tokens[0], lacks[2] - tokens[1]]
            self.losses.append((exchange, "counters", "kill -9: its settlement was on its way"))
        if lacks == [0, 0, 0]:
            return True
        # Or it has more: of the exchange that ran, whose caller was cut off, and which was settled all the same.
        running = [exchange for exchange in self.exchanges if self.was_killed_under(exchange)
                   and f"team-{exchange.caller}" == place[0] and exchange.model == place[1]
                   and exchange.outcome != "unreached"]
        if not running or lacks[0] not in (0, -1):
            return False
        exchange = running[-1]
        if [-lacks[1], -lacks[2]] == [exchange.prompt, exchange.output] or lacks == [-1, 0, 0]:
            self.losses.append((exchange, "nothing: it is counted", "kill -9: it was settled and its caller cut off"))
            return True
        return False

    def explain_estimates(self, place, entries, more):
        """Whether what Redis has besides the events is the estimates of the exchanges that lost theirs."""
        lost = [exchange for exchange, tokens in entries if tokens is None]
        running = [exchange for exchange in self.exchanges if self.was_killed_under(exchange)
                   and f"team-{exchange.caller}" == place[0] and exchange.model == place[1]
                   and exchange.outcome == "broken"]
        for exchange in lost[:max(0, -more[0])]:
            self.losses.append((exchange, "counters", "kill -9: its settlement was on its way"))
        # Prompts are estimated from their length and corrected by at most 3, answers from theirs.
        most = [sum(3 * (5 * exchange.prompt // 36 + 8) for exchange in lost + running),
                sum(4 * exchange.output + 4 for exchange in lost + running)]
        return -len(lost) <= more[0] <= len(running) and 0 <= more[1] <= most[0] and 0 <= more[2] <= most[1]

    # Azure: by deployment.

    def compare_attempts(self):
        told = defaultdict(Counter)
        for event in self.events.values():
            for deployment, status in event.attempts:
                if status > 0 and deployment != "gpt-4o-gone":
                    told[deployment][str(status)] += 1
        lost = sum(what == "event" for _, what, _ in self.losses)
        differs, total = [], 0
        for deployment, row in sorted(self.stats["deployments"].items()):
            azure = Counter(row["by_status"])
            for status in sorted(set(azure) | set(told[deployment])):
                if azure[status] != told[deployment][status]:
                    differs.append((deployment, status, azure[status] - told[deployment][status]))
                total += azure[status]
        fewer = sum(max(0, count) for _, _, count in differs)
        # A request that Azure answered and whose gateway was gone: Azure's book has it, and no event.
        holds = not differs if not lost else all(count > 0 for *_, count in differs) and fewer <= 3 * lost
        self.check(holds, f"{total} answers of Azure by deployment and status, {fewer} of them in no event"
                          + (f", of the {lost} exchanges without one" if lost else ""))
        for deployment, status, count in differs:
            print(f"      {deployment} {status}: {count}")

    def compare_tokens(self):
        served = defaultdict(Counter)
        for exchange in self.exchanges:
            event = self.event_of.get(id(exchange))
            tokens, deployment = (event.tokens, event.deployment) if event else (exchange.tokens, exchange.deployment)
            if event or exchange.outcome == "answered":
                served[deployment].update({"prompt": tokens[0], "completion": tokens[1], "exchanges": tokens != (0, 0)})
        models = {"gpt-4o": "chat", "gpt-4o-second": "chat", "gpt-4o-weak": "fault", "gpt-4o-worse": "fault",
                  "gpt-4o-error": "error", "gpt-4o-reply": "reply", ESTIMATED: "left", "text-embedding-3-small": "embed"}
        running = [exchange for exchange, what, loss in self.losses if what == "event" and "running" in loss
                   or "cut off" in loss]
        for deployment, model in models.items():
            azure, mine = self.stats["tokens"]["by_deployment"].get(deployment, Counter()), served[deployment]
            text = (f"{deployment}: {mine['exchanges']} exchanges with {mine['prompt']} + {mine['completion']} tokens, "
                    f"Azure {azure['prompt']} + {azure['completion']}")
            if deployment == ESTIMATED:
                estimated = sum(event.is_estimated for event in self.events.values())
                self.check(estimated > 0, f"{text}; {estimated} exchanges estimated, which Azure's books are not")
                continue
            more = (azure["prompt"] - mine["prompt"], azure["completion"] - mine["completion"])
            ran = served_unseen(more, [exchange for exchange in running if exchange.model == model])
            self.check(mine["exchanges"] > 0 and ran is not None,
                       text + (f": {more} more, of {ran or 'no'} exchanges that ran" if any(more) else ""))

    def list_losses(self):
        if not self.killed:
            return
        print(f"gateway {self.killed[0]} was killed; what the books lack of it, by exchange:")
        for exchange, what, loss in sorted(self.losses, key=lambda entry: entry[0].end):
            before = (self.killed[1] - exchange.end) * 1000
            when = f"ended {before:.0f} ms before" if before > 0 else "ran"
            print(f"      {exchange}, {when}: lacks {what} ({loss})")
        within = [exchange for exchange, what, loss in self.losses if "last second" in loss or "on its way" in loss]
        longest = max((self.killed[1] - exchange.end for exchange in within), default=0.0)
        print(f"      {len(self.losses)} in all; the oldest that had ended did so {max(0, longest) * 1000:.0f} ms before "
              f"the kill (bound: {EVENTS_AT_RISK * 1000:.0f} ms)")


def served_unseen(more, running):
    """How many of the exchanges that ran are what Azure has more: prompts whole, answers as far as they came; None if none are."""
    for count in range(len(running) + 1):
        for exchanges in itertools.combinations(running[:12], count):
            if more[0] == sum(exchange.prompt for exchange in exchanges) and \
                    0 <= more[1] <= sum(exchange.output for exchange in exchanges):
                return count
    return None


def sees_tampering(load, books, killed):
    """A judge that sees nothing proves nothing: what it does not see of books that were changed a little."""
    victim = next(event for event in books.events.values()
                  if event.client == "team-0" and event.model == "chat" and event.status == 200)
    place = (victim.client, victim.model, victim.deployment)
    without = {number: event for number, event in books.events.items() if number != victim.id}
    dearer = books.events | {victim.id: replace(victim, tokens=(victim.tokens[0] + 1, victim.tokens[1]))}
    counters = books.counters | {place: books.counters[place] - Counter({"out": 1})}
    stats = copy.deepcopy(books.stats)
    stats["tokens"]["by_deployment"][victim.deployment]["prompt"] -= 1
    changes = {
        "an event that is missing": {"events": without},
        "an event with a token too many": {"events": dearer},
        "a counter with a token too few": {"counters": counters},
        "an answer of Azure with a token too few": {"stats": stats},
        "an event that came twice": {"twice": 1},
        "a row too few": {"rows": books.rows - 1},
    }
    unseen = []
    for change, parts in changes.items():
        changed = copy.copy(books)
        for name, value in parts.items():
            setattr(changed, name, value)
        with contextlib.redirect_stdout(io.StringIO()):
            if Verdict(load, changed, killed).compare():
                unseen.append(change)
    return unseen
