"""What was measured, round by round, and what it comes to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

from failures import Unavailable

Sample = dict[str, float]


@dataclass(frozen=True)
class Skip:
    """Something that was asked for and not measured."""

    what: str
    who: str
    reason: str


@dataclass
class Results:
    rounds: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    """By load and target, a sample for each round: those of one round stand at the same place."""
    skipped: list[Skip] = field(default_factory=list)

    def add(self, load: str, target: str, sample: Sample) -> None:
        self.rounds.setdefault(load, {}).setdefault(target, []).append(sample)

    def skip(self, what: str, who: str, reason: str) -> None:
        """Notes why there is nothing to see; samples of rounds before it failed do not count."""
        self.rounds.get(what, {}).pop(who, None)
        self.skipped.append(Skip(what, who, reason))

    def values(self, load: str, target: str, metric: str) -> list[float]:
        samples = self.rounds.get(load, {}).get(target, [])
        return [sample[metric] for sample in samples if metric in sample]

    def median(self, load: str, target: str, metric: str) -> float | None:
        values = self.values(load, target, metric)
        return median(values) if values else None

    def ratio(self, load: str, metric: str, target: str, reference: str) -> float | None:
        """The median of the ratios within a round: what slows a whole round down does not count.

        A round whose reference is not above zero, which a difference of two noisy times may be, has no ratio.
        """
        pairs = zip(self.values(load, target, metric), self.values(load, reference, metric))
        ratios = [value / base for value, base in pairs if base > 0]
        return median(ratios) if ratios else None

    def subtract(self, load: str, metric: str, reference: str, difference: str) -> None:
        """Adds to every sample how far it is above the reference's sample of its round."""
        base = self.values(load, reference, metric)
        for target, samples in self.rounds.get(load, {}).items():
            if target != reference:
                for sample, value in zip(samples, base):
                    sample[difference] = sample[metric] - value

    def measure_interleaved(self, load: str, rounds: int, measures: Mapping[str, Callable[[], Sample]]) -> None:
        """Takes each measure once per round, beginning with another one each round; drops those that fail twice."""
        remaining = list(measures)
        for turn in range(rounds):
            first = turn % max(1, len(remaining))
            for target in remaining[first:] + remaining[:first]:
                try:
                    self.add(load, target, _second_try(measures[target]))
                except Unavailable as failure:
                    self.skip(load, target, str(failure))
                    remaining.remove(target)


def _second_try(measure: Callable[[], Sample]) -> Sample:
    """A timeout on a busy machine should not cost what all other rounds have measured."""
    try:
        return measure()
    except Unavailable:
        return measure()
