"""A missing package is one error, which says what to install."""

from __future__ import annotations

import sys
import tomllib

import pytest

import batchprop.onnx
from batchprop.export.optional_package import optional_package
from tests.export.raw_units import raw_network
from tests.project import ROOT


def extras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project["optional-dependencies"]


@pytest.mark.parametrize(
    ("package", "caller", "requirement"),
    [
        ("onnx", "network.to_onnx", '"batchprop[onnx]"'),
        ("safetensors", "network.to_safetensors", '"batchprop[safetensors]"'),
        ("torch", "network.to_torch", "torch"),
        ("skl2onnx", "batchprop.onnx.register", "skl2onnx"),
    ],
)
def test_each_export_names_its_package_and_how_to_get_it(
    package, caller, requirement, tmp_path, monkeypatch
):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    network = raw_network().network
    path = tmp_path / "file"
    calls = {
        "network.to_onnx": lambda: network.to_onnx(path),
        "network.to_safetensors": lambda: network.to_safetensors(path),
        "network.to_torch": network.to_torch,
        "batchprop.onnx.register": batchprop.onnx.register,
    }
    with pytest.raises(ImportError) as raised:
        calls[caller]()
    assert str(raised.value) == (
        f"{caller} needs the package {package}, which is not installed here. Install it with: "
        f"pip install {requirement}"
    )
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    assert not path.exists()
    if "[" in requirement:
        assert any(line.startswith(package) for line in extras()[package])


def test_a_package_that_lacks_another_is_not_called_missing(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import no_such_package_at_all\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="no_such_package_at_all"):
        optional_package("broken_package", "caller", "extra")
