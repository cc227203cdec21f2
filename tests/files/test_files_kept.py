"""What a writer of files finds: links, permissions, what is no file, other platforms."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys

import numpy as np
import pytest

from batchprop import Network, train
from batchprop.files import atomic_file
from tests.bad_input import FORM
from tests.problems import problem

CASE = problem(e=2, m=3, s=1, n_samples=12)
CHECKPOINT = train(CASE.X, CASE.T, solver="gd", hidden_size=3, max_epochs=2).checkpoint
OLD, NEW = {"a": np.arange(5.0)}, {"a": np.arange(7.0)}
posix_only = pytest.mark.skipif(os.name != "posix", reason="permissions and pipes are POSIX's")
BAD_NAMES = [
    (3, TypeError, "3 of type int"),
    (None, TypeError, "None of type NoneType"),
    (b"run.npz", TypeError, "of type bytes"),
    ([], TypeError, "of type list"),
    ("", ValueError, "an empty string"),
    ("run\0.npz", ValueError, "null characters"),
    ("\ud800.npz", ValueError, "cannot encode"),
]


def size(path):
    with np.load(path) as archive:
        return archive["a"].size


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "arrays.npz"
    atomic_file.write_arrays(path, OLD)
    return path


def linked(link, target):
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("no symbolic links here")
    return link


def test_a_link_is_followed(path, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = linked(tmp_path / "elsewhere" / "link.npz", path)
    atomic_file.write_arrays(linked(tmp_path / "elsewhere" / "second.npz", link), NEW)
    assert link.is_symlink()
    assert not path.is_symlink()
    assert size(path) == size(link) == 7
    assert sorted(os.listdir(tmp_path)) == ["arrays.npz", "elsewhere"]
    assert sorted(os.listdir(tmp_path / "elsewhere")) == ["link.npz", "second.npz"]


def test_a_link_to_nothing_yet(tmp_path):
    link = linked(tmp_path / "link.npz", "arrays.npz")
    train(CASE.X, CASE.T, solver="gd", hidden_size=3, max_epochs=2, checkpoint=link)
    assert link.is_symlink()
    assert (tmp_path / "arrays.npz").is_file()
    away = linked(tmp_path / "away.npz", tmp_path / "nowhere" / "arrays.npz")
    with pytest.raises(FileNotFoundError) as told:
        atomic_file.write_arrays(away, NEW)
    assert told.value.filename == str(away)
    with pytest.raises(ValueError, match="be in a folder that exists.* Make .*nowhere' first"):
        train(CASE.X, CASE.T, checkpoint=away, alpha=0.0)


def test_a_link_to_itself(tmp_path):
    link = linked(tmp_path / "link.npz", "link.npz")
    for call in (lambda: atomic_file.write_arrays(link, NEW), lambda: Network.load(link)):
        with pytest.raises(OSError, match="symbolic links") as told:
            call()
        assert told.value.filename == str(link)


@posix_only
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o666, 0o755])
def test_permissions_are_kept(path, mode):
    path.chmod(mode)
    atomic_file.write_arrays(path, NEW)
    assert size(path) == 7
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix_only
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_those_that_open_gives(tmp_path, umask):
    before = os.umask(umask)
    try:
        atomic_file.write_arrays(tmp_path / "new.npz", NEW)
        (tmp_path / "opened").touch()
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o666 & ~umask}


@posix_only
def test_what_is_private_is_so_while_it_is_written(path, monkeypatch):
    path.chmod(0o600)
    save, make_like, seen = np.savez, atomic_file._make_like, []

    def look(number):
        seen.append(stat.S_IMODE(os.fstat(number).st_mode))

    monkeypatch.setattr(atomic_file, "_make_like", lambda n, like: look(n) or make_like(n, like))
    monkeypatch.setattr(np, "savez", lambda file, **more: look(file.fileno()) or save(file, **more))
    atomic_file.write_arrays(path, NEW)
    assert seen == [0o600, 0o600]  # from its first moment on


@posix_only
def test_the_owner_is_kept_where_that_is_allowed(path, monkeypatch):
    asked = []
    other = os.stat_result([0o100640, 0, 0, 1, os.getuid() + 1, os.getgid() + 1, 0, 0, 0, 0])

    def refusing(number, owner, group):
        asked.append((owner, group))
        if owner != -1:
            raise PermissionError(errno.EPERM, "not allowed")

    monkeypatch.setattr(atomic_file, "_status", lambda place: other)
    monkeypatch.setattr(os, "fchown", refusing)
    atomic_file.write_arrays(path, NEW)
    assert asked == [(os.getuid() + 1, os.getgid() + 1), (-1, os.getgid() + 1)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def pipe(path):
    os.mkfifo(path)


def unix_socket(path):
    made = socket.socket(socket.AF_UNIX)
    try:
        made.bind(str(path))
    except OSError:
        pytest.skip("the folder's name is too long for a socket")
    finally:
        made.close()


KINDS = {
    "a pipe": pipe,
    "a socket": unix_socket,
    "a device": lambda path: path.symlink_to(os.devnull),
}


@posix_only
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_file_is_left_alone(tmp_path, kind):
    path = tmp_path / "run.npz"
    KINDS[kind](path)
    before = path.lstat()
    with pytest.raises(OSError, match=f"Not a file but {kind}") as told:
        CHECKPOINT.save(path)
    assert told.value.filename == str(path)
    with pytest.raises(
        ValueError, match=f"^checkpoint must be the name of a file; .*{kind}"
    ) as told:
        train(CASE.X, CASE.T, checkpoint=path, alpha=0.0)
    assert FORM.match(str(told.value))
    for load in (Network.load, type(CHECKPOINT).load):
        with pytest.raises((ValueError, OSError), match=r"run\.npz"):
            load(path)
    assert path.lstat() == before
    assert os.listdir(tmp_path) == ["run.npz"]


def test_errors_have_the_name_that_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    for name, error in {
        "none/run.npz": FileNotFoundError, "file/run.npz": OSError, ".": IsADirectoryError,
        "a" * 300: OSError,
    }.items():  # fmt: skip
        with pytest.raises(error) as told:
            CASE.network.save(name)
        assert told.value.filename == name
        assert told.value.__cause__ is None
    assert os.listdir() == ["file"]


def test_the_longest_name_that_a_file_can_have(tmp_path):
    for name in ("a" * 251 + ".npz", "ä" * 125 + ".npz"):
        CASE.network.save(tmp_path / name)
        assert Network.load(tmp_path / name).shape == CASE.network.shape


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError) as told:
            CASE.network.save(tmp_path / "network.npz")
    finally:
        tmp_path.chmod(0o700)
    assert told.value.filename == str(tmp_path / "network.npz")


@pytest.mark.parametrize(("name", "error", "got"), BAD_NAMES, ids=lambda value: repr(value))
def test_what_is_no_name(name, error, got):
    calls = {
        "path": [CASE.network.save, Network.load, CHECKPOINT.save, type(CHECKPOINT).load],
        "checkpoint": [lambda name: train(CASE.X, CASE.T, checkpoint=name, alpha=0.0)]
        * (name is not None),
        "resume": [lambda name: train(CASE.X, CASE.T, resume=name)] * isinstance(name, str),
    }
    for argument, those in calls.items():
        for call in those:
            with pytest.raises(error) as told:
                call(name)
            text = str(told.value)
            assert text.startswith(f"{argument} must be the name of a file; got "), text
            assert got in text
            assert FORM.match(text), text
            assert told.value.__suppress_context__ or told.value.__context__ is None


def test_windows_refuses_for_a_while(path, monkeypatch):
    replace, calls, pauses = os.replace, [], []

    def busy(beside, place):
        calls.append(place)
        if len(calls) <= 3:
            raise PermissionError(errno.EACCES, "Access is denied", str(beside))
        replace(beside, place)

    monkeypatch.setattr(atomic_file, "_WINDOWS", True)
    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(atomic_file.time, "sleep", pauses.append)
    atomic_file.write_arrays(path, NEW)
    assert size(path) == 7
    assert pauses == list(atomic_file._PAUSES[:3])
    assert 1 < sum(atomic_file._PAUSES) < 5


def test_windows_refuses_for_ever(path, monkeypatch):
    def busy(beside, place):
        raise PermissionError(errno.EACCES, "Access is denied", str(beside))

    monkeypatch.setattr(atomic_file, "_WINDOWS", True)
    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(atomic_file.time, "sleep", lambda seconds: None)
    with pytest.raises(PermissionError, match="denied") as told:
        atomic_file.write_arrays(path, NEW)
    assert told.value.filename == str(path)
    assert size(path) == 5
    assert os.listdir(path.parent) == [path.name]


def test_elsewhere_a_refusal_is_one(path, monkeypatch):
    def refused(beside, place):
        raise PermissionError(errno.EACCES, "Permission denied", str(beside))

    monkeypatch.setattr(atomic_file, "_WINDOWS", False)
    monkeypatch.setattr(os, "replace", refused)
    monkeypatch.setattr(atomic_file.time, "sleep", lambda seconds: pytest.fail("it waited"))
    with pytest.raises(PermissionError, match="denied"):
        atomic_file.write_arrays(path, NEW)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fcntl")
@pytest.mark.parametrize("knows", [True, False])
def test_macos_brings_it_to_the_disk_itself(path, monkeypatch, knows):
    done = []

    def command(number, which):
        done.append(which)
        if not knows:
            raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(atomic_file, "_FULL_SYNC", 51)
    monkeypatch.setattr(atomic_file.fcntl, "fcntl", command)
    monkeypatch.setattr(os, "fsync", lambda number: done.append("fsync"))
    atomic_file.write_arrays(path, NEW)
    assert done == ([51, 51] if knows else [51, "fsync", 51, "fsync"])  # the file, the folder
