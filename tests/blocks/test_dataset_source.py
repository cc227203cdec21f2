"""Blocks of HDF5 files and Zarr stores: one array by index, or several by name."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import Blocks
from batchprop.blocks import array_axes
from tests.bad_input import Bad, assert_told
from tests.blocks.comparison import assert_holds

N = 1000
TABLE = np.random.default_rng(0).normal(size=(N, 5))


class Hdf5:
    """Writes arrays to an HDF5 file."""

    open = staticmethod(Blocks.from_hdf5)
    name = "x.h5"
    n_unchunked = 4

    @staticmethod
    def write(name, chunked=True, **arrays):
        h5py = pytest.importorskip("h5py")
        with h5py.File(name, "a") as file:
            for key, array in arrays.items():
                options = {"compression": "gzip", "chunks": array.shape} if chunked else {}
                if chunked and array.shape[0] > 100:
                    options["chunks"] = (100, *array.shape[1:])
                file.create_dataset(key.replace("__", "/"), data=array, **options)


class Zarr:
    """Writes arrays to a Zarr group."""

    open = staticmethod(Blocks.from_zarr)
    name = "x.zarr"
    n_unchunked = 1  # one chunk

    @staticmethod
    def write(name, chunked=True, **arrays):
        zarr = pytest.importorskip("zarr")
        group = zarr.open_group(name, mode="a")
        for key, array in arrays.items():
            chunks = (min(100, array.shape[0]), *array.shape[1:]) if chunked else array.shape
            create = getattr(group, "create_array", None) or group.create_dataset
            stored = create(
                key.replace("__", "/"), shape=array.shape, chunks=chunks, dtype=array.dtype
            )
            stored[:] = array


@pytest.fixture(params=[Hdf5, Zarr], ids=["hdf5", "zarr"])
def store(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(array_axes, "SEGMENT_SAMPLES", 256)
    return request.param


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("dtype", ["f8", "f4", ">f8", "i2", "?"])
def test_columns_of_one_array(store, chunked, dtype):
    values = (9 * TABLE).astype(dtype)
    store.write(store.name, chunked, group__table=values, columns=values.T.copy())
    blocks = store.open(store.name, dataset="group/table", inputs=[2, 0], targets=-1)
    assert_holds(blocks, values.T[[2, 0]], values.T[4:])
    assert len(blocks) == (5 if chunked else store.n_unchunked)  # cut between chunks of 100 rows
    assert blocks.input_names is None
    turned = store.open(store.name, dataset="columns", targets=[4], samples="columns")
    assert_holds(turned, values.T[:4], values.T[4:])


@pytest.mark.parametrize("chunked", [True, False])
def test_columns_that_are_arrays(store, chunked):
    flat = {f"flat__{name}": TABLE[:, k].copy() for k, name in enumerate("abcy")}
    store.write(store.name, chunked, X=TABLE[:, :3].copy(), w=TABLE[:, 4] ** 2, **flat)
    names = ["flat/a", "flat/b", "flat/c"]
    blocks = store.open(store.name, inputs=names, targets="flat/y", sample_weight="w")
    assert_holds(blocks, TABLE.T[:3], TABLE.T[3:4], TABLE[:, 4] ** 2)
    assert blocks.input_names == tuple(names)
    wide = store.open(store.name, inputs=["X"], targets=["flat/y"])
    assert_holds(wide, TABLE.T[:3], TABLE.T[3:4])
    assert wide.input_names == ("X[0]", "X[1]", "X[2]")
    mixed = store.open(store.name, inputs=["X[1]", "flat/a"], targets=["X[2]"])
    assert_holds(mixed, TABLE.T[[1, 0]], TABLE.T[2:3])


def test_several_files(store):
    extension = store.name[1:]
    for k, rows in enumerate(np.array_split(TABLE, 11)):
        store.write(f"part-{k}{extension}", data=rows.astype("f4") if k == 2 else rows)
    blocks = store.open(f"part-*{extension}", targets=4)
    assert blocks.n_samples == N
    assert {samples.X.dtype for samples in blocks.read()} == {np.dtype("f8")}
    np.testing.assert_array_equal(blocks[10].X, np.array_split(TABLE, 11)[10].T[:4])


def test_an_array_alone_and_formats_by_extension(tmp_path, monkeypatch):
    zarr = pytest.importorskip("zarr")
    monkeypatch.chdir(tmp_path)
    array = zarr.open("x.zarr", mode="w", shape=TABLE.shape, chunks=(300, 2), dtype="f8")
    array[:] = TABLE
    assert_holds(Blocks.from_zarr("x.zarr", targets=[4]), TABLE.T[:4], TABLE.T[4:])
    assert_holds(Blocks.from_files("*.zarr", targets=[4]), TABLE.T[:4], TABLE.T[4:])
    assert_holds(Blocks.from_files(tmp_path, targets=[4]), TABLE.T[:4], TABLE.T[4:])


def test_records_in_hdf5(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    monkeypatch.chdir(tmp_path)
    records = np.zeros(N, [("a", "f8"), ("name", "S3"), ("y", "f4")])
    records["a"], records["y"] = TABLE.T[0], TABLE.T[1]
    with h5py.File("x.h5", "w", userblock_size=512) as file:
        file["records"] = records
        file["numbers"] = TABLE
    blocks = Blocks.from_hdf5("x.h5", dataset="records", inputs="a", targets="y")
    assert_holds(blocks, records["a"][np.newaxis], records["y"][np.newaxis])
    assert blocks.input_names == ("a",)
    behind = Blocks.from_hdf5("x.h5", dataset="numbers", targets=4)  # behind the user's block
    assert_holds(behind, TABLE.T[:4], TABLE.T[4:])


def test_links_in_hdf5(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    monkeypatch.chdir(tmp_path)
    with h5py.File("numbers.h5", "w", userblock_size=512) as file:
        file["table"] = TABLE
    with h5py.File("x.h5", "w") as file:
        file["a/b"] = TABLE[:, 3:]
        file["a/above"] = file["/"]
        file["c"] = h5py.SoftLink("/a")
        file["linked"] = h5py.ExternalLink("numbers.h5", "table")
        file["type"] = np.dtype("f8")
        file["nowhere"] = h5py.SoftLink("/nothing")
    blocks = Blocks.from_hdf5("x.h5", inputs="linked", targets="c/b")
    assert_holds(blocks, TABLE.T, TABLE.T[3:])


BAD = [
    Bad({"dataset": "no"}, ValueError, "array of all files", "'no', which", "'cube'"),
    Bad({"dataset": 3}, TypeError, "name of an array", "3 of type int", "measurements"),
    Bad({"dataset": "wide"}, ValueError, '"rows" or', "(5, 1000) of 'wide'", 'samples="columns"'),
    Bad({"dataset": "X", "targets": 5}, ValueError, "from 0 to 4", "5 for", "Count"),
    Bad({"inputs": ["X"], "targets": "short"}, ValueError, "same number", "3 in 'short'", "rows"),
    Bad({"inputs": ["Xx"], "targets": "short"}, ValueError, "of the table", "'Xx', which", "'X'?"),
    Bad({"inputs": "complex", "targets": "short"}, TypeError, "real", "(complex128)", "Encode"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.got)
def test_bad_arguments_are_one_clear_error(store, bad):
    store.write(
        store.name,
        False,
        X=TABLE,
        wide=TABLE.T.copy(),
        short=TABLE[:3, 0].copy(),
        complex=TABLE[:3, 0] + 1j,
        cube=np.zeros((2, 2)),
    )
    assert_told(store.open, bad._replace(arguments={"files": store.name, **bad.arguments}))


def test_files_that_are_something_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    h5py = pytest.importorskip("h5py")
    pytest.importorskip("zarr")
    with open("x.h5", "w") as file:
        file.write("text")
    with pytest.raises(ValueError, match=r"files must be HDF5 files; got x.h5 \("):
        Blocks.from_hdf5("x.h5", targets=0)
    with pytest.raises(ValueError, match=r"files must be Zarr arrays or groups; got x.h5 \("):
        Blocks.from_zarr("x.h5", targets=0)
    h5py.File("empty.h5", "w").close()
    with pytest.raises(ValueError, match="files must have arrays with one or two axes; got none"):
        Blocks.from_hdf5("empty.h5", targets=0)
