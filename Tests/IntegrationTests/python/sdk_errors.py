#!/usr/bin/env python3
"""Checks which exceptions the OpenAI SDK makes of the errors that `mock-azure` plays.

    sdk_errors.py --deployments
    sdk_errors.py --base-url http://127.0.0.1:8081 --api-key KEY

The first form prints the deployments that the mock is to be started with, one a line. Every check runs twice: as
`AzureOpenAI` with deployment paths and as `OpenAI` with a v1 base URL. An error is known by the exception's class, its
status and its code. Prints one line per check, `ok  NAME` or `FAIL NAME: REASON`, then `N passed, M failed`; the exit
status is 1 if any failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai

API_VERSION = "2024-10-21"
CALL_TIMEOUT_SECONDS = 30
SHORT_TIMEOUT_SECONDS = 0.5

DEPLOYMENTS = [
    "gpt-4o",
    "text-embedding-3-small",
    "gpt-no-tokens,tpm=0",
    "gpt-no-calls,rpm=0",
    "gpt-slow,rpm=60",
    "gpt-provisioned,provisioned=1",
    "gpt-spilling,provisioned=1,spillover=gpt-4o",
]

MESSAGE = {"role": "user", "content": "Say hello."}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}

# Fault: exception, status, and the code on deployment paths and on v1.
FAULTS: dict[str, tuple[type[Exception], int, str | None, str | None]] = {
    "error=request": (openai.BadRequestError, 400, "BadRequest", "BadRequest"),
    "error=operation": (openai.BadRequestError, 400, "OperationNotSupported", "OperationNotSupported"),
    "error=context-length": (openai.BadRequestError, 400, "context_length_exceeded", "context_length_exceeded"),
    "content-filter=prompt": (openai.BadRequestError, 400, "content_filter", "content_filter"),
    "error=key": (openai.AuthenticationError, 401, "401", "401"),
    "error=token": (openai.AuthenticationError, 401, None, None),
    "error=permission": (openai.AuthenticationError, 401, "PermissionDenied", "PermissionDenied"),
    "error=firewall": (openai.PermissionDeniedError, 403, "AccessDenied", "AccessDenied"),
    "error=deployment": (openai.NotFoundError, 404, "DeploymentNotFound", "DeploymentNotFound"),
    "error=path": (openai.NotFoundError, 404, "404", "404"),
    "error=method": (openai.APIStatusError, 405, "405", "405"),
    "error=timeout": (openai.APIStatusError, 408, "Timeout", "Timeout"),
    "error=too-large": (openai.APIStatusError, 413, "RequestEntityTooLarge", "RequestEntityTooLarge"),
    "error=headers": (openai.APIStatusError, 431, "RequestHeaderFieldsTooLarge", "RequestHeaderFieldsTooLarge"),
    "error=quota-calls": (openai.RateLimitError, 429, "429", "rate_limit_exceeded"),
    "error=quota-tokens": (openai.RateLimitError, 429, "429", "rate_limit_exceeded"),
    "error=rate-limit": (openai.RateLimitError, 429, "429", "rate_limit_exceeded"),
    "error=capacity": (openai.RateLimitError, 429, "429", "rate_limit_exceeded"),
    "error=high-demand": (openai.RateLimitError, 429, "429", "rate_limit_exceeded"),
    "error=server": (openai.InternalServerError, 500, "server_error", "server_error"),
    "error=unavailable": (openai.InternalServerError, 503, "ServiceUnavailable", "ServiceUnavailable"),
    "error=html": (openai.InternalServerError, 502, None, None),
    "error=html,status=504": (openai.InternalServerError, 504, None, None),
    "error=text": (openai.InternalServerError, 503, None, None),
    "error=empty": (openai.InternalServerError, 503, None, None),
    "status=409": (openai.ConflictError, 409, "409", "409"),
    "status=422": (openai.UnprocessableEntityError, 422, "422", "422"),
}


class Failed(Exception):
    """A check's expectation did not hold."""


