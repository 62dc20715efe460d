"""A conversation as a tree: asked anew, answered again, read along one branch, kept on disk whatever happens."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UserError
from core.inference import conversation as tree
from core.inference import conversation_files as files
from core.inference.conversation import ASSISTANT, USER, Conversation, Facts, Shot


def talk(*texts: str) -> Conversation:
    """Questions and answers in turn."""
    made = tree.begin()
    for place, text in enumerate(texts):
        facts = Facts("starter", settings={"seed": place}, reason="stop") if place % 2 else None
        made = tree.add(made, ASSISTANT if place % 2 else USER, text, facts=facts)
    return made


def texts(conversation: Conversation) -> list[str]:
    return [message.text for message in tree.path(conversation)]


def test_a_question_asked_anew_is_a_branch_and_the_old_one_stays() -> None:
    made = talk("q1", "a1", "q2", "a2")
    second = tree.path(made)[2].id
    anew = tree.add(tree.ask_anew(made, second, "q2b"), ASSISTANT, "a2b")
    assert texts(anew) == ["q1", "a1", "q2b", "a2b"]
    back = tree.turn(anew, tree.path(anew)[2].id, -1)
    assert texts(back) == ["q1", "a1", "q2", "a2"]
    assert tree.turn(back, second, -1) == back
    assert len(tree.siblings(anew, second)) == 2


def test_an_answer_given_again_is_its_sibling() -> None:
    made = talk("q1", "a1")
    question = tree.path(made)[0].id
    again = tree.add(made, ASSISTANT, "a1b", parent=question)
    assert texts(again) == ["q1", "a1b"]
    assert [again.message(one).text for one in tree.siblings(again, again.leaf)] == ["a1", "a1b"]


def test_a_deleted_branch_gives_way_to_its_sibling_and_the_last_to_what_led_there() -> None:
    made = talk("q1", "a1", "q2", "a2")
    answer = tree.path(made)[1].id
    again = tree.add(made, ASSISTANT, "a1b", parent=tree.path(made)[0].id)
    assert texts(tree.delete(again, again.leaf)) == ["q1", "a1", "q2", "a2"]
    assert texts(tree.delete(made, answer)) == ["q1"]
    assert tree.delete(made, tree.path(made)[0].id).messages == ()


def test_what_is_sent_are_shots_and_turns_without_what_was_never_answered() -> None:
    made = replace(talk("q1", "a1", "q2", "", "q3"), shots=(Shot(7, 9, "sq", "sa"),))
    sent = [(one["role"], one["content"]) for one in tree.chat(made)]
    assert sent == [("user", "sq"), ("assistant", "sa"), ("user", "q1"), ("assistant", "a1"), ("user", "q3")]
    prompt = tree.add(tree.add(tree.begin(), tree.PROMPT, "func F("), tree.CONTINUATION, ") {}")
    assert tree.chat(prompt) == []


def test_a_branch_without_the_first_questions_leaves_the_long_one() -> None:
    made = talk("q1", "a1", "q2", "a2", "q3", "a3")
    shorter = tree.without_first(made, 2)
    assert texts(shorter) == ["q3", "a3"]
    assert texts(tree.turn(shorter, tree.path(shorter)[0].id, -1)) == ["q1", "a1", "q2", "a2", "q3", "a3"]
    assert tree.without_first(made, 0) == tree.without_first(made, 3) == made


def test_the_name_is_the_first_line_of_the_first_question_or_the_title() -> None:
    made = talk("\n\n  Write Go.\nQuickly.", "a")
    assert made.name == "Write Go."
    assert replace(made, title="Mine").name == "Mine"
    assert len(talk("x" * 300).name) == tree.TITLE_LENGTH


@given(
    st.lists(st.tuples(st.sampled_from(["add", "anew", "again", "delete", "turn"]), st.integers(0, 30)), max_size=25)
)
def test_whatever_is_done_the_tree_stays_a_tree_and_survives_the_disk(steps: list[tuple[str, int]]) -> None:
    made = talk("q", "a")
    for what, number in steps:
        some = made.messages[number % len(made.messages)].id if made.messages else ""
        if what == "add" or not some:
            made = tree.add(made, USER, f"t{number}")
        elif what == "anew":
            made = tree.ask_anew(made, some, f"n{number}")
        elif what == "again":
            made = tree.add(made, ASSISTANT, f"r{number}", parent=some, facts=Facts("m", tokens=number))
        elif what == "delete":
            made = tree.delete(made, some)
        else:
            made = tree.turn(made, some, number % 3 - 1)
        known = {""} | {message.id for message in made.messages}
        assert all(message.parent in known for message in made.messages)
        assert made.leaf in known
        assert made.leaf or not made.messages or made.leaf == ""
    assert files.from_dict(json.loads(json.dumps(files.as_dict(made)))) == made
    assert {message.id for message in tree.merged(made, made).messages} == {message.id for message in made.messages}


# --- on disk -------------------------------------------------------------------------------------------------------


def test_what_is_saved_is_read_again_and_listed_newest_first(tmp_path: Path) -> None:
    first, second = talk("first", "a"), replace(talk("second", "b"), shots=(Shot(1, 2, "p", "r"),))
    files.save(tmp_path, first)
    kept = files.save(tmp_path, second)
    os.utime(tmp_path / f"{first.id}.json", (1, 1))
    assert files.load(tmp_path, second.id) == kept
    assert [entry.name for entry in files.entries(tmp_path)] == ["second", "first"]
    assert files.entries(tmp_path / "nowhere") == []


def test_two_windows_lose_nothing_of_each_other(tmp_path: Path) -> None:
    start = files.save(tmp_path, talk("q", "a"))
    mine = tree.add(start.conversation, USER, "mine")
    theirs = tree.add(start.conversation, USER, "theirs")
    files.save(tmp_path, theirs, start.revision)
    joined = files.save(tmp_path, mine, start.revision)
    assert texts(joined.conversation) == ["q", "a", "mine"]
    assert texts(tree.turn(joined.conversation, joined.conversation.leaf, 1)) == ["q", "a", "theirs"] or texts(
        tree.turn(joined.conversation, joined.conversation.leaf, -1)
    ) == ["q", "a", "theirs"]
    deleted = tree.delete(joined.conversation, joined.conversation.leaf)
    files.save(tmp_path, deleted, joined.revision)
    again = files.save(tmp_path, tree.add(start.conversation, USER, "third"), start.revision)
    assert "mine" not in [message.text for message in again.conversation.messages]
    assert {"theirs", "third"} <= {message.text for message in again.conversation.messages}


def test_what_another_window_deleted_is_not_read_on(tmp_path: Path) -> None:
    start = files.save(tmp_path, talk("q", "a"))
    files.save(tmp_path, tree.delete(start.conversation, start.conversation.leaf), start.revision)
    joined = files.save(tmp_path, tree.add(start.conversation, USER, "more"), start.revision)
    assert texts(joined.conversation) == ["q"]
    assert files.load(tmp_path, start.conversation.id) == joined


def test_an_answer_that_goes_on_is_kept_at_its_longest(tmp_path: Path) -> None:
    start = talk("q", "so f")
    longer = tree.written(start, start.leaf, "so far and further")
    assert texts(tree.merged(start, longer))[-1] == "so far and further"
    assert texts(tree.merged(longer, start))[-1] == "so far and further"


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'"x"', b'{"gosmith": "conversation"}', b'{"gosmith": "other", "format": 1}']
)
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, damage: bytes) -> None:
    files.save(tmp_path, talk("whole", "a"))
    (tmp_path / "broken.json").write_bytes(damage)
    with pytest.raises(UserError, match=r"broken\.json is damaged"):
        files.load(tmp_path, "broken")
    found = {entry.id: entry for entry in files.entries(tmp_path)}
    assert "damaged" in found.pop("broken").problem
    assert [entry.name for entry in found.values()] == ["whole"]
    assert (tmp_path / "broken.json").read_bytes() == damage
    with pytest.raises(UserError, match="damaged"):
        files.save(tmp_path, replace(talk("new"), id="broken"))
    assert (tmp_path / "broken.json").read_bytes() == damage


@pytest.mark.parametrize("field", ["parent", "role", "leaf"])
def test_a_file_whose_tree_does_not_hold_together_is_damaged(tmp_path: Path, field: str) -> None:
    made = talk("q", "a")
    data = files.as_dict(made, "x")
    (data if field == "leaf" else data["messages"][1])[field] = "nobody"
    (tmp_path / f"{made.id}.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match="damaged"):
        files.load(tmp_path, made.id)


def test_a_full_disk_is_a_sentence_and_the_old_file_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = files.save(tmp_path, talk("q", "a"))

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.files.os.fsync", full)
    with pytest.raises(UserError, match="No space left on device"):
        files.save(tmp_path, tree.add(kept.conversation, USER, "more"), kept.revision)
    assert files.load(tmp_path, kept.conversation.id) == kept
    assert [path.name for path in tmp_path.glob("*.json")] == [f"{kept.conversation.id}.json"]


def test_a_deleted_conversation_can_be_put_back(tmp_path: Path) -> None:
    kept = files.save(tmp_path, talk("q", "a"))
    data = files.remove(tmp_path, kept.conversation.id)
    assert files.entries(tmp_path) == []
    with pytest.raises(UserError, match="cannot be deleted"):
        files.remove(tmp_path, kept.conversation.id)
    files.put_back(tmp_path, kept.conversation.id, data)
    assert files.load(tmp_path, kept.conversation.id) == kept
