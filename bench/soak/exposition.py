"""Prometheus' text format 0.0.4, read strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exposition:
    values: dict[tuple[str, Labels], float]
    types: dict[str, str]

    @staticmethod
    def parse(text: str) -> Exposition:
        if not text.endswith("\n"):
            raise ValueError("the page does not end with a line break")
        values: dict[tuple[str, Labels], float] = {}
        types: dict[str, str] = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                types[name] = kind
            elif not line.startswith("# HELP "):
                match = SAMPLE.fullmatch(line)
                if match is None:
                    raise ValueError(f"no sample: {line[:200]}")
                key = (match[1], tuple(LABEL.findall(match[2] or "")))
                family = re.sub(r"_(bucket|sum|count)$", "", match[1])
                if key in values or (match[1] not in types and types.get(family) != "histogram"):
                    raise ValueError(f"a sample that stands twice or has no type: {line[:200]}")
                values[key] = float(match[3])
        return Exposition(values, types)

    def samples(self, name: str) -> Iterator[tuple[Labels, float]]:
        for (known, labels), value in self.values.items():
            if known == name:
                yield labels, value

    def total(self, name: str) -> float:
        return sum(value for _, value in self.samples(name))

    def difference(self, start: Exposition, name: str) -> float:
        return self.total(name) - start.total(name)

    def fallen(self, earlier: Exposition) -> list[str]:
        """Counters that went down since, as only those of another process can."""
        found = []
        for (name, labels), value in earlier.values.items():
            kind = self.types.get(name) or self.types.get(re.sub(r"_(bucket|sum|count)$", "", name))
            if kind in ("counter", "histogram") and self.values.get((name, labels), 0.0) < value:
                found.append(f"{name}{dict(labels)}")
        return found
