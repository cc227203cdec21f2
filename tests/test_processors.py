"""The tests as on other processors: which runs there are, and what they are told."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from batchprop.machine import thread_count
from tests.project import ROOT
from tools import processors

NAMES = ["host", "avx2", "128 bits"]


@pytest.mark.parametrize("whole", [True, False])
def test_every_setting_has_1_2_and_4_processors(whole):
    runs = processors.plan(NAMES, whole)
    told = {name: {run.processors for run in runs if run.setting == name} for name in NAMES}
    if not whole:
        told["host"].add(2)  # "make test" stands for it
    assert told == dict.fromkeys(NAMES, {1, 2, 4})
    large = {run.setting: run.tests for run in runs if run.tests != processors.THREADS}
    assert large == (
        dict.fromkeys(NAMES, ()) if whole else dict.fromkeys(NAMES[1:], processors.KERNELS)
    )


def test_what_is_named_is_there():
    for path in (*processors.KERNELS, *processors.THREADS, *processors.SKIPPED_WITH_KERNELS):
        assert (ROOT / path).exists(), path


def test_this_machine_is_a_setting():
    found = processors.settings()
    assert found["host"] == {}
    for name, variables in found.items():
        assert name == "host" or set(variables) == {"NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"}


def test_what_is_called_before_a_change_is_taken():
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("make ")] == [
        "make lint",
        "make types",
        "make docs",
        "make test",
        "make test-processors",
    ]


@pytest.mark.parametrize("passes", [True, False])
def test_a_run_tells_pytest_all_and_reports_how_it_ended(monkeypatch, capsys, passes):
    seen = []

    def called(command, cwd, env, check):
        seen.append((command, env))
        return subprocess.CompletedProcess(command, 0 if passes else 1)

    monkeypatch.setattr(subprocess, "run", called)
    run = processors.Run("128 bits", 4, processors.KERNELS)
    monkeypatch.setattr(processors, "settings", lambda: {"128 bits": {"NUMBA_CPU_NAME": "generic"}})
    assert processors.execute(run, ["-x"]) is passes
    ((command, env),) = seen
    assert env["NUMBA_CPU_NAME"] == "generic"
    assert env["BATCHPROP_TEST_PROCESSORS"] == "4"
    assert command[-1] == "-x"
    assert set(processors.KERNELS) < set(command)
    assert ("FAILED" in capsys.readouterr().out) is not passes


def test_the_tests_believe_what_they_are_told(monkeypatch):
    told = os.environ.get("BATCHPROP_TEST_PROCESSORS")
    for variable in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    if not told:
        pytest.skip("nothing is told: tools/processors.py tells it")
    monkeypatch.setattr(thread_count, "quota", lambda: float("inf"))
    assert thread_count.available() == int(told)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to read scripts")
@pytest.mark.parametrize("script", [".ci/run", "tools/emulate_aarch64.sh"])
def test_scripts_are_bash_and_can_be_called(script):
    assert os.access(ROOT / script, os.X_OK)
    done = subprocess.run(["bash", "-n", script], cwd=ROOT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
