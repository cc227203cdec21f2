"""Blocks of Arrow IPC files: which are views, and what is compressed."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Blocks
from batchprop.blocks import array_axes, arrow_source
from tests.blocks.comparison import assert_holds, is_copied

pa = pytest.importorskip("pyarrow")
feather = pytest.importorskip("pyarrow.feather")

TABLE = np.random.default_rng(0).normal(size=(6, 1000))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, **options):
    table = pa.table(dict(zip("abcdey", TABLE, strict=True)))
    feather.write_feather(table, name, chunksize=300, **options)


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_record_batches_are_blocks(compression):
    write("x.feather", compression=compression)
    blocks = Blocks.from_arrow("x.feather", targets="y")
    assert [samples.X.shape[1] for samples in blocks] == [300, 300, 300, 100]
    assert_holds(blocks, TABLE[:5], TABLE[5:])
    some = Blocks.from_arrow("x.feather", inputs=["e", "b"], targets=["a"], sample_weight=None)
    assert_holds(some, TABLE[[4, 1]], TABLE[:1])


def test_neighbouring_columns_are_not_copied():
    write("x.arrow", compression="uncompressed")
    blocks = Blocks.from_arrow("x.arrow", targets="y")
    assert not is_copied(blocks[0].X)
    assert not is_copied(blocks[0].T)
    assert is_copied(Blocks.from_arrow("x.arrow", inputs=["a", "b", "d"], targets="y")[0].X)


def test_without_room_for_a_mapping_the_file_is_read(monkeypatch):
    write("x.arrow", compression="uncompressed")

    def refuse(path):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(pa, "memory_map", refuse)
    assert_holds(Blocks.from_arrow("x.arrow", targets="y"), TABLE[:5], TABLE[5:])


def test_large_record_batches_are_cut(monkeypatch):
    monkeypatch.setattr(array_axes, "SEGMENT_SAMPLES", 128)
    monkeypatch.setattr(arrow_source, "_LARGE", 256)
    write("x.arrow", compression="uncompressed")
    blocks = Blocks.from_arrow("x.arrow", targets="y")
    assert max(samples.X.shape[1] for samples in blocks) == 128
    assert_holds(blocks, TABLE[:5], TABLE[5:])


def test_polars_and_types_that_must_be_converted():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"a": [1, 2], "b": [True, False], "y": [0.5, 1.5]})
    frame.write_ipc("x.ipc")
    blocks = Blocks.from_arrow("x.ipc", targets="y")
    assert_holds(blocks, np.array([[1.0, 2.0], [1.0, 0.0]]), np.array([[0.5, 1.5]]))


def test_nulls_and_other_files():
    feather.write_feather(pa.table({"a": [1.0, None], "y": [1.0, 2.0]}), "x.feather")
    blocks = Blocks.from_arrow("x.feather", targets="y")
    with pytest.raises(ValueError, match=r"1 null, the first in row 1 of column 'a' in x.feather"):
        blocks[0]
    table = pa.table({"a": [1.0], "y": [1.0]})
    with pa.OSFile("stream.arrow", "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(ValueError, match="must be files of Arrow's IPC format, not streams; got"):
        Blocks.from_arrow("stream.arrow", targets="y")
    feather.write_feather(pa.table({"a": ["x"], "y": [1.0]}), "text.feather")
    with pytest.raises(TypeError, match=r"columns must hold real numbers; got 'a' \(string\)"):
        Blocks.from_arrow("text.feather", targets="y")
