"""The client against a real server on loopback: what it sends, what it yields, and how it takes every way to fail."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from core.errors import UserError
from core.inference.client import Answer, Finish, Piece, stream_chat, stream_completion
from core.inference.refusals import ServerAddress
from core.inference.sampling import Sampling
from tests.loopback import serving

KEY = "sk-local"
MESSAGES = [{"role": "user", "content": "Reverse a slice."}]
FIGURES = {"tokens_per_second": 40.0, "time_to_first_token": 0.25, "settings": {"temperature": 0.7, "seed": 11}}
Eventually = Callable[..., None]


class Fake(ThreadingHTTPServer):
    """Answers as a `serve` job does. script: what to do after the headers. asked: bodies of the requests.

    gone: set when the client hung up while we were writing.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: Callable[[Handler], None] = say
        self.status = 200
        self.error: object = {"error": {"message": "top_p is 7, which is out of range", "code": None}}
        self.asked: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.gone = threading.Event()

    @property
    def address(self) -> ServerAddress:
        return ServerAddress(f"http://127.0.0.1:{self.server_address[1]}/v1", KEY)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what is being tested."""


class Handler(BaseHTTPRequestHandler):
    server: Fake

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.paths.append(self.path)
        status = self.server.status if self.headers["Authorization"] == f"Bearer {KEY}" else 401
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream" if status == 200 else "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        if status != 200:
            self.wfile.write(json.dumps(self.server.error).encode())
            return
        try:
            self.server.script(self)
        except OSError:
            self.server.gone.set()

    def chunk(self, text: str | None = None, *, reason: str | None = None, usage: int | None = None) -> None:
        chat = self.path.endswith("/chat/completions")
        choice: dict[str, Any] = {"index": 0, "finish_reason": reason}
        choice |= {"delta": {"content": text} if text is not None else {}} if chat else {"text": text or ""}
        record = {
            "id": "x", "object": "chat.completion.chunk" if chat else "text_completion", "created": 1, "model": "gosmith",
            "choices": [] if usage is not None else [choice],
        }  # fmt: skip
        if usage is not None:
            record |= {
                "usage": {"prompt_tokens": 9, "completion_tokens": usage, "total_tokens": 9 + usage},
                "gosmith": FIGURES,
            }
        self.wfile.write(f"data: {json.dumps(record)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *args: object) -> None:
        pass


def say(handler: Handler) -> None:
    for text in ("func ", "Reverse", "()"):
        handler.chunk(text)
    handler.chunk(reason="stop")
    handler.chunk(usage=3)
    handler.wfile.write(b"data: [DONE]\n\n")


def babble(handler: Handler) -> None:
    while True:
        handler.chunk("x ")
        time.sleep(0.002)


@pytest.fixture
def server() -> Iterator[Fake]:
    with serving(Fake()) as fake:
        yield fake


def text_of(answer: Answer) -> tuple[str, Finish | None]:
    text, finish = "", None
    for item in answer:
        if isinstance(item, Piece):
            text += item.text
        else:
            finish = item
    return text, finish


@pytest.mark.parametrize("chat", [True, False])
def test_pieces_come_in_order_and_the_end_tells_what_was_really_used(server: Fake, chat: bool) -> None:
    settings = Sampling(top_k=40, min_p=0.1, repetition_penalty=1.05, stop=("\n\n",), seed=11)
    ask = (
        stream_chat(server.address, MESSAGES, settings)
        if chat
        else stream_completion(server.address, "func ", settings)
    )
    text, finish = text_of(ask)
    assert text == "func Reverse()"
    assert finish == Finish("stop", 3, 40.0, 0.25, FIGURES["settings"], prompt_tokens=9)
    body = server.asked[0]
    assert (body["top_k"], body["min_p"], body["repetition_penalty"]) == (40, 0.1, 1.05)
    assert (body["temperature"], body["top_p"], body["max_tokens"], body["seed"]) == (0.7, 0.95, 256, 11)
    assert body["stop"] == ["\n\n"]
    assert body["stream_options"] == {"include_usage": True}
    assert server.paths == ["/v1/chat/completions" if chat else "/v1/completions"]
    assert body.get("messages" if chat else "prompt") == (MESSAGES if chat else "func ")


def test_what_is_not_asked_for_is_not_sent(server: Fake) -> None:
    text_of(stream_chat(server.address, MESSAGES, Sampling()))
    assert "seed" not in server.asked[0]
    assert "stop" not in server.asked[0]


def test_nothing_is_asked_before_the_first_piece_is_wanted(server: Fake) -> None:
    answer = stream_chat(server.address, MESSAGES, Sampling())
    answer.close()
    assert list(answer) == []
    assert server.asked == []


def test_a_server_that_tells_no_figures_is_timed_by_us(server: Fake) -> None:
    def quiet(handler: Handler) -> None:
        handler.chunk("a")
        handler.chunk("b", reason="length")
        handler.wfile.write(b"data: [DONE]\n\n")

    server.script = quiet
    _, finish = text_of(stream_chat(server.address, MESSAGES, Sampling()))
    assert finish is not None
    assert finish.reason == "length"
    assert finish.time_to_first_token is not None
    assert finish.time_to_first_token > 0


def test_closing_an_answer_hangs_up_at_once(server: Fake) -> None:
    server.script = babble
    answer = stream_chat(server.address, MESSAGES, Sampling())
    assert next(answer) == Piece("x ")
    answer.close()
    assert server.gone.wait(5)
    assert list(answer) == []
    answer.close()


def test_leaving_the_block_hangs_up_too(server: Fake) -> None:
    server.script = babble
    with stream_completion(server.address, "func ", Sampling()) as answer:
        next(answer)
    assert server.gone.wait(5)


def test_another_thread_may_close_an_answer_that_keeps_us_waiting(server: Fake, eventually: Eventually) -> None:
    hold = threading.Event()

    def stall(handler: Handler) -> None:
        handler.chunk("func ")
        hold.wait(30)
        handler.chunk("late")

    server.script = stall
    answer = stream_chat(server.address, MESSAGES, Sampling())
    got: list[Piece | Finish] = []
    thread = threading.Thread(target=lambda: got.extend(answer))
    thread.start()
    eventually(lambda: got, what="the first piece")
    began = time.monotonic()
    answer.close()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - began < 1
    assert got == [Piece("func ")]
    hold.set()


def test_a_server_that_is_gone(server: Fake) -> None:
    nobody = ServerAddress("http://127.0.0.1:9/v1", KEY)
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9/v1 is gone"):
        next(stream_chat(nobody, MESSAGES, Sampling()))


def test_a_wrong_key(server: Fake) -> None:
    with pytest.raises(UserError, match="refused the key"):
        next(stream_chat(ServerAddress(server.address.url, "wrong"), MESSAGES, Sampling()))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "refused the request: top_p is 7, which is out of range."),
        (422, "refused the request"),
        (404, "Nothing answers questions"),
        (429, "busy"),
        (500, "failed: top_p is 7"),
        (503, "failed"),
    ],
)
def test_refusals_become_sentences_and_nothing_is_tried_twice(server: Fake, status: int, words: str) -> None:
    server.status = status
    with pytest.raises(UserError, match=words):
        next(stream_chat(server.address, MESSAGES, Sampling()))
    assert len(server.asked) == 1


def test_a_process_that_dies_in_the_middle(server: Fake) -> None:
    def die(handler: Handler) -> None:
        handler.chunk("func ")
        handler.connection.shutdown(2)

    server.script = die
    answer = stream_chat(server.address, MESSAGES, Sampling())
    assert next(answer) == Piece("func ")
    with pytest.raises(UserError, match="in the middle of its answer"):
        list(answer)


def test_a_model_that_fails_in_the_middle_says_why(server: Fake) -> None:
    def fail(handler: Handler) -> None:
        handler.chunk("func ")
        handler.wfile.write(b'data: {"error": {"message": "The GPU ran out of memory."}}\n\n')

    server.script = fail
    answer = stream_chat(server.address, MESSAGES, Sampling())
    next(answer)
    with pytest.raises(UserError, match=r"middle of its answer: The GPU ran out of memory\.") as caught:
        list(answer)
    assert caught.value.hint


def test_a_proxy_of_the_environment_never_sees_loopback(server: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert text_of(stream_chat(server.address, MESSAGES, Sampling()))[0] == "func Reverse()"
