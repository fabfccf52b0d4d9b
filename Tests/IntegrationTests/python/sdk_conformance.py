#!/usr/bin/env python3
"""Checks that an unmodified OpenAI SDK works against a server that speaks Azure OpenAI.

    sdk_conformance.py --base-url http://127.0.0.1:8080 --api-key KEY --model gpt-4o

The server is `mock-azure`, alone or behind the gateway: some checks ask it for a fault through the request's `user`.
Every check runs four times: as `AzureOpenAI` with deployment paths and as `OpenAI` with a v1 base URL, each with the
blocking and the asyncio client. Prints one line per check, `ok  NAME` or `FAIL NAME: REASON`, then
`N passed, M failed`; the exit status is 1 if any failed.
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import io
import json
import math
import os
import struct
import sys
import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import openai

API_VERSION = "2024-10-21"

# Nothing here takes longer than a second or two; what does is stuck.
CALL_TIMEOUT_SECONDS = 30
CHECK_TIMEOUT_SECONDS = 90

PARALLEL_STREAMS = 20

WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather at a place.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


@dataclass(frozen=True)
class Target:
    """What the checks talk to, from the command line."""

    base_url: str
    api_key: str
    model: str
    embedding_model: str
    audio_model: str
    unknown_model: str
    forbidden_model: str | None


class Surface:
    """One of the SDK's four faces. Hides whether the client blocks or awaits, so that each check is written once."""

    def __init__(self, target: Target, *, azure: bool, blocking: bool) -> None:
        self.target = target
        self.azure = azure
        self.blocking = blocking
        self.name = f"{'azure' if azure else 'v1'} {'sync' if blocking else 'async'}"
        self.client = self.new_client()

    def new_client(self, **options: Any) -> Any:
        # No retries: a check must see the first answer, not the one that a retry repaired.
        options = {"api_key": self.target.api_key, "timeout": CALL_TIMEOUT_SECONDS, "max_retries": 0} | options
        if self.azure:
            kind = openai.AzureOpenAI if self.blocking else openai.AsyncAzureOpenAI
            return kind(azure_endpoint=self.target.base_url, api_version=API_VERSION, **options)
        kind = openai.OpenAI if self.blocking else openai.AsyncOpenAI
        return kind(base_url=f"{self.target.base_url}/openai/v1", **options)

    async def call(self, method: Callable[..., Any], *positional: Any, **named: Any) -> Any:
        if self.blocking:
            return await asyncio.to_thread(method, *positional, **named)
        return await method(*positional, **named)

    async def collect(self, method: Callable[..., Any], chunks: list[Any], **named: Any) -> None:
        """Appends every chunk of a streamed answer in the order of arrival, until the stream ends or raises."""
        if self.blocking:
            await asyncio.to_thread(lambda: chunks.extend(method(stream=True, **named)))
            return
        async for chunk in await method(stream=True, **named):
            chunks.append(chunk)

    async def chat(self, prompt: str = "Say hello.", *, client: Any = None, **named: Any) -> Any:
        named = {"model": self.target.model, "messages": [{"role": "user", "content": prompt}]} | named
        return await self.call((client or self.client).chat.completions.create, **named)

    async def chat_chunks(
        self, prompt: str = "Say hello.", *, client: Any = None, chunks: list[Any] | None = None, **named: Any
    ) -> list[Any]:
        """The chunks of a streamed answer; `chunks`, if given, has those that came before an error."""
        chunks = [] if chunks is None else chunks
        named = {"model": self.target.model, "messages": [{"role": "user", "content": prompt}]} | named
        await self.collect((client or self.client).chat.completions.create, chunks, **named)
        return chunks

    async def close(self, client: Any = None) -> None:
        await self.call((client or self.client).close)


class Failed(Exception):
    """A check's expectation did not hold."""


def expect(holds: object, what: str) -> None:
    if not holds:
        raise Failed(what)


