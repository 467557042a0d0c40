"""The command `isthmus`."""

from __future__ import annotations

import os
import re
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from typer.exceptions import TyperException

from isthmus.cli.compress import compress
from isthmus.cli.cost import cost
from isthmus.cli.fit import fit
from isthmus.cli.measure import measure
from isthmus.cli.predict import predict
from isthmus.cli.regions import regions
from isthmus.cli.report import report
from isthmus.cli.reproduce import reproduce_command
from isthmus.cli.single_options import SingleOptions
from isthmus.cli.sweep import sweep_command
from isthmus.cli.window import window
from isthmus.errors import IsthmusError

_USAGE_ERROR = 2
_INTERRUPTED = 130
_UNREAD = 141  # what a shell says of a command that a closed pipe has ended
_KEEP_NOTHING = ("compress", "measure", "predict")
_RENAMED = {
    "--folds": "--cv",
    "--validation": "--test; all other rows are held out in turn and select the rank",
    "--starts": "--n-init",
    "--jobs": "--n-jobs",
    "--threads": "--n-jobs",
    "--scaling": "--standardize columns|global",
    "--no-standardize": "--standardize none",
}
"""Options of the first edition, and what they are now."""

app = typer.Typer(
    help="How many numbers does a map really pass through? Begin with isthmus fit TABLE --target COLUMN for data, or "
    "isthmus measure MODEL --data ROWS for a trained network.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for _command in (fit, predict, measure, compress, cost, regions, report, reproduce_command, window, sweep_command):
    app.command(_command.__name__.removesuffix("_command"), cls=SingleOptions)(_command)


@app.callback(invoke_without_command=True)
def _root(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if show_version:
        print(f"isthmus {version('isthmus')}")
        raise typer.Exit


def main() -> None:
    """Run the command; errors that have a remedy are one sentence on standard error and exit status 2."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command with the given arguments and return its exit status."""
    try:
        status = int(app(arguments or ["--help"], prog_name="isthmus", standalone_mode=False) or 0)
        sys.stdout.flush()
    except TyperException as wrong:
        message = " ".join(wrong.format_message().split()) if hasattr(wrong, "format_message") else str(wrong)
        message = message.replace(": Value error, ", ": ")
        message = _renamed(message) or message.rstrip(".")
        where = getattr(getattr(wrong, "ctx", None), "command_path", "isthmus")
        return _said(f"{message}{'' if message.endswith('?') else '.'} See {where} --help.")
    except IsthmusError as refused:
        return _said(str(refused))
    except BrokenPipeError:
        return _unread()
    except SystemExit as ended:  # so typer and rich pass on that a pipe is closed
        if isinstance(ended.__context__, BrokenPipeError):
            return _unread()
        raise
    except (PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError) as system:
        return _said(f"Cannot use {system.filename}: {system.strerror}. Choose another path.")
    except OSError as system:
        return _said(f"The system refused: {system}. Check the path and the free space.")
    if status == _INTERRUPTED:  # typer turns Ctrl-C into this status without a word
        is_lost = bool(arguments) and arguments[0] in _KEEP_NOTHING
        remedy = "; it begins anew" if is_lost else " to go on from what was kept"
        print(f"\nInterrupted. Run the same command again{remedy}.", file=sys.stderr)
    return status if arguments else _USAGE_ERROR


def _renamed(message: str) -> str | None:
    """What an option of the first edition is now, if a message complains of one."""
    named = re.search(r"No such option:? '?(--[a-z-]+)", message)
    if named is None or named[1] not in _RENAMED:
        return None
    return f"The option {named[1]} is now {_RENAMED[named[1]]}"


def _unread() -> int:
    """The status where the reader of our output has gone (`| head`): nothing to say, and nobody to say it to."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # Python writes what is left when it ends
        os.dup2(nowhere, stream)
    return _UNREAD


def _said(sentence: str) -> int:
    print(f"isthmus: {sentence}", file=sys.stderr)
    return _USAGE_ERROR
