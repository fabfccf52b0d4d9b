#!/usr/bin/env python3
"""Checks that an unmodified OpenAI SDK can use every surface that `mock-azure` plays, and that its books are right.

    sdk_surfaces.py --base-url http://127.0.0.1:8081 --api-key KEY

The mock has to take any deployment. Every check runs twice: as `AzureOpenAI` with dated paths and as `OpenAI` with a v1
base URL. After each one, the tokens that `/mock/stats` gained are those that the answers reported. Prints one line per
check, `ok  NAME` or `FAIL NAME: REASON`, then `N passed, M failed`; the exit status is 1 if any failed.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import httpx2
import openai

API_VERSION = "2025-04-01-preview"
CALL_TIMEOUT_SECONDS = 30

CHAT = "gpt-4o"
COMPLETION = "gpt-35-turbo-instruct"
EMBEDDING = "text-embedding-3-small"
IMAGE = "gpt-image-1"
IMAGE_BY_URL = "dall-e-3"
SPEECH = "tts-1"
SPEECH_EVENTS = "gpt-4o-mini-tts"
TRANSCRIPTION = "gpt-4o-transcribe"
WHISPER = "whisper"

MESSAGES = [{"role": "user", "content": "Say hello."}]
SOUND = ("sound.wav", b"\x00" * 48_000, "audio/wav")
PICTURE = ("picture.png", b"\x89PNG\r\n\x1a\n", "image/png")
# Words, thoughts and cached tokens that no default has.
DETAILS = "mock:tokens=7,prompt-tokens=1500,cached-tokens=1024,reasoning-tokens=11"
TEXT_OF_SEVEN = "The gateway passed this answer on and"


class Failed(Exception):
    """A check's expectation did not hold."""


def expect(holds: object, what: str) -> None:
    if not holds:
        raise Failed(what)