def expect_equal(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise Failed(f"{what} is {found!r}, expected {expected!r}")


async def expect_raised(kind: type[openai.APIError], answer: Awaitable[Any]) -> Any:
    """Exactly this exception type, as the SDK derives it from the status; answers with the exception."""
    try:
        await answer
    except openai.APIError as error:
        expect(type(error) is kind, f"raised {type(error).__name__} ({error}), expected {kind.__name__}")
        return error
    raise Failed(f"raised nothing, expected {kind.__name__}")


def expect_azure_error(error: openai.APIStatusError) -> None:
    """The body is Azure's `{"error": {"code": ..., "message": ...}}`, of which the SDK makes `error` the `body`.

    Azure's answer to a bearer token that it does not accept has no `error` and says `statusCode` instead of `code`.
    """
    body = error.body
    expect(isinstance(body, dict), f"the body of the error is {body!r}, not an object")
    expect(isinstance(body.get("message"), str) and body["message"], "the error has no message")
    expect(body.get("code") or body.get("statusCode") == error.status_code, "the error has no code")


def expect_chat_usage(usage: Any) -> None:
    expect(usage is not None, "no usage")
    expect(usage.prompt_tokens > 0, f"prompt_tokens is {usage.prompt_tokens}")
    expect(usage.completion_tokens > 0, f"completion_tokens is {usage.completion_tokens}")
    expect_equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens, "total_tokens")


@dataclass
class Assembled:
    """A streamed chat answer put together again."""

    content: str
    finish_reasons: list[str]
    tool_calls: dict[int, dict[str, str]]


def assemble(chunks: list[Any]) -> Assembled:
    assembled = Assembled(content="", finish_reasons=[], tool_calls={})
    expect(chunks, "the stream is empty")
    ids = {chunk.id for chunk in chunks if chunk.id}
    expect(len(ids) == 1, f"one stream carries the ids {sorted(ids)}")
    for chunk in chunks:
        for choice in chunk.choices:
            delta = choice.delta
            says_something = bool(delta and (delta.content or delta.tool_calls))
            expect(not (says_something and assembled.finish_reasons), "content after the finish reason")
            if says_something and delta.content:
                assembled.content += delta.content
            for part in (delta.tool_calls or []) if delta else []:
                call = assembled.tool_calls.setdefault(part.index, {"id": "", "name": "", "arguments": ""})
                call["id"] += part.id or ""
                if part.function:
                    call["name"] += part.function.name or ""
                    call["arguments"] += part.function.arguments or ""
            if choice.finish_reason:
                assembled.finish_reasons.append(choice.finish_reason)
    return assembled


