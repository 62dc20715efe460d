"""A conversation with a model whose answers the test writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import pytest
import shiboken6
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.playground.chat_view import ChatView
from app.playground.mode import Bench
from app.playground.model_list import ModelList
from app.playground.model_servers import ModelServers, Served
from app.widgets.banner import Banner
from tests.app.playground.benches import StandingServers
from tests.app.playground.chat.chats import Ask, settle
from tests.app.playground.scripted_model import Reply, Script, ScriptedModel
from tests.loopback import serving


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with serving(ScriptedModel()) as made:
        yield made


@pytest.fixture
def script(model: ScriptedModel) -> Script:
    return model.script


@pytest.fixture
def make(context: AppContext, model: ScriptedModel, qtbot: QtBot) -> Iterator[Callable[[], ChatView]]:
    """`make()`: a view, shown, with the starter in its picker; may be called again, as for another window."""
    made: list[tuple[ChatView, Bench]] = []

    def begin() -> ChatView:
        servers = StandingServers(Served(model.address))
        bench = Bench(context, ModelList(context), cast(ModelServers, servers), Banner(context.theme))
        view = ChatView(bench)
        view.ahead.watch.timer.setInterval(1)
        view.resize(1000, 600)
        view.show()
        made.append((view, bench))
        bench.models.refresh()
        qtbot.waitUntil(lambda: view.model is not None and not context.tasks.busy())
        return view

    yield begin
    for view, bench in made:
        view.talk.put_away()
        shiboken6.delete(view)
        for part in (bench.banner, bench.models, bench.servers):
            shiboken6.delete(part)


@pytest.fixture
def view(make: Callable[[], ChatView]) -> ChatView:
    return make()


@pytest.fixture
def ask(view: ChatView, script: Script, qtbot: QtBot) -> Ask:
    def do(question: str, answer: str = "Well.", **how: object) -> None:
        script.replies.append(Reply([answer], **how))  # type: ignore[arg-type]
        view.prompt.setPlainText(question)
        qtbot.keyClick(view.prompt, Qt.Key.Key_Return)
        settle(view, qtbot)

    return do
