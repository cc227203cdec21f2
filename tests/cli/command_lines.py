"""Running command lines in the tests' own process, and tables for them."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from batchprop.cli import main
from tests.project import ROOT

AUTO_MPG = ROOT / "examples" / "data" / "auto_mpg.csv"
FAST = ("--hidden-size", "3", "--alpha", "0.01", "--max-epochs", "40", "--quiet")


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


class Runner:
    """Runs command lines in a folder."""

    def __init__(self, folder: Path, capsys, monkeypatch) -> None:
        self.folder, self._capsys, self._monkeypatch = folder, capsys, monkeypatch
        monkeypatch.chdir(folder)

    def __call__(self, *arguments: object, stdin: bytes | None = None) -> Outcome:
        self._capsys.readouterr()
        if stdin is not None:
            self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code
        return Outcome(code, *self._capsys.readouterr())

    def write(self, name: str, text: str | bytes) -> str:
        content = text if isinstance(text, bytes) else text.encode()
        (self.folder / name).write_bytes(content)
        return name

    def table(self, name: str = "table.csv", n_rows: int = 60, header: bool = True) -> str:
        """Write a table of columns a, b, kind, y, z; kind is u, v or w."""
        rng = np.random.default_rng(0)
        lines = ["a,b,kind,y,z"] if header else []
        for k in range(n_rows):
            a, b, noise = rng.normal(size=3).tolist()
            y = a - 0.5 * b + (k % 3) + 0.1 * noise
            lines.append(f"{a!r},{b!r},{'uvw'[k % 3]},{y!r},{a * b!r}")
        return self.write(name, "\n".join(lines) + "\n")
