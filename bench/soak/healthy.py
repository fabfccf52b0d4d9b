"""What works: every kind of call, in all sizes, fast and slow, and what Azure refuses with an answer of its own."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from .golden import Unexpected
from .pools import STATUSES_OF_THE_DEPLOYMENT
from .processes import TEAM_KEY
from .request_kinds import Chat, Embeddings, Listing, Transcription
from .scenario import Scenario, passed_on, refused_by_azure
from .session import Session, check_refusal
from .wire import Pace, read_head

STATUSES = (400, 401, 403, 404, 405, 408, 409, 413, 418, 431, 500, 502, 503, 504)
SLOW = Pace(piece=32 * 1024, pause=0.012)
SMALL_BUFFER = 32 * 1024


def scenarios() -> list[Scenario]:
    return [*_unary(), *_streams(), *_slow(), *_refused_by_azure(), *_special()]


def _unary() -> list[Scenario]:
    return [
        passed_on("chat, 1 kB", 20, Chat(), "chat"),
        passed_on("chat by v1, 1 kB", 8, Chat(v1=True), "chat"),
        passed_on("chat by v1, same name", 6, Chat(v1=True, size=3000), "gpt-4o-mini"),
        passed_on("chat, 16 kB", 5, Chat(size=16_000), "chat"),
        passed_on("chat by v1, 64 kB", 2, Chat(size=64_000, v1=True), "chat"),
        passed_on("chat, 256 kB", 0.6, Chat(size=256_000), "gpt-4o-mini"),
        passed_on("chat by v1, 1 MB", 0.5, Chat(size=1_000_000, v1=True), "chat"),
        passed_on("chat with a tool", 5, Chat(tool=True, v1=True), "chat"),
        passed_on("chat, chunked upload", 2, Chat(size=20_000, chunk=3000), "chat"),
        passed_on("chat by v1, chunked upload", 2, Chat(size=5000, chunk=700, v1=True), "chat"),
        passed_on("chat, no usage", 1, Chat("no-usage"), "chat"),
        passed_on("chat, bytes that follow an answer", 0.5, Chat("garbage=extra"), "gpt-4o-mini"),
        passed_on("chat, delayed", 3, Chat("delay=150"), "chat"),
        passed_on("chat, answer in pieces", 1.5, Chat("chunk=90,chunk-interval=10,utf8"), "chat"),
        passed_on("chat, chunked answer", 2, Chat("content-length=0,chunk=500"), "chat"),
        passed_on("chat, answer of 200 kB", 1, Chat("bytes=200000"), "chat"),
        passed_on("chat, answer of 4 MB", 0.3, Chat("bytes=4000000"), "chat"),
        passed_on("chat, chunked answer of 1 MB", 0.4, Chat("bytes=1000000,content-length=0,chunk=30000"), "chat"),
        passed_on("embeddings", 8, Embeddings(40), "embed"),
        passed_on("embeddings by v1, base64", 4, Embeddings(4000, base64=True, v1=True), "embed"),
        passed_on("embeddings, 300 kB", 0.6, Embeddings(300_000, base64=True), "embed"),
        passed_on("models", 2, Listing(), ""),
        passed_on("models, head only", 1, Listing("HEAD"), ""),
        passed_on("transcription", 3, Transcription(20_000), "whisper"),
        passed_on("transcription by v1", 2, Transcription(60_000, "verbose_json", v1=True), "whisper"),
        passed_on("transcription, 1 MB", 0.5, Transcription(1_000_000, "srt"), "whisper"),
        passed_on("transcription, chunked, 300 kB", 0.5, Transcription(300_000, "text", chunk=9000), "whisper"),
        passed_on("transcription by v1, 2 MB", 0.2, Transcription(2_000_000, "vtt", v1=True, chunk=60_000), "whisper"),
    ]


def _streams() -> list[Scenario]:
    return [
        passed_on("stream", 8, Chat(stream=True), "chat"),
        passed_on("stream by v1 with usage", 6, Chat(stream=True, usage=True, v1=True), "chat"),
        passed_on("stream of a tool call", 4, Chat(stream=True, tool=True, v1=True), "chat"),
        passed_on("stream of 300 events", 2, Chat("tokens=300,utf8", stream=True), "gpt-4o-mini"),
        passed_on("stream of large events", 0.5, Chat("tokens=30,event-bytes=30000", stream=True), "chat"),
        passed_on("stream, paced", 4, Chat("tokens=40,interval=20", stream=True), "chat"),
        passed_on(
            "stream, paced with usage", 3, Chat("tokens=25,interval=60,utf8", stream=True, usage=True, v1=True), "chat"
        ),
        passed_on("stream, silent before its first word", 1, Chat("first-token=1500", stream=True), "chat", pings=2),
        passed_on("stream, cut inside characters", 1, Chat("tokens=30,utf8,chunk=7", stream=True), "chat"),
        passed_on("stream, dripping", 1, Chat("tokens=6,utf8,chunk=23,chunk-interval=5", stream=True), "chat"),
        passed_on(
            "stream, silent inside an event", 0.3, Chat("tokens=4,chunk=900,chunk-interval=500", stream=True), "chat"
        ),
        passed_on("stream, with a length", 1, Chat("content-length=1", stream=True), "chat"),
        passed_on("stream, error in it", 2, Chat("error-after=7", stream=True), "chat"),
        Scenario("stream, error at its start", 1, _refused_stream),
    ]


def _slow() -> list[Scenario]:
    large, burst = Chat("bytes=2000000"), Chat("tokens=60,event-bytes=20000", stream=True)
    return [
        passed_on("slow reader of 2 MB", 0.4, large, "chat", SLOW, SMALL_BUFFER),
        passed_on("slow reader of a burst", 0.4, burst, "chat", SLOW, SMALL_BUFFER),
        # The endpoint may be silent for a second at most, but here the silence is the client's.
        passed_on("reader that stalls", 0.15, Chat("bytes=9000000"), "brisk", Pace(3_000_000, 1.6), SMALL_BUFFER),
    ]


def _refused_by_azure() -> list[Scenario]:
    return [
        *(_status(status) for status in STATUSES),
        refused_by_azure("Azure's 429", 3, Chat("status=429,retry-after=7"), "quota-seconds"),
        refused_by_azure(
            "Azure's 429 by v1", 2, Chat("status=429,retry-after-ms=2500", v1=True, stream=True), "quota-milliseconds"
        ),
        refused_by_azure("Azure's 429 to an upload", 0.5, Transcription(100_000, faults="status=429"), "quota-upload"),
        passed_on("Azure's 400 for embeddings", 0.5, Embeddings(50, faults="status=400"), "embed"),
    ]


def _status(status: int) -> Scenario:
    name, kind = f"Azure's {status}", Chat(f"status={status}")
    if status in STATUSES_OF_THE_DEPLOYMENT:
        return refused_by_azure(name, 0.5, kind, f"status-{status}")
    # With one deployment not even 401 and 403 make it cool: there the reason serves the client better.
    return passed_on(name, 0.5, kind, "chat")


async def _refused_stream(session: Session) -> None:
    """A stream that begins with `rate_limit_exceeded` is as good as a 429, and is told as one."""
    async with session.fault("stream-refused") as fault:
        request = Chat("error-after=0", stream=True, v1=True).build(fault.model, TEAM_KEY, session.rng)
        answer = await session.call(request)
        if fault.is_cooled(answer):
            return
        session.count(fault.model, answer.status)
        check_refusal(answer, 429, "429")


def _special() -> list[Scenario]:
    return [
        Scenario("what Azure receives", 3, _echo),
        Scenario("what Azure receives of an upload", 1, _echo_upload),
        Scenario("continue, then the body", 1, _continue),
        Scenario("slow upload", 1, _slow_upload),
        Scenario("HTTP/1.0", 1, _version_10),
        Scenario("health", 2, _health),
    ]


async def _echo(session: Session) -> None:
    """The request arrives whole, with Azure's deployment and key in place of the client's."""
    request = Chat("echo", v1=True, size=session.rng.randrange(100, 20_000)).build("chat", TEAM_KEY, session.rng)
    answer = await session.call(request)
    session.count("chat", answer.status)
    seen = json.loads(answer.body) if answer.whole and answer.status == 200 else {}
    expected = request.body.replace(b'"model":"chat"', b'"model":"gpt-4o"').decode()
    if seen.get("body") != expected or seen.get("target") != request.target:
        raise Unexpected(f"{answer.status}: Azure received {str(seen)[:300]} in place of {expected[:100]}")
    names = sorted(name.lower() for name, _ in seen["headers"])
    if names != ["api-key", "content-length", "content-type", "host"] or TEAM_KEY in str(seen["headers"]):
        raise Unexpected(f"Azure received the fields {seen['headers']}")
    session.relayed(request, answer)


async def _echo_upload(session: Session) -> None:
    kind = Transcription(
        session.rng.choice((30_000, 200_000, 700_000)), faults="echo", chunk=session.rng.choice((0, 5000))
    )
    golden = await session.golden(kind, "whisper")
    request = kind.build("whisper", TEAM_KEY, session.rng)
    answer = await session.call(request)
    session.count("whisper", answer.status)
    seen, expected = json.loads(answer.body), json.loads(golden.body)
    if any(seen[name] != expected[name] for name in ("body_bytes", "body_fnv1a64", "method", "target")):
        raise Unexpected(f"Azure received {str(seen)[:400]}")
    session.relayed(request, answer)


async def _continue(session: Session) -> None:
    kind = Chat(size=30_000, v1=True)
    golden, request = await session.golden(kind, "chat"), kind.build("chat", TEAM_KEY, session.rng)
    request = replace(request, fields=(*request.fields, ("expect", "100-continue")))
    channel = await session.lease()
    await session.send(channel, request.head())
    interim = await read_head(channel)
    if interim is None or interim.status != 100 or interim.fields:
        raise Unexpected(f"{interim} in place of 100 Continue")
    answer = await session.talk(channel, request.body, "POST")
    session.count("chat", answer.status)
    golden.check_head(answer)
    golden.check_body(bytes(answer.body))
    session.relayed(request, answer)


async def _slow_upload(session: Session) -> None:
    kind = session.rng.choice(
        (Transcription(120_000), Transcription(90_000, v1=True), Transcription(90_000, chunk=8000))
    )
    golden, request = await session.golden(kind, "whisper"), kind.build("whisper", TEAM_KEY, session.rng)
    channel = await session.lease()
    data = request.head() + request.framed_body()
    for at in range(0, len(data), 20_000):
        await session.send(channel, data[at : at + 20_000])
        await asyncio.sleep(0.1)
    answer = await session.talk(channel, b"", "POST")
    session.count("whisper", answer.status)
    golden.check_head(answer)
    golden.check_body(bytes(answer.body))
    session.relayed(request, answer)


async def _version_10(session: Session) -> None:
    """An answer without an end but the connection's, for a stream; with its length for the rest."""
    kind = Chat(stream=session.rng.random() < 0.5, size=100)
    golden = await session.golden(kind, "chat")
    request = replace(kind.build("chat", TEAM_KEY, session.rng), version="HTTP/1.0")
    answer = await session.talk(await session.lease(), request.head() + request.body, "POST")
    session.count("chat", answer.status)
    if answer.status != 200 or not answer.whole or not answer.closes or answer.chunked:
        raise Unexpected(f"{answer.status}, whole {answer.whole}, {answer.fields} to HTTP/1.0")
    golden.check_body(bytes(answer.body))
    session.relayed(request, answer)


async def _health(session: Session) -> None:
    """Probes need no key and are not counted."""
    path, status = session.rng.choice((("/health/front-door", 200), ("/powerproxy/health/liveness", 204)))
    method = session.rng.choice(("GET", "HEAD"))
    head = f"{method} {path} HTTP/1.1\r\nhost: probe\r\n\r\n".encode()
    answer = await session.talk(await session.lease(), head, method)
    if answer.status != status or not answer.whole:
        raise Unexpected(f"{answer.status} to {method} {path}")
