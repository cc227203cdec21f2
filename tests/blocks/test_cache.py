"""The cache: written once, never taken for whole when it is not, written again when it is stale."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from batchprop import Blocks
from batchprop.blocks import cache_file
from batchprop.blocks.cache import CachedSource
from tests.bad_input import Bad, assert_told
from tests.blocks.comparison import assert_holds, is_copied

N = 100
TABLE = np.random.default_rng(0).normal(size=(5, N))
WAIT = 60  # seconds after which something hangs


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", TABLE.T)


def blocks(**options):
    return Blocks.from_npy("x.npy", **{"targets": 4, "cache": "cache", **options})


def files():
    return sorted(os.listdir("cache"))


@pytest.fixture
def loads(monkeypatch):
    """Return the list of caches that have been written."""
    written, write = [], cache_file.write

    def noticed(path, *arguments):
        written.append(path)
        write(path, *arguments)

    monkeypatch.setattr(cache_file, "write", noticed)
    return written


def test_it_is_written_once_and_holds_the_same(loads):
    assert not os.path.exists("cache")
    assert_holds(blocks(), TABLE[:4], TABLE[4:])
    assert_holds(blocks(), TABLE[:4], TABLE[4:])
    assert len(loads) == len(files()) == 1
    assert not is_copied(blocks()[0].X)


def test_other_columns_have_another_file(loads):
    for _ in range(2):
        assert_holds(blocks(inputs=[3, 0]), TABLE[[3, 0]], TABLE[4:])
        assert_holds(blocks(inputs=[0, 3]), TABLE[[0, 3]], TABLE[4:])
        weighted = blocks(inputs=[0], targets=[1], sample_weight=2)
        with pytest.raises(ValueError, match="sample_weight of block 0 must be finite and non-neg"):
            list(weighted.read())
    assert len(loads) == 4  # two that failed were not finished
    assert len(files()) == 2


def test_weights_and_dtypes():
    weights = np.arange(float(N))
    cuts = ((0, 0), (0, 60), (60, 60), (60, N))
    parts = [(TABLE[:4, a:b].astype("f4"), TABLE[4:, a:b], weights[a:b]) for a, b in cuts]
    sequence = Blocks(parts, cache="cache")
    assert_holds(sequence, TABLE[:4].astype("f4"), TABLE[4:], weights)
    assert (sequence[1].X.dtype, sequence[1].T.dtype) == (np.float32, np.float64)


def test_changed_files_are_read_again(loads):
    list(blocks().read())
    np.save("x.npy", 2 * TABLE.T)
    os.utime("x.npy", ns=(1, 1))  # the same size, another time
    assert_holds(blocks(), 2 * TABLE[:4], 2 * TABLE[4:])
    np.save("x.npy", TABLE.T[:50])
    assert_holds(blocks(), TABLE[:4, :50], TABLE[4:, :50])
    assert len(loads) == 3
    assert len(files()) == 1, "the stale one is replaced"


@pytest.mark.parametrize(
    "damage", ["cut", "empty", "text", "magic", "contents", "dtype", "sizes", "offsets"]
)
def test_a_damaged_file_is_written_again(loads, damage):
    list(blocks().read())
    path = os.path.join("cache", files()[0])
    with open(path, "rb") as file:
        content = file.read()
    damaged = {
        "cut": content[:-9],
        "empty": b"",
        "text": b"something else that is long enough",
        "magic": content[:-1] + b"0",
        "contents": content.replace(b'"offsets"', b'"offsetz"'),
        "dtype": content.replace(b"<f8", b"|O8"),
        "sizes": content.replace(b'"sizes": [100]', b'"sizes": [1e2]'),
        "offsets": content.replace(b'"offsets": [0]', b'"offsets": 100'),
    }[damage]
    assert damaged != content
    with open(path, "wb") as file:
        file.write(damaged)
    assert_holds(blocks(), TABLE[:4], TABLE[4:])
    assert len(loads) == 2


def test_an_error_while_it_is_written_leaves_nothing():
    X, T = TABLE[:4], TABLE[4:]
    bad = Blocks([(X, T), (X, T[:, :3])], cache="cache")
    for _ in range(2):
        with pytest.raises(ValueError, match="T of block 1 must have 100 columns"):
            list(bad.read())
        assert files() == []


def test_that_of_a_sequence_lives_as_long_as_the_object():
    sequence = Blocks([(TABLE[:4], TABLE[4:])] * 2, cache="cache")
    other = Blocks([(TABLE[:4], TABLE[4:])] * 2, cache="cache")
    for each in (sequence, other):
        list(each.read())
    assert len(files()) == 2
    del sequence
    gc.collect()
    assert len(files()) == 1


PROGRAM = """
import sys, time
import numpy as np
from batchprop import Blocks
from batchprop.blocks.npy_source import NpySource

block = NpySource.block
def slow(self, index):
    if index:
        print("writing", flush=True)
        time.sleep({pause})
    return block(self, index)
NpySource.block = slow

try:
    list(Blocks.from_npy(["x.npy"] * 3, targets=4, cache="cache").read())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_an_interrupted_copy_is_never_used(how):
    pause = 1 if how == signal.SIGINT else 2 * WAIT
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(pause=pause)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "writing\n"
        process.send_signal(how)
        output = process.communicate(timeout=WAIT)[0]
    finally:
        process.kill()
    assert ("interrupted" in output) == (how == signal.SIGINT)
    leftovers = files()
    assert len(leftovers) == (how == signal.SIGKILL)
    whole = Blocks.from_npy(["x.npy"] * 3, targets=4, cache="cache")
    assert_holds(whole, np.tile(TABLE[:4], 3), np.tile(TABLE[4:], 3))
    assert len(files()) == 1
    assert files() != leftovers


def test_several_threads_write_one_file(loads):
    shared, seen = blocks(), []
    threads = [threading.Thread(target=lambda: seen.append(shared[0].X.sum())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert len(set(seen)) == len(loads) == 1
    assert len(seen) == 8


def test_files_that_change_while_they_are_copied():
    source = blocks()._source

    def load(index):
        os.utime("x.npy", ns=(1, 1))
        return source._load(index)

    changing = CachedSource(source._source, load, "cache")
    with pytest.raises(ValueError, match="cache must be a copy of the files; got files that chang"):
        changing.block(0)


def test_a_copy_of_a_copy():
    assert_holds(Blocks(blocks(), cache="other"), TABLE[:4], TABLE[4:])


BAD = [
    Bad({"cache": "x.npy"}, ValueError, "be a folder", "the file 'x.npy'", "need not exist"),
    Bad({"cache": 3}, TypeError, "name of a file", "3 of type int", "Pass a string"),
    Bad({"cache": ""}, ValueError, "name of a file", "an empty string", "for example"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.got)
def test_a_bad_folder_is_one_clear_error(bad):
    assert_told(blocks, bad)
