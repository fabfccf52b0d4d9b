"""Where a run's figures go: a numbered report with its data beside it, and the README's section."""

import json
import os
import re
from dataclasses import asdict
from pathlib import Path

from bars import Verdict
from failures import RunFailure
from report import Circumstances, markdown, summary
from results import Results

_BEGIN, _END = "<!-- compare:begin -->", "<!-- compare:end -->"


def write_report(folder: Path, results: Results, verdicts: list[Verdict], run: Circumstances) -> Path:
    """Writes the report and its data under the next free number; returns the report's path."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = [int(file.name[:4]) for file in folder.iterdir() if re.match(r"\d{4}-", file.name)]
    report = folder / f"{max(taken, default=0) + 1:04}-compare.md"
    report.write_text(markdown(results, verdicts, run))
    data = {
        **asdict(run),
        "bars": [{**asdict(verdict), "verdict": verdict.word} for verdict in verdicts],
        "skipped": [asdict(skip) for skip in results.skipped],
        "rounds_by_load": results.rounds,
    }
    report.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n")
    return report


def rewrite_section(readme: Path, report: Path, results: Results, run: Circumstances) -> None:
    """Puts the summary between the marks of the README."""
    text = readme.read_text()
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise RunFailure(f"{readme.name} has no section between {_BEGIN} and {_END}")
    link = os.path.relpath(report, readme.parent)
    note = f"{run.date}, {run.machine}; every load, the spread and the bars are in [{report.name}]({link})."
    readme.write_text(f"{before}{begin}\n{summary(results)}\n\n{note}\n{end}{after}")
