"""Files that appear whole or not at all, whatever fails while they are written."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from batchprop.files import atomic_file, temporary_file
from tests.platforms import needs_kill
from tests.project import SRC

OLD = {"a": np.arange(5.0)}
NEW = {"a": np.arange(70_000.0), "b.c": np.array("text")}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "arrays.npz"
    atomic_file.write_arrays(path, OLD)
    return path


def content(path):
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def assert_holds(path, arrays):
    found = content(path)
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_what_is_written_comes_back(path):
    assert_holds(path, OLD)
    atomic_file.write_arrays(path, NEW)
    assert_holds(path, NEW)
    assert os.listdir(path.parent) == [path.name]


def test_bytes_are_written_as_they_are(path):
    text = "σ\r\n".encode()
    atomic_file.write_bytes(path, text)
    assert path.read_bytes() == text
    atomic_file.write_bytes(path, b"")
    assert path.read_bytes() == b""
    with pytest.raises(OSError, match="No such file"):
        atomic_file.write_bytes(path.parent / "no" / "file", text)
    assert os.listdir(path.parent) == [path.name]


def test_objects_are_refused(path):
    with pytest.raises(ValueError, match="Object arrays"):
        atomic_file.write_arrays(path, {"a": np.array([object()])})
    assert_holds(path, OLD)


class Full(io.FileIO):
    """A disk on which so many bytes are left."""

    left = 0

    def write(self, data):
        if len(data) > Full.left:
            raise OSError(errno.ENOSPC, "No space left on device")
        Full.left -= len(data)
        return super().write(data)


@pytest.mark.parametrize("left", [0, 100, 300_000])
def test_a_full_disk_leaves_the_old_file(path, monkeypatch, left):
    monkeypatch.setattr(Full, "left", left)
    monkeypatch.setattr(
        "builtins.open", lambda name, mode, opener: Full(name, mode.replace("b", ""), opener=opener)
    )
    with pytest.raises(OSError, match="No space left") as told:
        atomic_file.write_arrays(path, NEW)
    monkeypatch.undo()
    assert (told.value.errno, told.value.filename) == (errno.ENOSPC, str(path))
    assert_holds(path, OLD)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError("refused"), KeyboardInterrupt()])
def test_a_call_that_fails_leaves_the_old_file(path, monkeypatch, call, error):
    def failing(*arguments):
        raise error

    monkeypatch.setattr(os, call, failing)
    with pytest.raises(type(error)):
        atomic_file.write_arrays(path, NEW)
    monkeypatch.undo()
    assert_holds(path, OLD)
    assert os.listdir(path.parent) == [path.name]


def test_it_is_on_the_disk_before_it_has_the_name(path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        call = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *given, name=name, call=call: done.append(name) or call(*given)
        )
    atomic_file.write_arrays(path, NEW)
    assert done == ["fsync", "replace", "fsync"]  # the file, its name, the folder


def test_a_system_that_opens_no_folders(path, monkeypatch):
    opened = os.open

    def refused(name, *flags):
        if os.path.isdir(name):
            raise PermissionError("a folder")
        return opened(name, *flags)

    monkeypatch.setattr(os, "open", refused)
    atomic_file.write_arrays(path, NEW)
    assert_holds(path, NEW)


KILLED = """
import builtins, os, signal, sys
import numpy as np
from batchprop.files import atomic_file, temporary_file

def dying(home, name):
    call = getattr(home, name)
    def counted(*given, **options):
        if name != "open" or str(given[1:2]) == "('xb',)":
            if {before}:
                os.kill(os.getpid(), signal.SIGKILL)
            call(*given, **options)
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*given, **options)
    setattr(home, name, counted)

dying({home}, {name!r})
atomic_file.write_arrays(sys.argv[1], {{"a": np.arange(70_000.0), "b.c": np.array("text")}})
"""
MOMENTS = [
    ("builtins", "open", False, OLD),
    ("np", "savez", False, OLD),
    ("os", "fsync", True, OLD),
    ("os", "replace", True, OLD),
    ("os", "replace", False, NEW),
]


@needs_kill
@pytest.mark.parametrize(("home", "name", "before", "left"), MOMENTS)
def test_killed_at_each_step(path, home, name, before, left):
    code = KILLED.format(home=home, name=name, before=before)
    process = subprocess.run([sys.executable, "-c", code, path], cwd=SRC, check=False)
    assert process.returncode == -signal.SIGKILL
    assert_holds(path, left)
    temporary_file.remove_abandoned(path)
    assert os.listdir(path.parent) == [path.name]
