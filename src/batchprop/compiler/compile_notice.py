"""One line on a terminal that says that kernels are being compiled.

The first call in a new environment takes seconds where later ones take microseconds.  The line
appears once per process, when the first kernel is compiled, if standard error is a terminal or
the process is the kernel of a notebook.  Worker processes are silent, and so are files and pipes
unless the call shows its progress.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import current_process

from batchprop.compiler import console
from batchprop.compiler.cache_folders import writable

_ONCE = ", once for this version and processor"
_choices: list[bool | None] = []  # of the calls that are running, the latest last
_shown = False


@contextmanager
def following(progress: bool | None) -> Iterator[None]:
    """Let a call choose: True shows the line everywhere, False nowhere, None to who watches.

    Of calls in several threads the latest chooses.
    """
    _choices.append(progress)
    try:
        yield
    finally:
        _choices.remove(progress)


def announce() -> None:
    """Show the line, unless it was shown before or nobody would read it."""
    global _shown
    progress, stream = _choices[-1] if _choices else None, sys.stderr
    if _shown or progress is False or stream is None or current_process().name != "MainProcess":
        return
    with suppress(OSError, ValueError, AttributeError):  # a stream that is closed, or not a file
        if progress or stream.isatty() or console.in_notebook():
            _shown = True
            kept = _ONCE if writable() else ""
            stream.write(f"batchprop: compiling kernels{kept} (about 10 s) ...\n")
            stream.flush()
