"""Counts of instructions: how a profile is read, and which code is counted."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks import instruction_count
from benchmarks.cases import case
from benchmarks.instruction_count import Piece, compiled_code, executed, pieces

PROFILE = """\
version: 1
positions: instr line
events: Ir
fn=(1) ???
0x1000 0 3
+4 0 3
* 0 2
calls=7 0x2000 0
* 0 900
-4 0 1
0x2000 5 10
"""


def test_a_profile_counts_each_address_and_no_call_twice():
    assert executed(PROFILE.splitlines()) == {0x1000: 4, 0x1004: 5, 0x2000: 10}


MAPS = """\
00400000-00401000 r-xp 00000000 08:01 99 /usr/bin/python3
7f0000000000-7f0000001000 r-xp 00000000 00:00 0
7f0000002000-7f0000003000 rw-p 00000000 00:00 0
7ffe00000000-7ffe00001000 r-xp 00000000 00:00 0 [vdso]
"""


def test_kernels_are_executable_memory_without_a_file():
    assert compiled_code(MAPS.splitlines()) == [range(0x7F0000000000, 0x7F0000001000)]


def test_a_loop_is_one_piece():
    """Code outside of kernels, and what runs once in a process, is left out."""
    counts = Counter({10: 100, 14: 100, 18: 400, 22: 400, 26: 400, 30: 1, 500: 400, 9000: 400})
    found = list(pieces(counts, [range(1000)], groups=100.0))
    assert found == [Piece(2, 1.0), Piece(3, 4.0), Piece(1, 4.0)]


def test_the_report_lists_the_largest_first():
    one = case(8, 50, 1, 160, "relu", "float32")
    text = instruction_count.report(one, [Piece(10, 1.0), Piece(44, 36.0), Piece(2, 1.0)])
    assert "1,596 instructions for 16 samples" in text
    rows = [line for line in text.splitlines() if line.startswith("| 1") or "others" in line]
    assert rows == ["| 1,584 | 44 | 36.0 |", "| 12 | all others |  |"]


def test_without_valgrind_there_is_one_clear_error(monkeypatch, capsys):
    monkeypatch.setattr(instruction_count.shutil, "which", lambda name: None)
    monkeypatch.setattr("sys.argv", ["instruction_count"])
    with pytest.raises(SystemExit):
        instruction_count.main()
    assert "valgrind must be installed" in capsys.readouterr().err
