"""The server as its clients see it: OpenAI's shapes, clear refusals, and an end within a token when they hang up."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.engine import admission, generate, serve
from core.errors import UserError
from core.inference.client import Finish, Piece, stream_chat, stream_completion
from core.inference.refusals import ServerAddress
from core.inference.sampling import Sampling
from tests.core.engine.serving import MESSAGES, Served, serving

ENDLESS = {"max_tokens": 230, "temperature": 2.0, "seed": 1}


@pytest.fixture(scope="module")
def served(base: Path) -> Iterator[Served]:
    with serving(generate.load(base, "fp32")) as running:
        yield running


@pytest.fixture
def address(served: Served) -> ServerAddress:
    return ServerAddress(served.url, "key")


def test_an_answer_in_one_piece_has_openais_shape_and_our_facts(served: Served) -> None:
    status, answer = served.chat(seed=5, top_k=3, min_p=0.1, repetition_penalty=1.1, stop=["zzz"])
    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["role"] == "assistant"
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 8
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + 8
    facts = answer["gosmith"]
    assert facts["stop_reason"] == "length"
    assert facts["settings"] == {
        "temperature": 0.7, "top_p": 0.95, "top_k": 3, "min_p": 0.1, "repetition_penalty": 1.1, "max_tokens": 8,
        "stop": ["zzz"], "seed": 5,
    }  # fmt: skip
    assert facts["tokens_per_second"] > 0
    assert facts["time_to_first_token"] > 0


def test_streamed_and_whole_answers_are_the_same_text(served: Served, address: ServerAddress) -> None:
    _, whole = served.chat(seed=5)
    *pieces, finish = stream_chat(address, MESSAGES, Sampling(max_tokens=8, seed=5))
    assert isinstance(finish, Finish)
    assert (
        "".join(piece.text for piece in pieces if isinstance(piece, Piece)) == whole["choices"][0]["message"]["content"]
    )
    assert finish.reason == "length"
    assert finish.tokens == 8
    assert finish.settings["seed"] == 5
    assert finish.time_to_first_token


def test_a_plain_completion_goes_on_from_the_text(served: Served, address: ServerAddress) -> None:
    status, answer = served.post(
        "/v1/completions", {"model": "m", "prompt": "func ", "max_tokens": 5, "temperature": 0}
    )
    assert status == 200
    assert answer["object"] == "text_completion"
    *pieces, _ = stream_completion(address, "func ", Sampling(temperature=0, max_tokens=5))
    assert "".join(piece.text for piece in pieces if isinstance(piece, Piece)) == answer["choices"][0]["text"]


def test_the_stream_ends_with_usage_and_done(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    body = {
        "model": "m",
        "messages": MESSAGES,
        "max_tokens": 4,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Authorization": "Bearer key"})
    lines = [line for line in connection.getresponse().read().decode().split("\n\n") if line]
    connection.close()
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    last, usage = (json.loads(line.removeprefix("data: ")) for line in lines[-3:-1])
    assert (usage["usage"]["completion_tokens"], usage["choices"]) == (4, [])
    assert last["gosmith"]["settings"]["max_tokens"] == 4
    assert last["choices"][0]["finish_reason"] == "length"


def test_the_models_are_listed(served: Served) -> None:
    status, answer = served.post("/v1/models", b"")
    assert (status, [model["id"] for model in answer["data"]]) == (200, ["tiny"])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"temperature": -1}, "temperature is -1, which is out of range"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": 7}, "top_p is 7"),
        ({"top_k": 1.5}, "top_k"),
        ({"min_p": 9}, "min_p is 9"),
        ({"repetition_penalty": 0}, "repetition_penalty is 0"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"seed": -4}, "seed is -4"),
        ({"stop": [""]}, "empty text"),
        ({"temprature": 1}, "does not know: temprature"),
        ({"logprobs": 3}, "logprobs must be true or false"),
        ({"top_logprobs": 3}, "logprobs is not true"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs must be"),
        ({"n": 0}, "n must be 1 to 32"),
        ({"n": 33}, "n must be"),
        ({"frequency_penalty": 0.5}, "frequency_penalty has no effect here"),
        ({"suffix": "x"}, "does not know: suffix"),
        ({"messages": []}, "messages must be a list"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "role"),
        ({"messages": [{"role": "user", "content": None}]}, "content"),
        ({"messages": [{"role": "user", "content": "Sum " * 300}]}, "The prompt has"),
    ],
)
def test_what_it_does_not_understand_is_refused_with_a_sentence(
    served: Served, fields: dict[str, Any], words: str
) -> None:
    for stream in (False, True):
        status, answer = served.chat(**fields, stream=stream)
        assert status == 400
        assert words in answer["error"]["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_a_body_that_is_no_object_is_refused(served: Served, body: bytes) -> None:
    assert served.post("/v1/chat/completions", body)[0] == 400


def test_a_body_that_is_too_large_is_refused(served: Served) -> None:
    for size in (admission.MOST_BYTES + 1, 10_000_000):
        status, answer = served.post("/v1/chat/completions", b" " * size)
        assert (status, "larger than 4 MiB" in answer["error"]["message"]) == (413, True)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Host": "evil.example:80"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Host": "localhost:1"}, 200),
    ],
)
def test_only_this_machine_with_the_key_gets_in(served: Served, headers: dict[str, str], status: int) -> None:
    assert served.post("/v1/chat/completions", {"messages": MESSAGES, "max_tokens": 1}, **headers)[0] == status


def test_it_listens_on_loopback_alone(served: Served) -> None:
    heard = [one.laddr.ip for one in psutil.Process().net_connections("inet") if one.laddr.port == served.port]
    assert heard
    assert set(heard) == {"127.0.0.1"}


def hang_up(served: Served, *, stream: bool) -> None:
    body = json.dumps({"messages": MESSAGES, "stream": stream, **ENDLESS}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer key\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(head.encode() + body)
        if stream:
            assert b"200 OK" in connection.recv(4096)
        else:
            while not served.service.runner.active:
                pass


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_hangs_up_frees_the_model(served: Served, eventually: Callable[..., None], stream: bool) -> None:
    calls = 0
    forward = served.service.chatter.decoder.way.logits

    def slow(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        threading.Event().wait(0.02)
        return forward(*given)

    served.service.chatter.decoder.way.logits = slow
    try:
        hang_up(served, stream=stream)
        eventually(lambda: served.service.runner.active == 0, 5, "the answer nobody waits for ends")
        assert calls < 60, "230 tokens were asked for"
    finally:
        served.service.chatter.decoder.way.logits = forward
    assert served.chat()[0] == 200


def test_requests_are_answered_side_by_side_and_do_not_mix(served: Served) -> None:
    def said(seed: int) -> str:
        return str(served.chat(seed=seed, temperature=1.5)[1]["choices"][0]["message"]["content"])

    expected = [said(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(said, range(4))) == expected


def test_a_port_that_is_taken_is_a_sentence(served: Served) -> None:
    run = serve.run(served.service, served.port, ready=print, should_stop=lambda _: True)
    with pytest.raises(UserError, match=f"Port {served.port} cannot be used"):
        asyncio.run(run)
