"""sluice-load, the load generator: one event loop, a fixed number of callers, each with one request at a time."""

import json
import tempfile
from pathlib import Path

from failures import Unavailable
from loads import CLIENT_KEY, PATH, Load
from machine import Seat
from processes import output_of


def run_sluice_load(binary: Path, load: Load, port: int, seconds: int, seat: Seat) -> dict[str, float]:
    """Puts the load on a port. Answers that are open at the end are waited for, so every one counts that cost CPU.

    One failed request is enough to refuse the figures.
    """
    scenario = {
        "load": {"closed": {"workers": load.connections, "for": f"{seconds}s"}},
        "connections": load.connections,
        "timeouts": {"request": "10s", "drain": "10s"},
        "clients": [{"name": "compare", "key": CLIENT_KEY}],
        "requests": [{"path": PATH, "body": load.body}],
    }
    with tempfile.TemporaryDirectory(prefix="sluice-compare-load.") as name:
        file, result = Path(name, "load.yaml"), Path(name, "result.json")
        file.write_text(json.dumps(scenario))
        command = [str(binary), str(file), "--loops", "1", "--quiet", "--target", f"http://127.0.0.1:{port}"]
        output_of([*command, "--json", str(result)], seat, timeout=seconds + 40)
        report = json.loads(result.read_text())
    total, corrected = report["total"], report["corrected"]
    bad = total["requests"] - total["succeeded"]
    if bad or total["brokenStreams"]:
        kinds = f"{total['failures']} {total['statuses']}"
        raise Unavailable(f"{bad} of {total['requests']} requests were not answered well: {kinds}")
    if not corrected:
        raise Unavailable(f"no answer was complete within {seconds} s")
    return {
        "requests": total["succeeded"],
        "duration_us": sum(second["seconds"] for second in report["timeline"]) * 1e6,
        # wrk's are corrected for coordinated omission as well.
        "p50_us": corrected["p50"] * 1_000,
        "p99_us": corrected["p99"] * 1_000,
    }
