"""Where the code and the test of an answer are found, and how changed code goes back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.golang.extract import Block, blocks, from_answer, with_code

CODE = "package a\n\nfunc F() int { return 1 }\n"
TEST = 'package a\n\nimport "testing"\n\nfunc TestF(t *testing.T) {}\n'


def fenced(text: str, info: str = "go", fence: str = "```", indent: str = "") -> str:
    body = "".join(indent + line + "\n" for line in text.splitlines())
    return f"{indent}{fence}{info}\n{body}{indent}{fence}\n"


def test_the_first_go_block_is_the_code_and_a_block_with_a_test_function_is_the_test() -> None:
    answer = f"Like this:\n\n{fenced(CODE)}\nand\n\n{fenced(TEST)}"
    found = from_answer(answer)
    assert (found.code, found.test) == (CODE, TEST)
    assert answer.split("\n")[found.code_line - 1] == "package a"
    assert answer.split("\n")[found.test_line - 1] == "package a"
    assert found.test_line > found.code_line


def test_a_test_that_comes_first_is_still_the_test() -> None:
    assert from_answer(fenced(TEST) + fenced(CODE)).code == CODE


def test_an_answer_that_is_only_a_test_is_code() -> None:
    found = from_answer(fenced(TEST))
    assert (found.code, found.test) == (TEST, "")


def test_fuzz_targets_and_examples_with_output_are_tests() -> None:
    fuzz = "package a\n\nfunc FuzzF(f *testing.F) {}\n"
    example = "package a\n\nfunc ExampleF() {\n\tfmt.Println(F())\n\t// Output: 1\n}\n"
    silent = "package a\n\nfunc ExampleF() {}\n"
    assert from_answer(fenced(CODE) + fenced(fuzz)).test == fuzz
    assert from_answer(fenced(CODE) + fenced(example)).test == example
    assert from_answer(fenced(CODE) + fenced(silent)).test == ""


def test_go_is_known_by_many_names() -> None:
    for info in ("go", "Go", "golang", "go title=main.go", "{.go}", "go:main.go", " go ", "go,linenos"):
        assert from_answer(fenced(CODE, info)).code == CODE, info


def test_other_languages_are_not_go() -> None:
    answer = fenced("print(1)", "python") + fenced("go build", "sh")
    assert from_answer(answer).code == ""
    assert [block.language for block in blocks(answer)] == ["python", "sh"]


def test_blocks_in_lists_lose_their_indentation() -> None:
    answer = "1. First\n\n" + fenced(CODE, indent="   ")
    assert from_answer(answer).code == CODE


def test_an_unmarked_block_counts_when_it_reads_like_go() -> None:
    assert from_answer(fenced("$ go run .", "") + fenced(CODE, "")).code == CODE
    assert from_answer(fenced(CODE) + fenced(TEST, "")).test == TEST


def test_an_answer_without_fences_may_be_code_as_a_whole() -> None:
    assert from_answer(CODE).code == CODE
    assert from_answer("func F() int {\n\treturn 1\n}").code == "func F() int {\n\treturn 1\n}"
    assert from_answer("The package is fine. Use func literals.").code == ""


def test_a_block_that_is_never_closed_goes_to_the_end() -> None:
    assert from_answer("```go\n" + CODE).code == CODE
    assert from_answer("```go\n" + CODE.rstrip()).code == CODE


def test_a_fence_is_closed_by_one_as_long_and_of_its_kind() -> None:
    assert blocks("````go\n```\n~~~~\n````\n") == (Block("go", "```\n~~~~\n", 2),)


def test_carriage_returns_are_no_part_of_the_code() -> None:
    assert from_answer(fenced(CODE).replace("\n", "\r\n")).code == CODE


def test_new_code_takes_the_place_of_the_old_and_nothing_else_moves() -> None:
    answer = f"Before.\n\n{fenced(CODE, indent='  ')}\nBetween.\n\n{fenced(TEST)}After.\n"
    new = "package a\n\n// F is two.\nfunc F() int {\n\n\treturn 2\n}\n"
    changed = with_code(answer, new)
    assert from_answer(changed).code == new
    assert from_answer(changed).test == TEST
    assert changed.startswith("Before.\n\n  ```go\n  package a\n")
    assert changed.endswith(f"Between.\n\n{fenced(TEST)}After.\n")


def test_the_fence_grows_when_the_new_code_would_close_it() -> None:
    new = "package a\n\nconst usage = `\n```\nrun it\n```\n`\n"
    changed = with_code(fenced(CODE) + "After.\n", new)
    assert from_answer(changed).code == new
    assert changed.endswith("````\nAfter.\n")


def test_an_answer_without_code_gets_a_block() -> None:
    assert with_code("No.", CODE) == f"No.\n\n{fenced(CODE)}"
    assert from_answer(with_code("", CODE)).code == CODE
    assert from_answer(with_code("```python\nprint(1)", CODE)).code == CODE


markdown = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "```go",
                "```",
                "~~~",
                "````",
                "  ```golang",
                "\t```go",
                "```python",
                "package a",
                "func F() {",
                "}",
                "",
                "\r",
            ]
        ),
        st.text(alphabet=st.characters(blacklist_characters="\n"), max_size=20),
    ),
    max_size=30,
).map("\n".join)

go_lines = st.lists(
    st.one_of(
        st.sampled_from(["\treturn x", "```", "  ~~~~", "const s = `", "", "// ```go", "\tx := '`'"]),
        st.text(alphabet=st.characters(blacklist_characters="\n\r"), max_size=20),
    ),
    max_size=12,
).map(lambda lines: "\n".join(["package a", *lines]))


@given(markdown)
def test_any_markdown_can_be_read(text: str) -> None:
    found = from_answer(text)
    for block in blocks(text):
        assert 1 <= block.line <= text.count("\n") + 2
        assert not block.text or block.text.endswith("\n")
    if found.code:
        lines = [line.removesuffix("\r") for line in text.split("\n")]
        first = found.code.split("\n")[0]
        assert lines[found.code_line - 1].endswith(first)


@given(markdown, go_lines)
def test_code_that_was_put_in_is_found_again(text: str, code: str) -> None:
    changed = with_code(text, code)
    assert from_answer(changed).code == code.removesuffix("\n") + "\n"
    assert with_code(changed, code) == changed