def expect_equal(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise Failed(f"{what} is {found!r}, expected {expected!r}")


class Surface:
    """One of the SDK's two faces, and the tokens that its answers reported."""

    def __init__(self, base_url: str, api_key: str, *, azure: bool) -> None:
        self.azure = azure
        self.name = "azure" if azure else "v1"
        self.base_url = base_url
        # No retries: a check must see the first answer, not the one that a retry repaired.
        options: dict[str, Any] = {"api_key": api_key, "timeout": CALL_TIMEOUT_SECONDS, "max_retries": 0}
        self.client: openai.OpenAI = (
            openai.AzureOpenAI(azure_endpoint=base_url, api_version=API_VERSION, **options)
            if azure
            else openai.OpenAI(base_url=f"{base_url}/openai/v1", **options)
        )
        self.reported = 0

    def report(self, usage: Any) -> Any:
        """Every usage passes here once; answers with it."""
        expect(usage is not None, "no usage")
        self.reported += usage.total_tokens
        return usage

    def booked(self) -> int:
        return httpx2.get(f"{self.base_url}/mock/stats").json()["tokens"]["total"]


def check_chat(surface: Surface) -> None:
    create = surface.client.chat.completions.create
    answer = create(model=CHAT, messages=MESSAGES, user=DETAILS, service_tier="priority")
    expect_equal(answer.choices[0].message.content, TEXT_OF_SEVEN, "content")
    expect_equal(answer.service_tier, "priority", "service_tier")
    usage = surface.report(answer.usage)
    expect_equal((usage.prompt_tokens, usage.completion_tokens), (1500, 18), "tokens")
    expect_equal(usage.prompt_tokens_details.cached_tokens, 1024, "cached tokens")
    expect_equal(usage.completion_tokens_details.reasoning_tokens, 11, "reasoning tokens")


def check_chat_streamed(surface: Surface) -> None:
    for mode in ("token", "buffered", "async"):
        chunks = list(
            surface.client.chat.completions.create(
                model=CHAT,
                messages=MESSAGES,
                stream=True,
                stream_options={"include_usage": True},
                user=f"{DETAILS},filter-mode={mode},filter-size=3",
            )
        )
        deltas = [choice.delta for chunk in chunks for choice in chunk.choices if choice.delta]
        expect_equal("".join(delta.content or "" for delta in deltas), TEXT_OF_SEVEN, f"content, {mode}")
        expect_equal([bool(chunk.usage) for chunk in chunks].count(True), 1, "chunks with usage")
        expect_equal(surface.report(chunks[-1].usage).completion_tokens, 18, "completion tokens")


def check_completions(surface: Surface) -> None:
    create = surface.client.completions.create
    answer = create(model=COMPLETION, prompt=["one", "two"], n=2, best_of=3, echo=True, user="mock:tokens=2")
    expect_equal([choice.text for choice in answer.choices][1:3], ["one The gateway", "two The gateway"], "texts")
    expect_equal(surface.report(answer.usage).completion_tokens, 12, "completion tokens")
    options = {"include_usage": True}
    chunks = list(create(model=COMPLETION, prompt="one", stream=True, stream_options=options, user="mock:tokens=2"))
    expect_equal("".join(choice.text for chunk in chunks for choice in chunk.choices), "The gateway", "streamed text")
    surface.report(chunks[-1].usage)


def check_embeddings(surface: Surface) -> None:
    answer = surface.client.embeddings.create(model=EMBEDDING, input=["one", "two"])
    expect_equal(len(answer.data), 2, "vectors")
    surface.report(answer.usage)


def check_responses(surface: Surface) -> None:
    responses = surface.client.responses
    answer = responses.create(model=CHAT, input="Say hello.", user=DETAILS)
    expect_equal(answer.output_text, TEXT_OF_SEVEN, "text")
    expect_equal([item.type for item in answer.output], ["reasoning", "message"], "items")
    usage = surface.report(answer.usage)
    expect_equal(usage.input_tokens_details.cached_tokens, 1024, "cached tokens")
    expect_equal(usage.output_tokens_details.reasoning_tokens, 11, "reasoning tokens")

    expect_equal(responses.retrieve(answer.id).output_text, TEXT_OF_SEVEN, "text of the stored response")
    second = responses.create(model=CHAT, input="Go on.", previous_response_id=answer.id)
    expect_equal(second.previous_response_id, answer.id, "previous response")
    expect(surface.report(second.usage).input_tokens > usage.total_tokens, "the conversation was not read again")
    responses.delete(answer.id)
    try:
        responses.retrieve(answer.id)
    except openai.NotFoundError:
        return
    raise Failed("the deleted response is still there")


def check_responses_streamed(surface: Surface) -> None:
    events = list(surface.client.responses.create(model=CHAT, input="Say hello.", stream=True, user=DETAILS))
    expect_equal([event.sequence_number for event in events], list(range(len(events))), "sequence numbers")
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    expect_equal(text, TEXT_OF_SEVEN, "text")
    expect_equal(events[-1].type, "response.completed", "the last event")
    surface.report(events[-1].response.usage)

    with surface.client.responses.stream(model=CHAT, input="Say hello.") as stream:
        for _ in stream:
            pass
        surface.report(stream.get_final_response().usage)


def check_responses_background(surface: Surface) -> None:
    response = surface.client.responses.create(model=CHAT, input="Say hello.", background=True)
    expect_equal((response.status, response.usage), ("queued", None), "status and usage at first")
    statuses = []
    while response.status in ("queued", "in_progress"):
        response = surface.client.responses.retrieve(response.id)
        statuses.append(response.status)
    expect_equal(statuses, ["in_progress", "completed"], "statuses")
    surface.report(response.usage)


def check_responses_without_capacity(surface: Surface) -> None:
    try:
        list(surface.client.responses.create(model=CHAT, input="Hi.", stream=True, user="mock:stream-error"))
    except openai.APIError as error:
        expect_equal(error.code, "rate_limit_exceeded", "code")
        return
    raise Failed("raised nothing")


def check_chat_without_capacity(surface: Surface) -> None:
    create = surface.client.chat.completions.create
    try:
        list(create(model=CHAT, messages=MESSAGES, stream=True, user="mock:stream-error"))
    except openai.APIError as error:
        expect("no_kv_space" in error.message, f"the message is {error.message!r}")
        return
    raise Failed("raised nothing")


def check_images(surface: Surface) -> None:
    images = surface.client.images
    answer = images.generate(model=IMAGE, prompt="a cat", n=2, size="1024x1024", quality="low")
    expect(base64.b64decode(answer.data[1].b64_json).startswith(b"\x89PNG"), "the image is no PNG")
    expect_equal(surface.report(answer.usage).output_tokens, 544, "output tokens")
    edited = images.edit(model=IMAGE, prompt="a dog", image=[PICTURE, PICTURE])
    expect(surface.report(edited.usage).input_tokens_details.image_tokens > 0, "no image tokens")
    by_url = images.generate(model=IMAGE_BY_URL, prompt="a cat")
    expect(by_url.data[0].url.startswith("https://"), "no URL")
    expect(by_url.usage is None, "DALL-E has a usage")


def check_images_streamed(surface: Surface) -> None:
    images = surface.client.images
    events = list(images.generate(model=IMAGE, prompt="a cat", stream=True, partial_images=2))
    partial = "image_generation.partial_image"
    expect_equal([event.type for event in events], [partial, partial, "image_generation.completed"], "events")
    surface.report(events[-1].usage)
    events = list(images.edit(model=IMAGE, prompt="a dog", image=PICTURE, stream=True))
    expect_equal([event.type for event in events], ["image_edit.completed"], "events")
    surface.report(events[-1].usage)


def check_speech(surface: Surface) -> None:
    sound = surface.client.audio.speech.create(model=SPEECH, voice="alloy", input="Say hello.").read()
    expect_equal(sound, bytes(i % 251 for i in range(10 * 1024)), "the sound")
    streaming = surface.client.audio.speech.with_streaming_response
    with streaming.create(model=SPEECH_EVENTS, voice="alloy", input="Hi.", stream_format="sse") as answer:
        events = [line for line in answer.iter_lines() if line.startswith("data: ")]
    expect("speech.audio.done" in events[-1], f"the last event is {events[-1]}")
    # An input token, and an output token for each event but the last.
    surface.reported += 1 + len(events) - 1


def check_transcription(surface: Surface) -> None:
    create = surface.client.audio.transcriptions.create
    answer = create(model=TRANSCRIPTION, file=SOUND)
    expect("48000 bytes" in answer.text, f"the text is {answer.text!r}")
    expect_equal(surface.report(answer.usage).type, "tokens", "type of the usage")
    events = list(create(model=TRANSCRIPTION, file=SOUND, stream=True))
    expect_equal("".join(event.delta for event in events[:-1]), events[-1].text, "the text of the deltas")
    surface.report(events[-1].usage)


def check_whisper(surface: Surface) -> None:
    usage = surface.client.audio.transcriptions.create(model=WHISPER, file=SOUND).usage
    if surface.azure:
        expect(usage is None, "whisper has a usage on the dated surface")
    else:
        expect_equal((usage.type, usage.seconds), ("duration", 2), "usage")
    translation = surface.client.audio.translations.create(model=WHISPER, file=SOUND)
    expect("48000 bytes" in translation.text, f"the text is {translation.text!r}")


def check_files(surface: Surface) -> None:
    files = surface.client.files
    content = b'{"custom_id": "1"}\n' * 1000
    created = files.create(file=("batch.jsonl", io.BytesIO(content)), purpose="batch")
    expect_equal((created.bytes, created.filename, created.purpose), (len(content), "batch.jsonl", "batch"), "the file")
    expect(created.id in [file.id for file in files.list()], "the file is not in the list")
    expect_equal(files.retrieve(created.id).status, "processed", "status")
    expect_equal(files.content(created.id).read(), content, "content")
    expect(files.delete(created.id).deleted, "the file was not deleted")
    expect(created.id not in [file.id for file in files.list()], "the file is still in the list")


CHECKS: list[tuple[str, Callable[[Surface], None]]] = [
    ("chat", check_chat),
    ("chat, streamed", check_chat_streamed),
    ("chat without capacity", check_chat_without_capacity),
    ("completions", check_completions),
    ("embeddings", check_embeddings),
    ("responses", check_responses),
    ("responses, streamed", check_responses_streamed),
    ("responses in the background", check_responses_background),
    ("responses without capacity", check_responses_without_capacity),
    ("images", check_images),
    ("images, streamed", check_images_streamed),
    ("speech", check_speech),
    ("transcription", check_transcription),
    ("whisper", check_whisper),
    ("files", check_files),
]


def run_check(check: Callable[[Surface], None], surface: Surface) -> str | None:
    """The reason why the check failed, on one line, or None."""
    before = surface.booked()
    surface.reported = 0
    try:
        check(surface)
        expect_equal(surface.booked() - before, surface.reported, "what the books gained")
    except Failed as failure:
        reason = str(failure)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[0]
        reason = f"{type(error).__name__}: {error} (line {place.lineno})"
    else:
        return None
    return " ".join(reason.split())[:500]


def main() -> int:
    # The SDK and its HTTP client read keys, base URLs and proxies from the environment. None of that belongs here.
    for name in list(os.environ):
        if name.upper().startswith(("OPENAI_", "AZURE_OPENAI_")) or name.upper().endswith("_PROXY"):
            del os.environ[name]
    parser = argparse.ArgumentParser(description="Checks every surface of mock-azure with the OpenAI SDK.")
    parser.add_argument("--base-url", required=True, help="scheme, host and port; no path")
    parser.add_argument("--api-key", required=True)
    arguments = parser.parse_args()

    passed = failed = 0
    for azure in (True, False):
        surface = Surface(arguments.base_url.rstrip("/"), arguments.api_key, azure=azure)
        for title, check in CHECKS:
            reason = run_check(check, surface)
            if reason is None:
                passed += 1
                print(f"ok  {surface.name}: {title}", flush=True)
            else:
                failed += 1
                print(f"FAIL {surface.name}: {title}: {reason}", flush=True)
        surface.client.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
