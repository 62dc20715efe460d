"""The command tree, its global options, and the one place where errors become exit codes.

0 done, 1 the work failed, 2 wrong use. A user sees one sentence and a hint; the traceback of a bug goes to a file.
"""

from __future__ import annotations

import importlib
import re
import sys
import traceback
from itertools import islice
from pathlib import Path

import click

from core import paths
from core.errors import UserError
from core.secrets import hide

# name -> (module, attribute, one line of help); a module is imported only when its command is used
COMMANDS: dict[str, tuple[str, str, str]] = {
    "samples": ("app.cli.samples", "samples", "Import, list, check, review and export samples."),
    "views": ("app.cli.views", "views", "Saved searches: list, save, delete."),
    "reviews": ("app.cli.reviews", "reviews", "Decisions of several people: export, merge, agreement."),
    "suites": (
        "app.cli.suites",
        "suites",
        "Problems for measuring only: list, check, show, add; find samples that give them away.",
    ),
    "snapshot": ("app.cli.snapshots", "snapshot", "Freeze samples into what a run trains on."),
    "teacher": ("app.cli.teacher", "teacher", "Have a strong model write samples, by recipe and within a budget."),
    "plan": ("app.cli.training", "plan", "Memory, tokens and time of a run before it starts."),
    "find": ("app.cli.finding", "find", "Try what to set: largest micro-batch, learning rate, useful batch size."),
    "train": ("app.cli.training", "train", "Fine-tune a base on a snapshot."),
    "jobs": ("app.cli.jobs", "jobs", "Background jobs: what runs, who waits, who holds which GPU."),
    "evaluate": (
        "app.cli.evaluation",
        "evaluate",
        "Judge completions of a suite's problems: pass@k and what went wrong.",
    ),
    "compare": ("app.cli.evaluation", "compare", "Two evaluations of the same problems, problem by problem."),
    "generations": ("app.cli.loop", "generations", "The student over the loops: what each learnt, and pass@1."),
    "models": ("app.cli.models", "models", "Bases and checkpoints at hand."),
    "complete": ("app.cli.models", "complete", "Let a model answer one prompt."),
    "serve": ("app.cli.models", "serve", "Serve a model over an OpenAI-compatible interface on loopback."),
    "starter": ("app.cli.models", "starter", "The small model that ships with Gosmith."),
    "warm": ("app.cli.warm", "warm", "Prepare Go now, so that the first check need not wait."),
    "doctor": ("app.cli.doctor", "doctor", "What is installed, what is missing and how to get it."),
}
GLOBAL_FLAGS = {"--json"}
GLOBAL_OPTIONS = {"--workspace"}
FREE_TEXT_OPTIONS = {"--prompt", "--stop", "--reason", "--note"}
NEGATED = re.compile(r"-[A-Za-z_]+:")


class _LazyGroup(click.Group):
    """Knows the names of its commands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = vars(importlib.import_module(module))[attribute]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in COMMANDS.items()])


@click.group(cls=_LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--workspace", type=click.Path(path_type=Path), help="The workspace folder (else GOSMITH_WORKSPACE).")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object on stdout.")
@click.version_option(package_name="gosmith", message="gosmith %(version)s")
@click.pass_context
def gosmith(ctx: click.Context, workspace: Path | None, as_json: bool) -> None:
    """Distil a strong teacher into a small Go-coding model that you own.

    Without a command, the window opens.
    """
    if ctx.invoked_subcommand is None:
        from app.main import run_window

        ctx.exit(run_window(workspace))
    from app.cli.output import Session

    ctx.obj = Session(root=workspace or paths.default_workspace(), as_json=as_json)


def globals_first(arguments: list[str]) -> list[str]:
    """The same arguments with global options at the front, so that they may stand anywhere before `--`, and negated search
    terms (`-tag:bundled`) behind a `--` at the end, so that they are not taken for options.
    """
    front: list[str] = []
    middle: list[str] = []
    behind: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            behind += words
        elif word in GLOBAL_FLAGS or (word.split("=")[0] in GLOBAL_OPTIONS and "=" in word):
            front.append(word)
        elif word in GLOBAL_OPTIONS:
            front += [word, *islice(words, 1)]
        elif word in FREE_TEXT_OPTIONS:
            middle += [word, *islice(words, 1)]
        elif NEGATED.match(word):
            behind.append(word)
        else:
            middle.append(word)
    return [*front, *middle, *(["--", *behind] if behind else [])]


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    words = globals_first(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in words
    try:
        code = gosmith.main(args=words, prog_name="gosmith", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("gosmith: interrupted", err=True)
        return 1
    except UserError as error:
        from app.cli.output import complain

        complain(error, as_json=as_json)
        return 1
    except BrokenPipeError:
        return 1
    except Exception as error:  # noqa: BLE001  the last line of defence: a bug becomes a sentence and a report file
        from app.cli.output import complain

        complain(_report_bug(error, words), as_json=as_json)
        return 1
    return code if isinstance(code, int) else 0


def _report_bug(error: Exception, words: list[str]) -> UserError:
    report = paths.cache_dir() / "last-error.txt"
    report.parent.mkdir(parents=True, exist_ok=True)
    text = hide("".join(traceback.format_exception(error)))
    report.write_text(f"gosmith {' '.join(words)}\n\n{text}", encoding="utf-8")
    return UserError(
        hide(f"This is a bug in Gosmith: {type(error).__name__}: {error}"),
        f"The details are in {report}; please report them.",
    )
