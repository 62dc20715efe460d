"""The one place where something leaves for a teacher: the openai package with its own retries switched off, and every way it can end as a value.

No exception of the package or of HTTP leaves this module: they carry requests, and requests carry keys.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from core.teacher.asking.keys import Credentials, is_loopback
from core.teacher.asking.outcomes import Heard
from core.teacher.exchange import Question

if TYPE_CHECKING:
    import openai

CONNECT_SECONDS = 10.0
_LOUD = ("openai", "httpx2", "httpcore2", "httpx", "httpcore")
_KEPT = (
    "x-ratelimit-",
    "retry-after",
    "x-request-id",
    "x-should-retry",
    "date",
    "openai-processing-ms",
    "openai-version",
)


def request_body(question: Question, *, stream: bool = False) -> dict[str, Any]:
    """The JSON that is sent for a question."""
    body = {
        "model": question.model,
        "messages": [dict(one) for one in question.messages],
        **question.parameters,
    }
    return {**body, "stream": True, "stream_options": {"include_usage": True}} if stream else body


def make_client(base_url: str, credentials: Credentials, *, connections: int, silence: float) -> openai.AsyncOpenAI:
    """A client of one endpoint; close it. connections: at once. silence: seconds without a byte after which an answer is given up."""
    import httpx2
    import openai

    for name in _LOUD:  # what they log of headers holds keys where servers echo them; OPENAI_LOG switches it on
        logging.getLogger(name).setLevel(logging.WARNING)
    http = openai.DefaultAsyncHttpxClient(
        timeout=httpx2.Timeout(silence, connect=CONNECT_SECONDS, pool=None),
        limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
        trust_env=not is_loopback(base_url),  # a proxy of the environment must not see what is said on loopback
    )
    return openai.AsyncOpenAI(
        api_key=credentials.key,
        organization=credentials.organisation or None,
        project=credentials.project or None,
        base_url=base_url,
        max_retries=0,
        http_client=http,
    )


def client_name() -> str:
    """Which package, in which version, sends."""
    import openai

    return f"openai {openai.__version__}"


async def exchange(client: openai.AsyncOpenAI, body: Mapping[str, Any], *, seconds: float) -> Heard:
    """Send one request for one answer and hear it to its end. seconds: until its last byte. Raises nothing but CancelledError."""
    completions = client.chat.completions.with_streaming_response
    # the body goes past the package's converter of messages, which takes a third of a millisecond and may change nothing
    return await hear(lambda: completions.create(model=body["model"], messages=(), extra_body=dict(body)), seconds)


async def hear(send: Callable[[], AbstractAsyncContextManager[Any]], seconds: float) -> Heard:
    """What comes of one call of the package's `with_streaming_response`: status, headers and the whole body, or how it ended before."""
    import httpx2
    import openai

    status, headers, chunks = 0, {}, []
    try:
        async with asyncio.timeout(seconds), send() as response:
            status, headers = response.status_code, kept_headers(response.headers)
            async for chunk in response.iter_bytes():
                chunks.append(chunk)
        return Heard("response", status, headers, b"".join(chunks))
    except (TimeoutError, httpx2.TimeoutException):
        return Heard("timeout", status, headers, b"".join(chunks))
    except openai.APIStatusError as error:
        return Heard("response", error.status_code, kept_headers(error.response.headers), error.response.content)
    except openai.APIConnectionError as error:
        cause = error.__cause__
        words = type(cause).__name__ if cause is None or not str(cause) else str(cause)
        if isinstance(
            cause, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.UnsupportedProtocol | httpx2.ProxyError
        ):
            return Heard("unreachable", words=words)
        return Heard("timeout" if isinstance(error, openai.APITimeoutError) else "cut", words=words)
    except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
        return Heard("cut", status, headers, b"".join(chunks), str(error) or type(error).__name__)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that say something of limits and of what to tell the endpoint's support."""
    return {name.lower(): value for name, value in headers.items() if name.lower().startswith(_KEPT)}