def expect_equal(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise Failed(f"{what} is {found!r}, expected {expected!r}")


def raised(call: Callable[[], object], kind: type[Exception]) -> Any:
    """Exactly this exception; answers with it."""
    try:
        call()
    except Exception as error:
        if type(error) is not kind:
            raise Failed(f"raised {type(error).__name__} ({error}), expected {kind.__name__}") from error
        return error
    raise Failed(f"raised nothing, expected {kind.__name__}")


def refused(call: Callable[[], object], kind: type[Exception], status: int, code: str | None) -> Any:
    error = raised(call, kind)
    expect_equal(error.status_code, status, "status")
    expect_equal(error.code, code, "code")
    return error


class Surface:
    """One of the SDK's two faces."""

    def __init__(self, base_url: str, api_key: str, *, azure: bool) -> None:
        self.base_url = base_url
        self.api_key = api_key
        self.azure = azure
        self.name = "azure" if azure else "v1"
        self.client = self.new_client()

    def new_client(self, **options: Any) -> Any:
        # No retries: a check must see the first answer, not the one that a retry repaired.
        options = {"api_key": self.api_key, "timeout": CALL_TIMEOUT_SECONDS, "max_retries": 0} | options
        if self.azure:
            return openai.AzureOpenAI(azure_endpoint=self.base_url, api_version=API_VERSION, **options)
        return openai.OpenAI(base_url=f"{self.base_url}/openai/v1", **options)

    def chat(self, model: str = "gpt-4o", *, faults: str = "", client: Any = None, **named: Any) -> Any:
        if faults:
            named["user"] = f"mock:{faults}"
        named = {"model": model, "messages": [MESSAGE]} | named
        return (client or self.client).chat.completions.create(**named)

    def stream(self, faults: str, *, client: Any = None) -> list[Any]:
        """The chunks of a chat, read to the end."""
        return list(self.chat(faults=faults, client=client, stream=True))

    def response_stream(self, faults: str) -> list[Any]:
        return list(
            self.client.responses.create(model="gpt-4o", input="Say hello.", user=f"mock:{faults}", stream=True)
        )

    def code(self, azure: str | None, v1: str | None) -> str | None:
        return azure if self.azure else v1


# Faults


def check_fault(fault: str) -> Callable[[Surface], None]:
    kind, status, azure, v1 = FAULTS[fault]

    def check(surface: Surface) -> None:
        code = surface.code(azure, v1)
        refused(lambda: surface.chat(faults=fault), kind, status, code)
        # A refusal comes before the stream, so it looks the same.
        refused(lambda: surface.stream(fault), kind, status, code)

    return check


def check_retry_headers(surface: Surface) -> None:
    call = lambda: surface.chat(faults="error=quota-tokens,retry-after=7,retry-after-ms=6500")  # noqa: E731
    error = refused(call, openai.RateLimitError, 429, surface.code("429", "rate_limit_exceeded"))
    expect_equal(error.response.headers["retry-after"], "7", "retry-after")
    expect_equal(error.response.headers["retry-after-ms"], "6500", "retry-after-ms")


# What the mock refuses by itself


def check_wrong_key(surface: Surface) -> None:
    client = surface.new_client(api_key="wrong")
    # On v1 the SDK sends the key as a bearer token, and Azure takes it for one.
    refused(lambda: surface.chat(client=client), openai.AuthenticationError, 401, surface.code("401", None))


def check_wrong_token(surface: Surface) -> None:
    if not surface.azure:
        return
    client = openai.AzureOpenAI(
        azure_endpoint=surface.base_url, api_version=API_VERSION, azure_ad_token="wrong", max_retries=0
    )
    error = refused(lambda: surface.chat(client=client), openai.AuthenticationError, 401, None)
    expect_equal(error.body["statusCode"], 401, "statusCode")


def check_unknown_deployment(surface: Surface) -> None:
    refused(lambda: surface.chat("no-such-model"), openai.NotFoundError, 404, "DeploymentNotFound")


def check_no_api_version(surface: Surface) -> None:
    client = openai.OpenAI(
        base_url=f"{surface.base_url}/openai/deployments/gpt-4o", api_key=surface.api_key, max_retries=0
    )
    refused(lambda: surface.chat(client=client), openai.NotFoundError, 404, "404")


def check_wrong_operation(surface: Surface) -> None:
    embeddings = surface.client.embeddings
    create = lambda: embeddings.create(model="gpt-4o", input="a")  # noqa: E731
    refused(create, openai.BadRequestError, 400, "OperationNotSupported")
    refused(lambda: surface.chat("text-embedding-3-small"), openai.BadRequestError, 400, "OperationNotSupported")


def check_too_many(surface: Surface) -> None:
    code = "array_above_max_length"
    refused(lambda: surface.chat(messages=[MESSAGE] * 2_049), openai.BadRequestError, 400, code)
    refused(lambda: surface.chat(tools=[TOOL] * 129), openai.BadRequestError, 400, code)
    embeddings = surface.client.embeddings
    create = lambda: embeddings.create(model="text-embedding-3-small", input=["a"] * 2_049)  # noqa: E731
    refused(create, openai.BadRequestError, 400, "BadRequest")


def check_custom_headers(surface: Surface) -> None:
    headers = {f"x-custom-{index}": "1" for index in range(11)}
    call = lambda: surface.chat(extra_headers=headers)  # noqa: E731
    refused(call, openai.APIStatusError, 431, "RequestHeaderFieldsTooLarge")


# Limits


def check_limit(model: str, retry_after: range) -> Callable[[Surface], None]:
    def check(surface: Surface) -> None:
        code = surface.code("429", "rate_limit_exceeded")
        error = refused(lambda: surface.chat(model), openai.RateLimitError, 429, code)
        milliseconds = int(error.response.headers["retry-after-ms"])
        if milliseconds not in retry_after:
            raise Failed(f"retry-after-ms is {milliseconds}, expected {retry_after}")
        expect_equal(error.response.headers["retry-after"], str((milliseconds + 999) // 1_000), "retry-after")

    return check


def check_provisioned(surface: Surface) -> None:
    # The first request may be admitted and then fills the bucket for minutes.
    try:
        surface.chat("gpt-provisioned")
    except openai.RateLimitError:
        pass
    check_limit("gpt-provisioned", range(60_000, 10_000_000))(surface)
    raw = surface.client.chat.completions.with_raw_response
    try:
        raw.create(model="gpt-provisioned", messages=[MESSAGE])
    except openai.RateLimitError as error:
        told = [name for name in error.response.headers if name.startswith("x-ratelimit-")]
        expect_equal(told, [], "the x-ratelimit headers of a provisioned deployment")


def check_spillover(surface: Surface) -> None:
    raw = surface.client.chat.completions.with_raw_response
    for _ in range(2):
        answer = raw.create(model="gpt-spilling", messages=[MESSAGE])
    expect_equal(answer.headers.get("x-ms-spillover-from-deployment"), "gpt-spilling", "who spilled over")
    expect_equal(answer.headers.get("x-ms-deployment-name"), "gpt-4o", "who served")


def check_retries(surface: Surface) -> None:
    # One request a second. The SDK waits as long as the refusal says, and no longer than a few times.
    client = surface.new_client(max_retries=4)
    for _ in range(2):
        answer = surface.chat("gpt-slow", client=client)
        expect_equal(answer.choices[0].finish_reason, "stop", "finish_reason")


# Streams and connections


def check_stream_error(surface: Surface) -> None:
    for fault in ("error-after=3", "stream-error=1"):
        error = raised(lambda fault=fault: surface.stream(fault), openai.APIError)
        expect_equal(error.code, "rate_limit_exceeded", f"code of {fault}")
        expect_equal(error.type, "server_error", f"type of {fault}")


def check_response_stream_error(surface: Surface) -> None:
    error = raised(lambda: surface.response_stream("stream-error=1"), openai.APIError)
    expect_equal(error.code, "rate_limit_exceeded", "code")
    expect_equal(error.type, "too_many_requests", "type")


def check_broken_connections(surface: Surface) -> None:
    for fault in ("reset=head", "reset=100", "truncate=head", "truncate=100", "garbage=status-line"):
        error = raised(lambda fault=fault: surface.chat(faults=fault), openai.APIConnectionError)
        if not isinstance(error.__cause__, httpx2.TransportError):
            raise Failed(f"the cause of {fault} is {error.__cause__!r}")


def check_broken_streams(surface: Surface) -> None:
    for fault, cause in (("reset=2000", httpx2.ReadError), ("truncate=2000", httpx2.RemoteProtocolError)):
        error = raised(lambda fault=fault: surface.stream(fault), openai.APIConnectionError)
        expect_equal(type(error.__cause__), cause, f"the cause of {fault}")


def check_timeouts(surface: Surface) -> None:
    client = surface.new_client(timeout=SHORT_TIMEOUT_SECONDS)
    raised(lambda: surface.chat(faults="delay=20000", client=client), openai.APITimeoutError)
    raised(lambda: surface.chat(faults="silence=0", client=client), openai.APITimeoutError)
    raised(lambda: surface.stream("silence=3", client=client), openai.APITimeoutError)


def checks() -> Iterator[tuple[str, Callable[[Surface], None]]]:
    for fault in FAULTS:
        yield f"fault {fault}", check_fault(fault)
    yield "a refusal says when to come again", check_retry_headers
    yield "a wrong key", check_wrong_key
    yield "a wrong token", check_wrong_token
    yield "an unknown deployment", check_unknown_deployment
    yield "no api-version", check_no_api_version
    yield "an operation the model cannot do", check_wrong_operation
    yield "too many messages, tools, inputs", check_too_many
    yield "too many custom headers", check_custom_headers
    yield "a token limit", check_limit("gpt-no-tokens", range(1, 60_001))
    yield "a request limit", check_limit("gpt-no-calls", range(1, 60_001))
    yield "a provisioned deployment", check_provisioned
    yield "a provisioned deployment that spills over", check_spillover
    yield "retries that wait as told", check_retries
    yield "an error in a stream of chat", check_stream_error
    yield "an error in a stream of a response", check_response_stream_error
    yield "connections that break", check_broken_connections
    yield "streams that break", check_broken_streams
    yield "time that runs out", check_timeouts


def run_check(check: Callable[[Surface], None], surface: Surface) -> str | None:
    """Why it failed, if it did."""
    try:
        check(surface)
    except Failed as failure:
        return str(failure)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {where.name}:{where.lineno}: {' '.join(str(error).split())[:300]}"
    return None


def main() -> int:
    # The SDK and its HTTP client read keys, base URLs and proxies from the environment. None of that belongs here.
    for name in list(os.environ):
        if name.upper().startswith(("OPENAI_", "AZURE_OPENAI_")) or name.upper().endswith("_PROXY"):
            del os.environ[name]
    parser = argparse.ArgumentParser(description="Checks which exceptions the OpenAI SDK makes of errors.")
    parser.add_argument("--deployments", action="store_true", help="print what the mock's --deployment is to be")
    parser.add_argument("--base-url", help="scheme, host and port of mock-azure; no path")
    parser.add_argument("--api-key")
    arguments = parser.parse_args()
    if arguments.deployments:
        print("\n".join(DEPLOYMENTS))
        return 0
    if not arguments.base_url or not arguments.api_key:
        parser.error("--base-url and --api-key are needed")

    passed = failed = 0
    for azure in (True, False):
        surface = Surface(arguments.base_url.rstrip("/"), arguments.api_key, azure=azure)
        for title, check in checks():
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
