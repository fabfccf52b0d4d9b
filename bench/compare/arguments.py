"""The command line."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from proxies import GATEWAY

REPOSITORY = Path(__file__).resolve().parents[2]
PARTS = ["unary", "burst", "paced", "one", "ttfb", "tls", "memory", "scaling", "governed"]
PROXIES = ["nginx", "haproxy", "envoy", GATEWAY]
_ROUNDS, _SECONDS = 5, 4


@dataclass(frozen=True)
class Options:
    only: list[str]
    proxies: list[str]
    rounds: int
    seconds: int
    gateway: Path
    mock: Path
    load: Path
    wrk: bool
    envoy: Path | None
    results: Path
    readme: Path | None
    strict: bool
    keep: bool

    @property
    def command(self) -> str:
        """What to type to repeat the run, on any machine."""
        given = []
        if self.only != PARTS:
            given.append(f"--only {','.join(self.only)}")
        if self.proxies != PROXIES:
            given.append(f"--proxies {','.join(self.proxies)}")
        if (self.rounds, self.seconds) != (_ROUNDS, _SECONDS):
            given.append(f"--rounds {self.rounds} --seconds {self.seconds}")
        if self.wrk:
            given.append("--wrk")
        return f'make compare OPTIONS="{" ".join(given)}"' if given else "make compare"


def parse(description: str | None) -> Options:
    parser = argparse.ArgumentParser(
        prog="bench/compare", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    built = REPOSITORY / ".build/release"
    option = parser.add_argument
    option("--only", type=_Some(PARTS), default=PARTS, metavar="PART,...", help=f"of {','.join(PARTS)}; default all")
    option("--proxies", type=_Some(PROXIES), default=PROXIES, metavar="NAME,...", help=f"of {','.join(PROXIES)}")
    option("--rounds", type=_Between(1, 1000), default=_ROUNDS, help="of every load; default %(default)s")
    option("--seconds", type=_Between(1, 600), default=_SECONDS, help="a load runs in a round; default %(default)s")
    option("--gateway", type=Path, default=built / "sluice", metavar="PATH", help="default .build/release/sluice")
    option("--mock", type=Path, default=built / "mock-azure", metavar="PATH", help="default .build/release/mock-azure")
    option("--load", type=Path, default=built / "sluice-load", metavar="PATH", help="default .build/release/sluice-load")
    option("--wrk", action="store_true", help="wrk puts the load, not sluice-load")
    option("--envoy", type=Path, metavar="PATH", help="default: the one in .venv, or on PATH")
    option("--results", type=Path, default=REPOSITORY / "bench/results", metavar="FOLDER", help="default bench/results")
    option(
        "--readme",
        type=Path,
        nargs="?",
        const=REPOSITORY / "README.md",
        metavar="FILE",
        help="also rewrite the marked section of README.md, or of this file",
    )
    option("--strict", action="store_true", help="a bar that is missed fails the run")
    option("--keep", action="store_true", help="keep configurations and logs")
    return Options(**vars(parser.parse_args()))


class _Some:
    """An argument that names some of what there is, with commas between them."""

    def __init__(self, known: list[str]):
        self._known = known

    def __call__(self, text: str) -> list[str]:
        wanted = text.split(",")
        for name in wanted:
            if name not in self._known:
                raise argparse.ArgumentTypeError(f"'{name}' is not one of {', '.join(self._known)}")
        return [name for name in self._known if name in wanted]


class _Between:
    """An argument that is a whole number of a range."""

    def __init__(self, least: int, most: int):
        self._least, self._most = least, most

    def __call__(self, text: str) -> int:
        if not text.isdecimal() or not self._least <= int(text) <= self._most:
            raise argparse.ArgumentTypeError(f"takes a whole number from {self._least} to {self._most}")
        return int(text)
