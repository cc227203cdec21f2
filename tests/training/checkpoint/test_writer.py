"""The file of checkpoints: when it is written, and what happens where it cannot be."""

from __future__ import annotations

import os
import shutil
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from batchprop import Checkpoint, train
from batchprop.files import atomic_file
from batchprop.training.checkpoint import writer
from tests.bad_input import Bad, assert_told
from tests.problems import problem
from tests.resumed import assert_same_run

CASE = problem(e=2, m=4, s=1, n_samples=30)
OFTEN = {
    "checkpoint_seconds": 0,
    "callback_every": 2,
    "callback": lambda progress: None,
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


@pytest.fixture
def no_pause(monkeypatch):
    """Let writing take as much of the time as it likes."""
    monkeypatch.setattr(writer, "_SHARE", 1e9)


def trained(**options):
    return train(
        CASE.X,
        CASE.T,
        **({"alpha": 0.0, "solver": "gd", "hidden_size": 4, "max_epochs": 20} | options),
    )


def resumed(path, **options):
    return train(CASE.X, CASE.T, resume=path, **options)


def test_it_is_written_while_the_run_goes_on(path, no_pause):
    seen = []

    def look(progress):
        if path.exists():
            found = Checkpoint.load(path)
            seen.append((progress.epoch, found.n_epochs, found.stop_reason))
            assert os.listdir(path.parent) == [path.name]

    trained(checkpoint=path, **(OFTEN | {"callback": look}))
    assert [epoch for epoch, _, _ in seen] == list(range(2, 21, 2))
    for epoch, written, reason in seen:  # in how many bursts depends on the machine
        assert epoch - 2 <= written < epoch
        assert reason == "running"


def test_what_is_written_on_the_way_goes_on_like_the_run(path, no_pause):
    copies = []

    def keep(progress):
        if path.exists():
            copies.append(shutil.copy(path, path.with_name(f"{progress.epoch}.npz")))

    whole = trained(checkpoint=path, solver="adam", **(OFTEN | {"callback": keep}))
    assert len(copies) == 10
    for copy in copies:
        again = resumed(copy, max_epochs=20 - Checkpoint.load(copy).n_epochs)
        assert_same_run(again, whole)


def test_it_changes_nothing_else(path, no_pause):
    assert_same_run(trained(checkpoint=path, **OFTEN), trained())


def raising(error):
    def callback(progress):
        if progress.epoch == 6:
            raise error

    return callback


ENDINGS = {
    "max_epochs": {},
    "target_loss": {"target_loss": 1e9},
    "callback": {"callback": lambda progress: progress.epoch == 6},
    "interrupted": {"callback": raising(KeyboardInterrupt)},
    "max_seconds": {"max_seconds": 1e-9},
}


@pytest.mark.parametrize("reason", ENDINGS)
@pytest.mark.filterwarnings("ignore:Stopped by 'max_seconds' before the first step")
def test_it_is_written_at_the_end_however_it_ends(path, reason):
    result = trained(checkpoint=path, **ENDINGS[reason])
    assert result.stop_reason == reason
    assert Checkpoint.load(path).stop_reason == reason
    rest = 20 - result.n_epochs if reason != "target_loss" else 5
    rules = {"target_loss": -1.0}
    assert_same_run(
        resumed(path, max_epochs=rest, **rules), resumed(result, max_epochs=rest, **rules)
    )


def test_it_is_written_after_numbers_that_are_not_finite(path):
    with pytest.warns(RuntimeWarning, match="NaN or infinite"):
        trained(checkpoint=path, solver="gd", learning_rate=1e200, scale=False)
    assert Checkpoint.load(path).stop_reason == "non_finite"


def test_it_is_written_where_a_callback_fails(path):
    with pytest.raises(LookupError):
        trained(checkpoint=path, callback=raising(LookupError()))
    assert Checkpoint.load(path).n_epochs == 6
    assert_same_run(resumed(path, max_epochs=14), trained())


def refusing(error):
    def write(*arguments):
        raise error

    return write


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(28, "No space left on device")]
)
def test_where_it_cannot_be_written_training_goes_on(path, monkeypatch, no_pause, error):
    trained(checkpoint=path, max_epochs=4)
    monkeypatch.setattr(atomic_file, "write_arrays", refusing(error))
    with pytest.warns(RuntimeWarning, match="could not be written") as told:
        result = trained(checkpoint=path, **OFTEN)
    monkeypatch.undo()
    assert len(told) == 11
    for warning in told:
        assert warning.filename == __file__
        assert repr(str(path)) in str(warning.message)
        assert error.strerror in str(warning.message)
    assert_same_run(result, trained())
    assert_same_run(resumed(path, max_epochs=16), result)  # what was there is still there


