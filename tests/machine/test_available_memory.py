"""How much memory is left: the machine's, and that of the control groups above the process."""

from __future__ import annotations

import ctypes
import math
import os
import sys
from types import SimpleNamespace

import pytest

from batchprop import train
from batchprop.machine import available_memory as module
from batchprop.machine import thread_count
from batchprop.machine.available_memory import available_memory
from batchprop.training import option_checks
from tests.problems import problem


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Write the kernel's files: kibibytes of the machine, and files of groups."""
    monkeypatch.setattr(module, "MACHINE", tmp_path / "meminfo")
    monkeypatch.setattr(thread_count, "MEMBERSHIP", tmp_path / "cgroup")
    monkeypatch.setattr(thread_count, "GROUPS", tmp_path / "groups")

    def write(kibibytes, membership="", **groups):
        (tmp_path / "meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable: {kibibytes} kB\n")
        (tmp_path / "cgroup").write_text(membership)
        for folder, files in groups.items():
            place = tmp_path / "groups" / folder.replace("__", "/")
            place.mkdir(parents=True)
            for name, text in files.items():
                (place / name).write_text(text)

    return write


def numbers(**values):
    """A system whose sysconf knows these."""

    def sysconf(name):
        if name not in values:
            raise ValueError(f"unrecognized configuration name: {name}")
        return values[name]

    return sysconf


@pytest.mark.parametrize(
    "values", [{}, {"SC_PHYS_PAGES": 9}, {"SC_PHYS_PAGES": -1, "SC_PAGE_SIZE": 4096}], ids=str
)
def test_a_system_that_does_not_tell(machine, monkeypatch, values):
    monkeypatch.delattr(ctypes, "WinDLL", raising=False)
    monkeypatch.setattr(os, "sysconf", numbers(**values), raising=False)
    assert math.isinf(available_memory())
    monkeypatch.delattr(os, "sysconf")
    assert math.isinf(available_memory())


def test_a_system_that_tells_how_much_there_is(machine, monkeypatch):
    """As macOS does: no files of a kernel, nothing of Windows."""
    monkeypatch.delattr(ctypes, "WinDLL", raising=False)
    known = numbers(SC_PHYS_PAGES=1000, SC_PAGE_SIZE=16384)
    monkeypatch.setattr(os, "sysconf", known, raising=False)
    assert available_memory() == 1000 * 16384


@pytest.mark.parametrize("answers", [True, False])
def test_a_system_with_windows_way(machine, monkeypatch, answers):
    def status_of(reference):
        status = reference._obj
        assert status.length == ctypes.sizeof(status) == 64  # or Windows refuses it
        status.total_physical, status.available_physical = 2**34, 2**33
        status.available_virtual = 2**47
        return answers

    class Kernel:
        def __init__(self, name):
            assert name == "kernel32"
            self.GlobalMemoryStatusEx = status_of

    monkeypatch.setattr(ctypes, "WinDLL", Kernel, raising=False)
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert available_memory() == (2**33 if answers else math.inf)


@pytest.mark.skipif(sys.platform not in ("linux", "darwin", "win32"), reason="not tried elsewhere")
def test_this_system_tells():
    assert 2**20 < available_memory() < 2**50


def test_the_machine(machine):
    machine(8)
    assert available_memory() == 8192


def test_a_group_of_version_2(machine):
    files = {
        "memory.max": "5000\n",
        "memory.current": "3000\n",
        "memory.stat": "anon 2000\ninactive_file 700\nactive_file 100\n",
    }
    machine(8, "0::/a/b\n", a=files | {"memory.max": "max\n"}, a__b=files)
    assert available_memory() == 5000 - 3000 + 800


def test_a_group_of_version_1(machine):
    files = {
        "memory.limit_in_bytes": "5000\n",
        "memory.usage_in_bytes": "3000\n",
        "memory.stat": "total_inactive_file 50\ntotal_active_file 0\n",
    }
    machine(8, "4:memory:/a\n2:cpu:/other\n", memory__a=files)
    assert available_memory() == 2050


def test_lm_is_refused_where_its_matrices_do_not_fit(machine, monkeypatch):
    # ask for this little, too: but not for the networks and the pairs of L-BFGS
    monkeypatch.setattr(option_checks, "memory_demand", SimpleNamespace(NEGLIGIBLE=0))
    _, X, T, _ = problem(2, 3, 1, 20)
    options = {"hidden_size": 20, "max_epochs": 1}
    machine(1)
    with pytest.raises(ValueError, match=r"81 parameters.* left. Use solver='lbfgs'"):
        train(X, T, solver="lm", **{"alpha": 0.0} | options)
    assert train(X, T, solver="lbfgs", **{"alpha": 0.0} | options).solver == "lbfgs"
    machine(1000)
    assert train(X, T, solver="lm", **{"alpha": 0.0} | options).solver == "lm"


def test_tens_of_thousands_of_parameters_are_refused_at_once(machine):
    _, X, T, _ = problem(2, 3, 1, 20)
    machine(2**22)
    with pytest.raises(ValueError, match=r"which take .* GiB where 4.0 GiB are left"):
        train(X, T, hidden_size=20_000, solver="lm", alpha=0.0)
    assert train(X, T, hidden_size=20_000, max_epochs=1, alpha=0.0).solver == "lbfgs"
