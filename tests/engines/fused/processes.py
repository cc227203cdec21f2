"""Programs run in processes of their own, with a time limit, so that a deadlock is a failure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.project import ROOT, SRC

# Prints how often numba compiled anything since it was imported: ``counted()``.
COUNT_COMPILATIONS = """
from numba.core import event
recorder = event.RecordingListener()
event.register("numba:compile", recorder)
event.register("numba:run_pass", recorder)
def counted():
    return len(recorder.buffer)
"""


def environment(package: Path = SRC, **changes: object) -> dict[str, str]:
    """Return this process's environment, with ``package`` first to be imported; None unsets."""
    merged = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (package, ROOT))), **changes}
    return {name: str(value) for name, value in merged.items() if value is not None}


def start(code: str, *arguments: object, package: Path = SRC, **changes: object):
    """Start ``python -W error -c code arguments…``; warnings are errors there too."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(package, **changes),
    )


def finish(process, timeout=120.0):
    """Return what a program printed; it must end well, in time and without a word of complaint."""
    try:
        out, complaint = process.communicate(timeout=timeout)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, f"ended with {process.returncode}\n{out}\n{complaint}"
    assert complaint == "", complaint
    return out


def run(code: str, *arguments: object, package: Path = SRC, timeout=120.0, **changes: object):
    return finish(start(code, *arguments, package=package, **changes), timeout)
