"""Parts of files as arrays, mapped or read."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.blocks import file_window
from batchprop.blocks.file_window import StoredArray, window

TABLE = np.arange(900_000, dtype="f8").reshape(3, 300_000)


@pytest.fixture(params=["mapped", "read"])
def way(request, monkeypatch):
    """Map files, or refuse to, as a system does whose limit of memory is reached."""
    if request.param == "read":

        def refuse(*_arguments, **_options):
            raise OSError(12, "Cannot allocate memory")

        monkeypatch.setattr(file_window.mmap, "mmap", refuse)
    return request.param


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 300_000), (0, 1), (1234, 70_001), (299_999, 300_000), (5, 5)]
)
@pytest.mark.parametrize("offset", [0, 128, 3])
def test_columns_of_a_table(tmp_path, way, start, stop, offset):
    path = tmp_path / "file"
    path.write_bytes(bytes(offset) + TABLE.tobytes() + b"rest")
    rows = StoredArray(path, offset, TABLE.shape, TABLE.strides, TABLE.dtype)
    np.testing.assert_array_equal(window(rows.columns(start, stop)), TABLE[:, start:stop])
    tall = TABLE.reshape(300_000, 3)
    stored = StoredArray(path, offset, tall.shape, tall.strides, tall.dtype).transposed
    np.testing.assert_array_equal(window(stored.columns(start, stop)), tall.T[:, start:stop])


def test_a_window_keeps_no_more_of_the_file_than_it_shows(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(TABLE.tobytes())
    tall = TABLE.reshape(300_000, 3)
    stored = StoredArray(path, 0, tall.shape, tall.strides, tall.dtype).transposed
    mapping = window(stored.columns(150_000, 150_010)).base
    while not hasattr(mapping, "madvise"):
        mapping = mapping.base
    assert len(mapping) <= 1 << 17


def test_a_short_file_is_an_error(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(100))
    with pytest.raises(ValueError, match="100 bytes instead of 120"):
        window(StoredArray(path, 0, (3, 5), (40, 8), np.dtype("f8")))
