"""The wheel: pure Python, complete, and at home in an environment that never saw the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile

import pytest

import batchprop
from batchprop.compiler.cache_folders import writable
from tests.project import ROOT, SRC

TRAIN = """
import numpy as np
import batchprop

X = np.linspace(-1.0, 1.0, 21)[np.newaxis]
for engine in batchprop.ENGINES:
    result = batchprop.train(
        X, np.sin(3.0 * X), hidden_size=3, solver="gd", engine=engine, learning_rate=0.1,
        max_epochs=5,
    )
    assert result.n_epochs == 5
    assert result.loss < result.loss_curve[0]
print(batchprop.__version__, batchprop.__file__)
"""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    # no isolation: the build backend is locked and installed, so that nothing is downloaded
    run(
        *(sys.executable, "-m", "build", "--wheel", "--no-isolation"),
        *("--outdir", str(folder), str(ROOT)),
    )
    (made,) = folder.iterdir()
    return made


def test_wheel_is_pure_python(wheel):
    assert wheel.name == f"batchprop-{batchprop.__version__}-py3-none-any.whl"


def test_wheel_holds_the_package_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    packed = {name for name in names if ".dist-info/" not in name}
    package = {
        path.relative_to(SRC).as_posix()
        for path in (SRC / "batchprop").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == package
    assert "batchprop/py.typed" in packed
    assert [name for name in names if name.endswith("licenses/LICENSE")]


def test_wheel_trains_in_a_clean_environment(wheel, tmp_path):
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    scripts = sysconfig.get_path("scripts", "venv", {"base": str(environment)})
    python = os.path.join(scripts, f"python{sysconfig.get_config_var('EXE') or ''}")
    run(
        *(sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"),
        *("install", "--quiet", "--no-deps", "--no-index", str(wheel)),
    )
    # numpy, numba and scipy are lent by the environment of the tests, the checkout is not
    paths = {scheme: sysconfig.get_path(scheme) for scheme in ("purelib", "platlib")}
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    home = run(python, "-I", "-c", query).strip()
    with open(f"{home}/lent.pth", "w", encoding="utf-8") as lent:
        lent.write("\n".join(sorted(set(paths.values()))) + "\n")

    # so are the kernels of the same sources, if there are any: compiling is tested elsewhere
    kept = {} if writable() is None else {"NUMBA_CACHE_DIR": str(writable().parent)}
    printed = run(
        python, "-I", "-W", "error", "-c", TRAIN, cwd=tmp_path, env=os.environ | kept
    ).split()
    assert printed[0] == batchprop.__version__
    assert printed[1].startswith(home)