def tone(seconds: float) -> bytes:
    """A WAV file with a sine tone: 16 bit, mono, 16 kHz."""
    rate = 16_000
    second = (int(12_000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(rate))
    frames = b"".join(struct.pack("<h", sample) for sample in second) * math.ceil(seconds)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(frames[: 2 * int(seconds * rate)])
    return buffer.getvalue()


# Answers


async def check_chat(surface: Surface) -> None:
    answer = await surface.chat()
    expect_equal(answer.object, "chat.completion", "object")
    expect_equal(len(answer.choices), 1, "number of choices")
    choice = answer.choices[0]
    expect_equal(choice.message.role, "assistant", "role")
    expect(choice.message.content, "no content")
    expect_equal(choice.finish_reason, "stop", "finish_reason")
    expect_chat_usage(answer.usage)


async def check_large_prompt(surface: Surface) -> None:
    # Larger than every socket and parser buffer on the way.
    answer = await surface.chat("All work and no play. " * 50_000)
    expect(answer.choices[0].message.content, "no content")


async def check_streaming(surface: Surface) -> None:
    chunks = await surface.chat_chunks()
    streamed = assemble(chunks)
    expect(len(chunks) > 2, f"{len(chunks)} chunks are no stream")
    expect_equal(next(c for c in chunks if c.choices).choices[0].delta.role, "assistant", "role of the first delta")
    expect_equal(streamed.finish_reasons, ["stop"], "finish reasons")
    expect(all(chunk.usage is None for chunk in chunks), "usage in a stream that did not ask for it")
    plain = (await surface.chat()).choices[0].message.content
    expect_equal(streamed.content, plain, "the content assembled from the stream")


async def check_streaming_usage(surface: Surface) -> None:
    chunks = await surface.chat_chunks(stream_options={"include_usage": True})
    expect_equal(assemble(chunks).finish_reasons, ["stop"], "finish reasons")
    expect_equal([index for index, chunk in enumerate(chunks) if chunk.usage], [len(chunks) - 1], "chunks with usage")
    expect_equal(chunks[-1].choices, [], "choices of the chunk with usage")
    expect_chat_usage(chunks[-1].usage)


async def check_streaming_split_characters(surface: Surface) -> None:
    # One byte at a time, in letters and emoji of up to four bytes.
    faults = "mock:utf8=1,tokens=32"
    streamed = assemble(await surface.chat_chunks(user=f"{faults},chunk=1"))
    plain = (await surface.chat(user=faults)).choices[0].message.content
    expect(not plain.isascii(), "the answer has only ASCII")
    expect_equal(streamed.content, plain, "the content assembled from the stream")


async def check_streaming_left_early(surface: Surface) -> None:
    client = surface.new_client()
    stream = await surface.call(
        client.chat.completions.create,
        model=surface.target.model,
        messages=[{"role": "user", "content": "Say a lot."}],
        stream=True,
    )
    await surface.call(stream.close)
    # The same client goes on with the next request.
    expect((await surface.chat(client=client)).choices[0].message.content, "no content")
    await surface.close(client)


async def check_tools(surface: Surface) -> None:
    answer = await surface.chat("How is the weather in Oslo?", tools=[WEATHER_TOOL])
    choice = answer.choices[0]
    expect_equal(choice.finish_reason, "tool_calls", "finish_reason")
    expect(choice.message.tool_calls, "no tool calls")
    call = choice.message.tool_calls[0]
    expect_equal((call.type, call.function.name), ("function", "get_weather"), "the tool called")
    expect(call.id, "a tool call without an id")
    expect(isinstance(json.loads(call.function.arguments), dict), "the arguments are not a JSON object")

    answered = [
        {"role": "user", "content": "How is the weather in Oslo?"},
        choice.message.to_dict(),
        {"role": "tool", "tool_call_id": call.id, "content": "rain"},
    ]
    final = (await surface.chat(messages=answered, tools=[WEATHER_TOOL])).choices[0]
    expect_equal(final.finish_reason, "stop", "finish_reason after the tool's answer")
    expect(final.message.content, "no content after the tool's answer")


async def check_tools_streamed(surface: Surface) -> None:
    streamed = assemble(await surface.chat_chunks("How is the weather in Oslo?", tools=[WEATHER_TOOL]))
    expect_equal(streamed.finish_reasons, ["tool_calls"], "finish reasons")
    expect(0 in streamed.tool_calls, "no tool calls")
    call = streamed.tool_calls[0]
    expect_equal(call["name"], "get_weather", "the tool called")
    expect(call["id"], "a tool call without an id")
    expect(isinstance(json.loads(call["arguments"]), dict), "the arguments are not a JSON object")


async def check_embeddings(surface: Surface) -> None:
    texts = ["one", "two", "three"]
    create = surface.client.embeddings.create
    # The SDK asks for base64 unless told otherwise and decodes it; both ways must give numbers.
    for options in ({}, {"encoding_format": "float"}):
        answer = await surface.call(create, model=surface.target.embedding_model, input=texts, **options)
        expect_equal([item.index for item in answer.data], [0, 1, 2], "indexes")
        expect_equal(len({len(item.embedding) for item in answer.data}), 1, "number of different dimensions")
        expect(answer.data[0].embedding, "an empty vector")
        expect(all(isinstance(x, float) for item in answer.data for x in item.embedding), "a vector of non-numbers")
        expect(answer.usage.prompt_tokens > 0, "no usage")
    single = await surface.call(create, model=surface.target.embedding_model, input="one")
    expect_equal(len(single.data), 1, "number of vectors")


async def check_transcription(surface: Surface) -> None:
    # The second one is larger than any buffer on the way.
    for seconds in (0.5, 60):
        file = tone(seconds)
        answer = await surface.call(
            surface.client.audio.transcriptions.create,
            model=surface.target.audio_model,
            file=("tone.wav", file, "audio/wav"),
        )
        # The stand-in's text says what it was given.
        expect(f"{len(file)} bytes" in answer.text, f"of {len(file)} bytes, the text says {answer.text!r}")


async def check_models(surface: Surface) -> None:
    page = await surface.call(surface.client.models.list)
    expect(page.data, "no models")
    expect(all(isinstance(model.id, str) and model.id for model in page.data), "a model without an id")


async def check_parallel_streams(surface: Surface) -> None:
    clients = [surface.new_client(), surface.new_client()]
    # Each stream has a length of its own, so an event that went to another stream, or was lost, changes two answers.
    lengths = range(50, 50 + PARALLEL_STREAMS)
    streams = await asyncio.gather(
        *(surface.chat_chunks(client=clients[n % 2], user=f"mock:tokens={n},interval=2") for n in lengths)
    )
    expect_equal(len({chunks[-1].id for chunks in streams}), PARALLEL_STREAMS, "number of different answers")
    longest = (await surface.chat(user=f"mock:tokens={lengths[-1]}")).choices[0].message.content.split()
    for length, chunks in zip(lengths, streams):
        streamed = assemble(chunks)
        expect_equal(streamed.finish_reasons, ["stop"], f"finish reasons of the stream of {length}")
        expect_equal(streamed.content.split(), longest[:length], f"the words of the stream of {length}")
    for client in clients:
        await surface.close(client)


# Errors


async def check_wrong_key(surface: Surface) -> None:
    client = surface.new_client(api_key="not-a-key")
    for ask in (surface.chat, surface.chat_chunks):
        expect_azure_error(await expect_raised(openai.AuthenticationError, ask(client=client)))
    await surface.close(client)


async def check_unknown_model(surface: Surface) -> None:
    for ask in (surface.chat, surface.chat_chunks):
        expect_azure_error(await expect_raised(openai.NotFoundError, ask(model=surface.target.unknown_model)))


async def check_forbidden_model(surface: Surface) -> None:
    for ask in (surface.chat, surface.chat_chunks):
        expect_azure_error(await expect_raised(openai.PermissionDeniedError, ask(model=surface.target.forbidden_model)))


async def check_broken_body(surface: Surface) -> None:
    path = f"/deployments/{surface.target.model}/chat/completions" if surface.azure else "/chat/completions"
    answer = surface.call(
        surface.client.post,
        path,
        cast_to=object,
        content=b'{"model": "%s", "messages": [{"role": ' % surface.target.model.encode(),
        options={"headers": {"content-type": "application/json"}},
    )
    expect_azure_error(await expect_raised(openai.BadRequestError, answer))


async def check_rate_limit(surface: Surface) -> None:
    for ask in (surface.chat, surface.chat_chunks):
        expect_azure_error(await expect_raised(openai.RateLimitError, ask(user="mock:status=429,retry-after-ms=1")))


async def check_server_error(surface: Surface) -> None:
    for ask in (surface.chat, surface.chat_chunks):
        expect_azure_error(await expect_raised(openai.InternalServerError, ask(user="mock:status=500")))


async def check_stream_error(surface: Surface) -> None:
    # The status was 200 and words have arrived: what is left is an event with an error in it.
    chunks: list[Any] = []
    await expect_raised(openai.APIError, surface.chat_chunks(chunks=chunks, user="mock:tokens=20,error-after=8"))
    expect(chunks, "the error came before the first chunk")


async def check_broken_stream(surface: Surface) -> None:
    # Cut off inside an event. Where its beginning has not been passed on yet, a gateway can say so with an event; nothing can be
    # put behind half of one, so otherwise the connection is lost.
    await expect_broken(surface, "tokens=50,truncate=4000", (openai.APIError, httpx2.TransportError))


async def check_broken_between_events(surface: Surface) -> None:
    # Cut off behind a whole event: a gateway can still say so with an event; without one the connection is lost. As that event
    # has no content yet, the answer may also be an error from its beginning.
    try:
        await expect_broken(surface, "tokens=50,garbage=chunk", (openai.APIError, httpx2.TransportError))
    except Failed as failure:
        expect("InternalServerError" in str(failure), str(failure))


async def expect_broken(surface: Surface, faults: str, kinds: tuple[type[Exception], ...]) -> None:
    """The answer begins and then raises; never does it only look complete."""
    chunks: list[Any] = []
    try:
        await surface.chat_chunks(chunks=chunks, user=f"mock:{faults}")
    except kinds as error:
        expect(chunks, f"raised {type(error).__name__} ({error}) before the first chunk")
        return
    raise Failed(f"raised nothing; {len(chunks)} chunks")


async def check_timeout(surface: Surface) -> None:
    client = surface.new_client(timeout=0.3)
    await expect_raised(openai.APITimeoutError, surface.chat(client=client, user="mock:delay=3000"))
    await surface.close(client)


Check = Callable[[Surface], Awaitable[None]]

CHECKS: list[tuple[str, Check]] = [
    ("chat", check_chat),
    ("chat with a prompt of a megabyte", check_large_prompt),
    ("streaming", check_streaming),
    ("streaming with usage", check_streaming_usage),
    ("streaming with split characters", check_streaming_split_characters),
    ("streaming, left early", check_streaming_left_early),
    ("tools", check_tools),
    ("tools, streamed", check_tools_streamed),
    ("embeddings", check_embeddings),
    ("audio transcription", check_transcription),
    ("models list", check_models),
    ("20 parallel streams of two clients", check_parallel_streams),
    ("wrong key is an AuthenticationError", check_wrong_key),
    ("unknown model is a NotFoundError", check_unknown_model),
    ("forbidden model is a PermissionDeniedError", check_forbidden_model),
    ("broken body is a BadRequestError", check_broken_body),
    ("429 is a RateLimitError", check_rate_limit),
    ("500 is an InternalServerError", check_server_error),
    ("an error in a stream is an APIError", check_stream_error),
    ("a stream that breaks off inside an event raises", check_broken_stream),
    ("a stream that breaks off between events raises", check_broken_between_events),
    ("a slow answer is an APITimeoutError", check_timeout),
]


async def run_check(check: Check, surface: Surface) -> str | None:
    """The reason why the check failed, on one line, or None."""
    try:
        await asyncio.wait_for(check(surface), CHECK_TIMEOUT_SECONDS)
    except Failed as failure:
        reason = str(failure)
    except asyncio.TimeoutError:
        reason = f"no end within {CHECK_TIMEOUT_SECONDS} s"
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    else:
        return None
    return " ".join(reason.split())[:500]


async def run(target: Target) -> int:
    # The default pool has a handful of threads on a small machine; the blocking client needs one per parallel stream.
    pool = concurrent.futures.ThreadPoolExecutor(max_workers=PARALLEL_STREAMS + 4)
    asyncio.get_running_loop().set_default_executor(pool)

    passed = failed = 0
    for azure in (True, False):
        for blocking in (True, False):
            surface = Surface(target, azure=azure, blocking=blocking)
            for title, check in CHECKS:
                if check is check_forbidden_model and target.forbidden_model is None:
                    continue
                reason = await run_check(check, surface)
                if reason is None:
                    passed += 1
                    print(f"ok  {surface.name}: {title}", flush=True)
                else:
                    failed += 1
                    print(f"FAIL {surface.name}: {title}: {reason}", flush=True)
            await surface.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def parse_arguments() -> Target:
    parser = argparse.ArgumentParser(description="Checks that an unmodified OpenAI SDK works against a server.")
    parser.add_argument("--base-url", required=True, help="scheme, host and port; no path")
    parser.add_argument("--api-key", required=True)
    parser.add_argument("--model", required=True, help="a chat model that the key may use")
    parser.add_argument("--embedding-model", help="default: the chat model's name")
    parser.add_argument("--audio-model", help="default: the chat model's name")
    parser.add_argument("--unknown-model", default="no-such-model", help="a model that the server does not have")
    parser.add_argument("--forbidden-model", help="a model that the key may not use; without it that check is left out")
    arguments = parser.parse_args()
    return Target(
        base_url=arguments.base_url.rstrip("/"),
        api_key=arguments.api_key,
        model=arguments.model,
        embedding_model=arguments.embedding_model or arguments.model,
        audio_model=arguments.audio_model or arguments.model,
        unknown_model=arguments.unknown_model,
        forbidden_model=arguments.forbidden_model,
    )


def main() -> int:
    # The SDK and its HTTP client read keys, base URLs and proxies from the environment. None of that belongs here.
    for name in list(os.environ):
        if name.upper().startswith(("OPENAI_", "AZURE_OPENAI_")) or name.upper().endswith("_PROXY"):
            del os.environ[name]
    return asyncio.run(run(parse_arguments()))


if __name__ == "__main__":
    sys.exit(main())
