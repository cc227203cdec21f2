"""The demo: its table is the published one, it runs on other tables, and it says what is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import numpy as np
import pytest

from examples import demo_data
from tests.project import ROOT, SRC

DEMO = ROOT / "examples" / "demo.py"
TABLE = ROOT / "examples" / "data" / "auto_mpg.csv"


def demo(*options, cwd):
    return subprocess.run(
        [sys.executable, str(DEMO), "--output", str(cwd / "plots"), *options],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(SRC)},
    )


def test_table_is_the_published_one():
    columns = TABLE.read_text("utf-8").splitlines()[0].split(",")
    values = np.loadtxt(TABLE, delimiter=",", skiprows=1)
    assert values.shape == (392, 8)
    assert np.isfinite(values).all()
    assert columns[0] == "mpg"
    means = [
        23.445918,
        5.471939,
        194.411990,
        104.469388,
        2977.584184,
        15.541327,
        75.979592,
        1.576531,
    ]
    np.testing.assert_allclose(values.mean(axis=0), means, rtol=1e-6)

    X, t = np.c_[np.ones(392), values[:, 1:]], values[:, 0]
    coefficients, residual, _, _ = np.linalg.lstsq(X, t, rcond=None)
    assert residual[0] / np.sum((t - t.mean()) ** 2) == pytest.approx(1 - 0.8214781, rel=1e-6)
    assert np.sqrt(residual[0] / (392 - 8)) == pytest.approx(3.328, rel=1e-3)
    assert coefficients[columns.index("weight")] == pytest.approx(-0.006474, rel=1e-3)


def test_demo_compares_the_engines_and_draws(tmp_path):
    done = demo("--epochs", "5", "--long-epochs", "20", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for engine in ("naive", "vectorized", "fused"):
        assert engine in done.stdout
    assert "R²" in done.stdout
    assert "linear least squares" in done.stdout
    assert "batchprop.train(X, T)" in done.stdout
    assert "chosen by evidence" in done.stdout
    estimate, real = re.findall(
        r"estimated it: ([\d.]+) mpg; on the held-out rows: ([\d.]+)", done.stdout
    )[0]
    assert float(estimate) == pytest.approx(float(real), rel=0.3)
    coverage = re.findall(r"90% intervals, .* mpg wide on average, contain (\d+)%", done.stdout)
    assert 80 <= int(coverage[0]) <= 100
    assert len(done.stdout.splitlines()) < 60  # progress does not flood a pipe
    for name in ("learning_curve.png", "predicted_against_true.png"):
        picture = tmp_path / "plots" / name
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert os.path.join("plots", name) in done.stdout


def test_demo_takes_a_table_of_ones_own(tmp_path):
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 40))
    rows = [f"{x:.6f};name;{y:.6f};1;{x * y:.6f}" for x, y in zip(a, b, strict=True)]
    rows.append("0.5;name;;1;2")
    table = tmp_path / "own.csv"
    table.write_text("\n".join(["a;label;b;constant;product", *rows]) + "\n", "utf-8")
    done = demo("--csv", str(table), "--target", "product", "--epochs", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "not numbers, left out: label" in done.stdout
    assert "rows with a missing number, left out: 1" in done.stdout


def test_demo_takes_arrays(tmp_path):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(50, 3))
    np.savez(tmp_path / "own.npz", X=X, y=np.sin(X[:, :1]))
    done = demo("--npz", str(tmp_path / "own.npz"), "--epochs", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", "line 3"),
        ("a,b\n1,2\n3,4\n", "too few"),
        ("a,c\n1,2\n3,4\n", "no column 'b'; it has a, c"),
        ("a,b\n1,x\n3,y\n", "not a column of numbers"),
        ("a,b\n" + "1,2\n" * 20, "constant"),
        ("a,b\n", "got 0 rows"),
        ("", "got 0 rows"),
    ],
)
def test_demo_says_what_is_wrong_with_a_table(tmp_path, text, message):
    table = tmp_path / "own.csv"
    table.write_text(text, "utf-8")
    with pytest.raises(SystemExit, match=message):
        demo_data.split(demo_data.read_csv(table, "b"), seed=0)


def test_demo_says_what_is_wrong_with_arrays(tmp_path):
    np.savez(tmp_path / "own.npz", x=np.zeros((20, 2)))
    with pytest.raises(SystemExit, match=r"must hold X and y; it holds x"):
        demo_data.read_npz(tmp_path / "own.npz")


@pytest.mark.parametrize("kind", ["--csv", "--npz"])
def test_demo_says_which_file_it_cannot_read(tmp_path, kind):
    (tmp_path / "noise.bin").write_bytes(bytes(range(128, 256)))
    done = demo(kind, str(tmp_path / "noise.bin"), cwd=tmp_path)
    assert done.returncode == 1
    assert "noise.bin" in done.stderr
    assert "Traceback" not in done.stderr
