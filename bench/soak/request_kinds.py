"""The requests of the load. A kind is a frozen value: equal ones get equal answers, so it names its golden answer too.

What differs between two requests of a kind (filler, nonce) never changes the answer but where `golden.py` masks it.
"""

from __future__ import annotations

import functools
import json
import random
from dataclasses import dataclass

from .wire import Request

API_VERSION = "2024-10-21"
BOUNDARY = "----soak7MA4YWxkTrZu0gW"
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,;:-_()"
TOOL_DIGITS = 12


@functools.cache
def filler() -> str:
    """Text to cut prompts from."""
    return "".join(random.Random(7).choices(ALPHABET, k=3 * 1024 * 1024))


@functools.cache
def audio(size: int) -> bytes:
    """A file of all byte values, the same each time; the gateway must not care what is in it."""
    return random.Random(size).randbytes(size)


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat completion. `faults` is what the mock finds in `user`."""

    faults: str = ""
    stream: bool = False
    usage: bool = False
    tool: bool = False
    size: int = 600
    """Bytes of the prompt."""
    v1: bool = False
    chunk: int = 0

    def build(self, model: str, key: str, rng: random.Random, faults: str | None = None) -> Request:
        start = rng.randrange(len(filler()) - self.size)
        body: dict[str, object] = {
            "messages": [
                {"role": "system", "content": "You are a lock keeper."},
                {"role": "user", "content": filler()[start : start + self.size]},
            ]
        }
        if self.v1:
            body["model"] = model
        if self.stream:
            body["stream"] = True
        if self.usage:
            body["stream_options"] = {"include_usage": True}
        if self.tool:
            name = f"fn_{rng.randrange(16**TOOL_DIGITS):0{TOOL_DIGITS}x}"
            body["tools"] = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}]
        faults = self.faults if faults is None else faults
        if faults:
            body["user"] = "mock:" + faults
        return _json(_path(model, "chat/completions", self.v1), key, body, self.chunk)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """The mock picks the vector by a hash of the input: a changed byte of the prompt changes the answer."""

    size: int
    base64: bool = False
    v1: bool = False
    faults: str = ""

    def build(self, model: str, key: str, rng: random.Random, faults: str | None = None) -> Request:
        del rng
        texts = [filler()[self.size : 2 * self.size], "Zwölf Boxkämpfer jagen Viktor 😀"]
        body: dict[str, object] = {"input": texts, "dimensions": 256}
        if self.base64:
            body["encoding_format"] = "base64"
        if self.v1:
            body["model"] = model
        faults = self.faults if faults is None else faults
        if faults:
            body["user"] = "mock:" + faults
        return _json(_path(model, "embeddings", self.v1), key, body, 0)


@dataclass(frozen=True, slots=True)
class Transcription:
    """A multipart upload. `echo` has the mock answer with size and hash of what it received."""

    size: int
    format: str = "json"
    v1: bool = False
    chunk: int = 0
    faults: str = ""

    def build(self, model: str, key: str, rng: random.Random, faults: str | None = None) -> Request:
        del rng
        fields = {"response_format": self.format}
        if self.v1:
            fields["model"] = model
        faults = self.faults if faults is None else faults
        if faults:
            fields["user"] = "mock:" + faults
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        file = 'Content-Disposition: form-data; name="file"; filename="talk.wav"\r\nContent-Type: audio/wav'
        body = (
            ("".join(parts) + f"--{BOUNDARY}\r\n{file}\r\n\r\n").encode()
            + audio(self.size)
            + f"\r\n--{BOUNDARY}--\r\n".encode()
        )
        fields_sent = (("api-key", key), ("content-type", f"multipart/form-data; boundary={BOUNDARY}"))
        return Request("POST", _path(model, "audio/transcriptions", self.v1), fields_sent, body, self.chunk)


@dataclass(frozen=True, slots=True)
class Listing:
    """A request without a body and without a model."""

    method: str = "GET"

    def build(self, model: str, key: str, rng: random.Random, faults: str | None = None) -> Request:
        del model, rng, faults
        return Request(self.method, "/openai/v1/models", (("api-key", key), ("accept", "application/json")))


Kind = Chat | Embeddings | Transcription | Listing


def _path(model: str, operation: str, v1: bool) -> str:
    return f"/openai/v1/{operation}" if v1 else f"/openai/deployments/{model}/{operation}?api-version={API_VERSION}"


def _json(target: str, key: str, body: dict[str, object], chunk: int) -> Request:
    fields = (("api-key", key), ("content-type", "application/json"))
    return Request("POST", target, fields, json.dumps(body, separators=(",", ":")).encode(), chunk)
