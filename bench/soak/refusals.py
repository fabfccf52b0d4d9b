"""Requests that the gateway itself refuses: each with its status, its code, and what becomes of the connection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from .processes import GUEST_KEY, HEAD_TIMEOUT, MAX_BODY, MAX_HEADER, MAX_HEADERS, MAX_TARGET, TEAM_KEY
from .request_kinds import API_VERSION, BOUNDARY
from .scenario import Scenario
from .session import Session, check_refusal

CHAT = f"/openai/deployments/chat/chat/completions?api-version={API_VERSION}"
V1 = "/openai/v1/chat/completions"
GOOD = b'{"model":"chat","messages":[{"role":"user","content":"hello"}]}'


@dataclass(frozen=True, slots=True)
class Refusal:
    """One bad request as bytes, and the answer it gets."""

    name: str
    weight: float
    data: bytes
    status: int
    code: str
    closes: bool | None = False
    client: str = "team"
    method: str = "POST"

    def scenario(self) -> Scenario:
        async def run(session: Session) -> None:
            channel = await session.lease()
            answer = await session.talk(channel, self.data, self.method)
            # docs/metrics.md does not say whether a model that the client may not use is its label.
            session.shared.ledger.count(self.client, None if self.status == 403 else "", answer.status)
            check_refusal(answer, self.status, self.code, closes=self.closes)

        return Scenario(self.name, self.weight, run)


def _bytes(
    target: str,
    body: bytes = GOOD,
    key: str | None = TEAM_KEY,
    *lines: str,
    method: str = "POST",
    length: int | None = None,
) -> bytes:
    head = [f"{method} {target} HTTP/1.1", "host: gateway.test", "content-type: application/json"]
    if key is not None:
        head.append(f"api-key: {key}")
    head.append(f"content-length: {len(body) if length is None else length}")
    return ("\r\n".join([*head, *lines]) + "\r\n\r\n").encode() + body


def scenarios() -> list[Scenario]:
    refusals = [*_by_key(), *_by_body(), *_by_head(), *_by_framing()]
    return [
        *(refusal.scenario() for refusal in refusals),
        Scenario("head that does not end", 0.15, _late_head),
        Scenario("body that does not come", 0.15, _late_body),
        Scenario("chunked body that is too large", 0.2, _endless_body),
    ]


def _by_key() -> list[Refusal]:
    big = b'{"model":"chat","x":"' + b"x" * 200_000 + b'"}'
    return [
        Refusal("wrong key", 2, _bytes(CHAT, key="soak-key-of-nobody"), 401, "401", client=""),
        Refusal("no key", 1, _bytes(V1, key=None), 401, "401", client=""),
        Refusal("no key, 200 kB", 0.5, _bytes(V1, big, None), 401, "401", client=""),
        Refusal(
            "two keys", 0.5, _bytes(V1, GOOD, TEAM_KEY, f"authorization: Bearer {GUEST_KEY}"), 401, "401", client=""
        ),
        Refusal(
            "key in another scheme", 0.5, _bytes(V1, GOOD, None, "authorization: Basic eA=="), 401, "401", client=""
        ),
        Refusal("model of others by path", 1, _bytes(CHAT, key=GUEST_KEY), 403, "PermissionDenied", client="guest"),
        Refusal("model of others by v1", 1, _bytes(V1, key=GUEST_KEY), 403, "PermissionDenied", client="guest"),
        Refusal("unknown model by path", 1, _bytes(CHAT.replace("/chat/", "/nothing/", 1)), 404, "DeploymentNotFound"),
        Refusal("unknown model by v1", 1, _bytes(V1, GOOD.replace(b'"chat"', b'"nothing"')), 404, "DeploymentNotFound"),
    ]


def _by_body() -> list[Refusal]:
    twice = GOOD.replace(b'"model":"chat",', b'"model":"chat","model":"gpt-4o-mini",')
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n'
    form = (part + part + f"--{BOUNDARY}--\r\n").encode()
    form_head = (
        f"POST /openai/v1/audio/transcriptions HTTP/1.1\r\nhost: gateway.test\r\napi-key: {TEAM_KEY}\r\n"
        f"content-type: multipart/form-data; boundary={BOUNDARY}\r\ncontent-length: {len(form)}\r\n\r\n"
    ).encode()
    return [
        Refusal("broken JSON", 1, _bytes(V1, GOOD[:-2]), 400, "InvalidRequest"),
        Refusal("JSON with a tail", 0.5, _bytes(V1, GOOD + b"{}"), 400, "InvalidRequest"),
        Refusal("JSON array", 0.5, _bytes(V1, b"[1,2,3]"), 400, "InvalidRequest"),
        Refusal("broken JSON of 100 kB", 0.3, _bytes(V1, b'{"a":"' + b"a" * 100_000), 400, "InvalidRequest"),
        Refusal("model twice", 0.5, _bytes(V1, twice), 400, "InvalidRequest"),
        Refusal("model a number", 0.5, _bytes(V1, GOOD.replace(b'"chat"', b"7")), 400, "InvalidRequest"),
        Refusal(
            "compressed JSON", 0.5, _bytes(V1, GOOD, TEAM_KEY, "content-encoding: gzip"), 415, "UnsupportedMediaType"
        ),
        Refusal("form with two models", 0.5, form_head + form, 400, "InvalidRequest", client="team"),
        Refusal("body too large", 0.5, _bytes(V1, b"", length=MAX_BODY + 1), 413, "RequestTooLarge", closes=True),
    ]


def _by_head() -> list[Refusal]:
    fat = f"x-fat: {'f' * MAX_HEADER}"
    many = [f"x-many-{index}: 1" for index in range(MAX_HEADERS)]
    code, target = "RequestHeaderFieldsTooLarge", f"/openai/{'t' * MAX_TARGET}"
    return [
        Refusal("fat field", 0.5, _bytes(V1, b"", TEAM_KEY, fat), 431, code, True, ""),
        Refusal("many fields", 0.5, _bytes(V1, b"", TEAM_KEY, *many), 431, code, True, ""),
        Refusal("long target", 0.5, _bytes(target, b""), 414, "RequestTargetTooLong", True, ""),
        # Its head is above `max_header_bytes` too.
        Refusal("very long target", 0.3, _bytes(target * 20, b""), 414, "RequestTargetTooLong", True, ""),
        Refusal("dot segment", 0.5, _bytes("/openai/../v1/models", b""), 400, "MalformedRequest", True, ""),
        Refusal("other expectation", 0.5, _bytes(V1, b"", TEAM_KEY, "expect: tea"), 417, "ExpectationFailed", True, ""),
        Refusal("TRACE", 0.5, _bytes(V1, b"", method="TRACE"), 405, "MethodNotAllowed", None, "team", "TRACE"),
    ]


def _by_framing() -> list[Refusal]:
    head = f"POST {V1} HTTP/1.1\r\nhost: gateway.test\r\napi-key: {TEAM_KEY}\r\n".encode()
    code = "MalformedRequest"
    return [
        Refusal("no HTTP", 0.5, b"BANANA\r\n\r\n", 400, code, True, ""),
        Refusal("two lengths", 0.5, head + b"content-length: 3\r\ncontent-length: 4\r\n\r\n", 400, code, True, ""),
        Refusal(
            "length and chunks",
            0.5,
            head + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
            400,
            code,
            True,
            "",
        ),
        Refusal("no host", 0.5, head.replace(b"host: gateway.test\r\n", b"") + b"\r\n", 400, code, True, ""),
        Refusal("folded field", 0.5, head + b"x-a: b\r\n c\r\n\r\n", 400, code, True, ""),
        Refusal("bad chunk", 0.5, head + b"transfer-encoding: chunked\r\n\r\nzz\r\n", 400, code, True, "team"),
    ]


async def _late_head(session: Session) -> None:
    channel = await session.connect()
    await session.send(channel, f"POST {V1} HTTP/1.1\r\nhost: gateway.test\r\n".encode())
    started = asyncio.get_running_loop().time()
    answer = await session.talk(channel, b"", "POST")
    check_refusal(answer, 408, "RequestTimeout", closes=True)
    if asyncio.get_running_loop().time() - started < HEAD_TIMEOUT - 0.2:
        raise ValueError("the gateway lost its patience too early")
    session.shared.ledger.count("", "", 408)


async def _late_body(session: Session) -> None:
    channel = await session.lease()
    answer = await session.talk(channel, _bytes(V1, b'{"model"', length=500), "POST")
    check_refusal(answer, 408, "RequestTimeout", closes=True)
    session.shared.ledger.count("team", "", 408)


async def _endless_body(session: Session) -> None:
    """Chunk after chunk, until the gateway has had enough."""
    channel = await session.lease()
    lines = (f"POST {V1} HTTP/1.1", "host: gateway.test", f"api-key: {TEAM_KEY}", "transfer-encoding: chunked")
    await session.send(channel, ("\r\n".join(lines) + "\r\n\r\n").encode())
    chunk = b"40000\r\n" + b"c" * 0x40000 + b"\r\n"
    for _ in range(MAX_BODY // 0x40000 + 1):
        await session.send(channel, chunk)
    answer = await session.talk(channel, b"", "POST")
    check_refusal(answer, 413, "RequestTooLarge", closes=True)
    session.shared.ledger.count("team", "", 413)
