"""docs/deployment.md: its C program compiles and prints what the page shows."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import subprocess

import numpy as np
import pytest

from tests.project import ROOT

PAGE = (ROOT / "docs" / "deployment.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
NUMBER = r"-?\d+\.\d+(?:e[-+]\d+)?"


@pytest.fixture
def namespace(tmp_path, monkeypatch):
    """Run the page's Python up to its program in C."""
    monkeypatch.chdir(tmp_path)
    values = {}
    with contextlib.redirect_stdout(io.StringIO()):
        for language, code in BLOCKS:
            if language == "c":
                break
            if language == "python":
                exec(code, values)
    return values


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
def test_the_program_prints_what_python_computes(namespace, tmp_path):
    (code,) = (code for language, code in BLOCKS if language == "c")
    (tmp_path / "main.c").write_text(code, "ascii")
    flags = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    subprocess.run(["gcc", *flags, "main.c", "-lm", "-o", "flow"], check=True, cwd=tmp_path)
    printed = subprocess.run([tmp_path / "flow"], check=True, capture_output=True, text=True).stdout
    network, x = namespace["network"], [[2e5], [0.5]]
    expected = [network.predict(x)[0, 0], *network.jacobian(x)[0, :, 0]]
    np.testing.assert_allclose(np.array(re.findall(NUMBER, printed), float), expected, rtol=5e-3)
    shown = next(text for language, text in BLOCKS if language == "text" and "m3/s" in text)
    assert re.sub(NUMBER, "", shown) == re.sub(NUMBER, "", printed)
    # other processors end training a little elsewhere
    np.testing.assert_allclose(np.array(re.findall(NUMBER, shown), float), expected, rtol=0.02)
