"""wrk, the load generator: one thread, a fixed number of connections, each with one request at a time."""

import json
from pathlib import Path

from failures import Unavailable
from loads import CLIENT_KEY, PATH, Load
from machine import Seat
from processes import output_of

_SCRIPT = Path(__file__).with_name("wrk.lua")


def run_wrk(load: Load, port: int, seconds: int, seat: Seat) -> dict[str, float]:
    """Puts the load on a port; returns what `wrk.lua` reports. One failed request is enough to refuse the figures."""
    command = ["wrk", "-t1", f"-c{load.connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(_SCRIPT)]
    output = output_of(
        [*command, f"http://127.0.0.1:{port}"],
        seat,
        timeout=seconds + 30,
        environment={"COMPARE_PATH": PATH, "COMPARE_KEY": CLIENT_KEY, "COMPARE_BODY": load.body},
    )
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if len(lines) != 1:
        raise Unavailable("wrk reported nothing")
    report: dict[str, float] = json.loads(lines[0])
    if report["bad_statuses"] or report["broken"]:
        bad, broken = report["bad_statuses"], report["broken"]
        raise Unavailable(f"{bad} answers were not 2xx, {broken} connections or requests broke")
    return report