def test_a_folder_that_goes_away(tmp_path, no_pause):
    folder = tmp_path / "folder"
    folder.mkdir()

    def remove(progress):
        if progress.epoch == 10:
            shutil.rmtree(folder)

    with pytest.warns(RuntimeWarning, match="No such file"):
        result = trained(checkpoint=folder / "run.npz", **(OFTEN | {"callback": remove}))
    assert_same_run(result, trained())


@pytest.mark.parametrize("which", [1, 5])
def test_ctrl_c_while_it_is_written(path, monkeypatch, no_pause, which):
    write, calls = atomic_file.write_arrays, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == which:
            raise KeyboardInterrupt
        write(*arguments)

    monkeypatch.setattr(atomic_file, "write_arrays", interrupted)
    result = trained(checkpoint=path, **OFTEN)
    assert result.stop_reason == "interrupted"
    assert_same_run(resumed(path, max_epochs=20 - result.n_epochs), trained())


def test_ctrl_c_while_the_last_one_is_written(path, monkeypatch):
    monkeypatch.setattr(atomic_file, "write_arrays", refusing(KeyboardInterrupt()))
    result = trained(checkpoint=path)
    assert (result.n_epochs, result.stop_reason) == (20, "interrupted")
    assert_same_run(resumed(result, max_epochs=0), trained())


def test_a_start_that_begins_removes_what_a_killed_one_left(path):
    (path.parent / f".run.npz.{'0' * 16}").touch()
    trained(checkpoint=path)
    assert os.listdir(path.parent) == [path.name]


def test_when_it_is_due(path, monkeypatch):
    clock, written = SimpleNamespace(now=0.0, cost=0.0), []
    monkeypatch.setattr(writer, "time", SimpleNamespace(perf_counter=lambda: clock.now))

    def save(path):
        written.append(clock.now)
        clock.now += clock.cost

    made = SimpleNamespace(save=save)
    keeper = writer.CheckpointWriter(path, 60.0)
    for now in (0, 59, 60, 61, 119, 120, 200):
        clock.now = float(now)
        keeper.write_if_due(lambda reason: made)
    assert written == [60, 120, 200]
    clock.cost = 10.0  # seconds for each: a hundred seconds between them
    for now in (260, 300, 370, 400, 500):
        clock.now = float(now)
        keeper.write_if_due(lambda reason: made)
    assert written == [60, 120, 200, 260, 370, 500]


BAD = [
    Bad({"checkpoint": 3}, TypeError, "be the name of a file", "3 of type int", "Pass a string"),
    Bad({"checkpoint": b"run"}, TypeError, "be the name of a file", "bytes", "Pass a string"),
    Bad({"checkpoint": "."}, ValueError, "be the name of a file", "the folder", "Add the name"),
    Bad({"checkpoint": "none/run"}, ValueError, "be in a folder", "'none/run'", "Make 'none'"),
    Bad({"checkpoint": "~/run"}, ValueError, "be in a folder", "'~/run'", "os.path.expanduser"),
    Bad({"checkpoint": ".."}, ValueError, "be the name of a file", "the folder '..'.", "Add the"),
    Bad({"checkpoint_seconds": -1}, ValueError, "at least 0", "-1", "Pass a number"),
    Bad({"checkpoint_seconds": np.nan}, ValueError, "finite", "nan", "Pass a number"),
    Bad({"checkpoint_seconds": None}, TypeError, "finite", "None", "Pass a float"),
    Bad({"checkpoint": "run", "n_init": 2}, ValueError, "be None", "n_init=2", "one by one"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad.arguments))
def test_bad_arguments(bad, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert_told(trained, bad)
    assert os.listdir() == []


def test_nothing_is_written_without_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(checkpoint_seconds=0)
    assert os.listdir() == []


@pytest.mark.parametrize("name", ["file/run", "file/below/run"])
def test_a_file_in_the_place_of_a_folder(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="be in a folder that exists.*is a file: pass another"):
        trained(checkpoint=tmp_path / name)
