"""The loads, as requests: what is sent, by how many callers, to which kind of upstream."""

import json
from dataclasses import dataclass, replace

CLIENT_KEY = "compare-client-key"
UPSTREAM_KEY = "compare-upstream-key"
PATH = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"

_INSTRUCTION = "You are a helpful assistant that answers briefly and to the point, in the language of the question."
_QUESTION = (
    "What is the difference between a token bucket and a leaky bucket, and when would one use which of them in a "
    "gateway in front of a language model? Please answer in at most three sentences and give one example for each."
)


@dataclass(frozen=True)
class Load:
    """One kind of request, sent by `connections` callers, each of which waits for its answer."""

    name: str
    title: str
    body: str
    connections: int = 64
    streams: bool = False
    tls: bool = False
    paced: bool = False
    """An answer takes much of a run, so unfinished ones count by their bytes."""


def chat_body(**fields: object) -> str:
    """A chat request as a small application sends it, about 550 bytes. `user` carries orders to mock-azure."""
    messages = [{"role": "system", "content": _INSTRUCTION}, {"role": "user", "content": _QUESTION}]
    request = {"messages": messages, "temperature": 0.2, "top_p": 0.95, "seed": 42, "user": "bench", **fields}
    return json.dumps(request, separators=(",", ":"))


def request_bytes(body: str) -> bytes:
    """The request as it goes over the wire from the clients written here."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1\r\napi-key: {CLIENT_KEY}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body.encode())}\r\n\r\n"
    )
    return (head + body).encode()


PROBE = chat_body(max_tokens=1)
# Five events, one each millisecond: long enough that a first event is not a whole answer.
FIRST_EVENT = chat_body(stream=True, max_tokens=3, user="mock:interval=1,tokens=3")
# Two minutes: what is measured is done long before.
OPEN_STREAM = chat_body(stream=True, max_tokens=240, user="mock:interval=500,tokens=240")

_UNARY = Load("unary", "chat requests", chat_body(max_tokens=16))
_BURST = Load(
    "burst",
    "streams as fast as they come",
    chat_body(stream=True, max_tokens=100, user="mock:tokens=100"),
    streams=True,
)
_PACED = Load(
    "paced",
    "streams of an event per 5 ms",
    chat_body(stream=True, max_tokens=100, user="mock:interval=5,tokens=100"),
    streams=True,
    paced=True,
)

BY_PART: dict[str, list[Load]] = {
    "unary": [_UNARY],
    "burst": [_BURST],
    "paced": [_PACED],
    "one": [
        replace(_UNARY, name="one-unary", connections=1),
        replace(_BURST, name="one-burst", connections=1),
    ],
    "tls": [
        replace(_UNARY, name="tls-unary", tls=True),
        replace(_BURST, name="tls-burst", tls=True),
        replace(_PACED, name="tls-paced", tls=True),
        replace(_UNARY, name="tls-one-unary", tls=True, connections=1),
    ],
}
