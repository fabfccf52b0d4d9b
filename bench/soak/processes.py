"""The two programs under load: started on free ports, waited for by a condition, ended by their id."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .pools import pool_routes

MOCK_KEY = "soak-azure-key"
TEAM_KEY = "soak-key-of-team"
GUEST_KEY = "soak-key-of-guest"
START_SECONDS = 20.0
STOP_SECONDS = 20.0
# glibc's own defaults, which it would raise to the size of the largest bodies seen: then megabytes that were freed long
# ago stay with the process or not, by chance. So what is measured is what the gateway holds.
PLAIN_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}
LOG_LIMIT = 64 * 1024 * 1024

MAX_BODY = 4 * 1024 * 1024
MAX_HEADER = 16 * 1024
MAX_HEADERS = 60
MAX_TARGET = 2 * 1024
HEAD_TIMEOUT = 2.0

CONFIGURATION = """\
listen: 127.0.0.1:0
admin: 127.0.0.1:0
server:
  threads: 2
  heartbeat: 400ms
  max_header_bytes: 16k
  max_header_count: 60
  max_target_bytes: 2k
  max_body_bytes: 4M
  request_head_timeout: 2s
  drain: {{lame_duck: 0s, grace: 5s}}
clients:
  - {{name: team, api_keys: [{team}]}}
  - {{name: guest, api_keys: [{guest}], models: [embed]}}
endpoints:
  - {{name: main, url: "{mock}", api_key: {key}, connections: {{max: 512}}}}
  - {{name: brisk, url: "{mock}", api_key: {key}, timeouts: {{first_byte: 1s, idle: 1s, total: 20s}}}}
  - {{name: brief, url: "{mock}", api_key: {key}, timeouts: {{total: 1s}}}}
  - {{name: narrow, url: "{mock}", api_key: {key}, connections: {{max: 2, max_wait: 100ms, max_waiting: 2}}}}
  - {{name: nowhere, url: "{nowhere}", api_key: {key}}}
models:
  - {{name: chat, deployments: [{{endpoint: main, deployment: gpt-4o}}]}}
  - {{name: gpt-4o-mini, deployments: [{{endpoint: main, deployment: gpt-4o-mini}}]}}
  - {{name: embed, deployments: [{{endpoint: main, deployment: text-embedding-3-small}}]}}
  - {{name: whisper, deployments: [{{endpoint: main, deployment: whisper}}]}}
  - {{name: brisk, deployments: [{{endpoint: brisk, deployment: gpt-4o}}]}}
  - {{name: brief, deployments: [{{endpoint: brief, deployment: gpt-4o}}]}}
  - {{name: narrow, deployments: [{{endpoint: narrow, deployment: gpt-4o}}]}}
  - {{name: nowhere, deployments: [{{endpoint: nowhere, deployment: gpt-4o}}]}}
{pools}"""

# Model -> (endpoint, deployment), as above; the first endpoint serves requests without a model.
ROUTES = {
    "": ("main", ""),
    "chat": ("main", "gpt-4o"),
    "gpt-4o-mini": ("main", "gpt-4o-mini"),
    "embed": ("main", "text-embedding-3-small"),
    "whisper": ("main", "whisper"),
    "brisk": ("brisk", "gpt-4o"),
    "brief": ("brief", "gpt-4o"),
    "narrow": ("narrow", "gpt-4o"),
    "nowhere": ("nowhere", "gpt-4o"),
    **pool_routes(),
}


class StartError(Exception):
    """A program did not come up."""


@dataclass(slots=True)
class Program:
    """A child that is this object's to end."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @staticmethod
    async def start(
        name: str, arguments: list[str], log: Path, cores: set[int] | None, environment: dict[str, str] | None = None
    ) -> Program:
        pin: Callable[[], None] | None = None if cores is None else lambda: os.sched_setaffinity(0, cores)
        # Appending: the log can be cut back while it is written.
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
                preexec_fn=pin,
            )
        return Program(name, process, log)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process.returncode is None

    async def wait_for(self, what: str, found: Callable[[], str | None]) -> str:
        """Waits until `found` has something; fails when the program is gone or the time is up."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + START_SECONDS
        while (result := found()) is None:
            if not self.is_running or loop.time() > deadline:
                raise StartError(f"{self.name}: {what}; its log ends with: {self.tail(600)}")
            await asyncio.sleep(0.05)
        return result

    def tail(self, count: int) -> str:
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - count))
            return log.read().decode(errors="replace")

    def trim_log(self) -> None:
        """Keeps the log from filling the disk: half an hour of access lines is hundreds of megabytes."""
        if self.log.stat().st_size > LOG_LIMIT:
            os.truncate(self.log, 0)

    async def stop(self) -> int:
        """Asks it to end, insists after a while; the exit status, negative for a signal."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            return await self.process.wait()


async def start_mock(binaries: Path, folder: Path, cores: set[int] | None) -> tuple[Program, int]:
    log = folder / "mock-azure.log"
    arguments = [str(binaries / "mock-azure"), "--listen", "127.0.0.1:0", "--api-key", MOCK_KEY]
    for deployment in sorted({deployment for _, deployment in ROUTES.values()} - {""}):
        arguments += ["--deployment", deployment]
    mock = await Program.start("mock-azure", arguments, log, cores)

    def port() -> str | None:
        match = re.search(r"listening on 127\.0\.0\.1:(\d+)", log.read_text())
        return None if match is None else match[1]

    try:
        return mock, int(await mock.wait_for("does not listen", port))
    except BaseException:
        await mock.stop()
        raise


async def start_gateway(
    binaries: Path, folder: Path, mock_port: int, dead_port: int, cores: set[int] | None
) -> tuple[Program, int, int]:
    """The gateway, its data port and its admin port. Nothing listens on `dead_port`."""
    file, ports = folder / "sluice.yaml", folder / "ports"
    file.write_text(
        CONFIGURATION.format(
            team=TEAM_KEY,
            guest=GUEST_KEY,
            key=MOCK_KEY,
            mock=f"http://127.0.0.1:{mock_port}",
            nowhere=f"http://127.0.0.1:{dead_port}",
            pools="".join(
                f"  - {{name: {model}, deployments: [{{endpoint: {endpoint}, deployment: {deployment}}}]}}\n"
                for model, (endpoint, deployment) in pool_routes().items()
            ),
        )
    )
    arguments = [str(binaries / "sluice"), "serve", "--config", str(file), "--port-file", str(ports)]
    gateway = await Program.start("sluice", arguments, folder / "sluice.log", cores, PLAIN_MALLOC)

    def both() -> str | None:
        text = ports.read_text() if ports.exists() else ""
        found = dict(re.findall(r"^(data|admin) 127\.0\.0\.1:(\d+)$", text, re.MULTILINE))
        return f"{found['data']} {found['admin']}" if len(found) == 2 else None

    try:
        data, admin = (await gateway.wait_for("does not listen", both)).split()
        return gateway, int(data), int(admin)
    except BaseException:
        await gateway.stop()
        raise
