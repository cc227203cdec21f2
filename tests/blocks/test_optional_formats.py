"""A missing package is one error, which says what to install; reading needs no other one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from batchprop import Blocks


@pytest.mark.parametrize(
    ("package", "extra", "name"),
    [
        ("pyarrow", "parquet", "from_parquet"),
        ("pyarrow", "parquet", "from_arrow"),
        ("h5py", "hdf5", "from_hdf5"),
        ("zarr", "zarr", "from_zarr"),
    ],
)
def test_each_format_names_its_package(package, extra, name, tmp_path, monkeypatch):
    for module in [module for module in sys.modules if module.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(ImportError) as raised:
        getattr(Blocks, name)(path, targets="y")
    assert str(raised.value) == (
        f"Blocks.{name} needs the package {package}, which is not installed here. Install it "
        f'with: pip install "batchprop[{extra}]"'
    )


def test_sequences_and_npy_files_import_nothing(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((9, 3)))
    code = """
import sys
from batchprop import Blocks
list(Blocks.from_npy("x.npy", targets=2).read())
list(Blocks([{"a": [1.0], "y": [1.0]}], targets="y").read())
print(*sys.modules)
"""
    out = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=tmp_path
    ).stdout
    loaded = {name.split(".")[0] for name in out.split()}
    assert "batchprop" in loaded
    assert not loaded & {"pyarrow", "h5py", "zarr", "pandas", "polars", "dask"}
