"""From a command line to an exit code; a user's mistake never ends in a traceback."""

from __future__ import annotations

import contextlib
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from importlib import import_module

from batchprop.cli import arguments
from batchprop.cli.console import Console, write_utf8
from batchprop.cli.errors import BAD_DATA, BROKEN_PIPE, INTERRUPTED, CommandError

_MODULES = {
    "train": "train_command",
    "predict": "predict_command",
    "evaluate": "evaluate_command",
    "export": "export_command",
    "check-gradient": "check_command",
    "info": "info_command",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line: see ``batchprop.cli.main``."""
    parser = arguments.parser()
    options = parser.parse_args(argv)
    names = arguments.option_names(parser, options.command)
    write_utf8()
    console = Console(f"batchprop {options.command}", options.quiet, names)
    try:
        code = _run(options, console)
        sys.stdout.flush()
    except BrokenPipeError:
        _close_standard_output()
        return BROKEN_PIPE
    except KeyboardInterrupt:
        saved = f"{', '.join(console.saved)} was saved" if console.saved else "nothing was saved"
        console.error(f"interrupted; {saved}")
        return INTERRUPTED
    return code


def _run(options: Namespace, console: Console) -> int:
    """Run a command; show errors that are the user's to mend."""
    try:
        command = import_module(f"batchprop.cli.{_MODULES[options.command]}")
        return int(command.run(options, console))
    except CommandError as error:
        console.error(str(error))
        return error.code
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is None:
            console.error(f"{error.strerror or error}")
        else:
            console.error(f"{error.filename}: {error.strerror or error}")
        return BAD_DATA
    except MemoryError:
        console.error("not enough memory for this table")
        return BAD_DATA


def _close_standard_output() -> None:
    """Let the flush at the end of the process not fail again."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
