"""The program as a process: what it imports, pipes, Ctrl-C, errors, other commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import islice

import pytest

import batchprop
from batchprop.cli import model as models
from batchprop.cli import predict_command, report_page
from batchprop.cli.errors import MEANINGS
from tests.cli.command_lines import AUTO_MPG, FAST
from tests.project import SRC

HEAVY = {"numba", "llvmlite", "scipy", "matplotlib", "pyarrow", "sklearn"}


def process(*arguments, **options):
    environment = os.environ | {"PYTHONPATH": str(SRC), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "batchprop", *map(str, arguments)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["--help", "info", "train --help", "predict no.npz -"])
def test_what_is_imported(command):
    code = (
        "import sys\nfrom batchprop.cli import main\n"
        f"try:\n    main({command.split()!r})\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=SRC, check=True
    )
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert "batchprop" in loaded
    assert not loaded & HEAVY


def test_python_m_batchprop(tmp_path):
    with process("info", "--json", cwd=tmp_path) as running:
        out, err = running.communicate(timeout=120)
    assert (running.returncode, err) == (0, "")
    assert json.loads(out)["batchprop"] == batchprop.__version__


def test_help_lists_the_exit_codes(run):
    outcome = run("--help")
    assert outcome.code == 0
    for code, meaning in MEANINGS.items():
        assert f"{code:<4} {meaning}" in outcome.out


def test_the_version(run):
    assert run("--version").out == f"batchprop {batchprop.__version__}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_that_has_enough(run, model):
    run.write("many.csv", "a,b,kind\n" + "0.1,0.2,u\n" * 50_000)
    with process("predict", "model.npz", "many.csv", cwd=run.folder) as running:
        assert running.stdout.readline() == "y,z\n"
        running.stdout.close()
        err = running.stderr.read()
        running.wait(timeout=120)
    assert (running.returncode, err) == (141, "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_saves_the_best_network(tmp_path):
    options = ("--hold-out", "0", "--hidden-size", "200", "--solver", "gd", "-o", "model.npz")
    limits = ("--max-epochs", "1000000000", "--max-seconds", "100", "--json")
    with process("train", AUTO_MPG, "--target", "mpg", *options, *limits, cwd=tmp_path) as running:
        lines = (line for line in running.stderr if "loss" in line)
        for _ in islice(lines, 2):  # the first is of epoch 0
            pass
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    assert json.loads(out)["stop_reason"] == "interrupted"
    assert models.load(tmp_path / "model.npz").network.shape.n_hidden == 200


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_ctrl_c_while_a_table_is_read(tmp_path):
    with process("train", "-", "--target", "y", cwd=tmp_path, stdin=subprocess.PIPE) as running:
        running.stdin.write("a,y\n" + "1,2\n" * 100_000)  # more than a pipe holds
        running.stdin.flush()
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        running.stdin.close()
        err = running.stderr.read()
        running.wait(timeout=120)
    assert running.returncode == 130
    assert "nothing was saved" in err
    assert not list(tmp_path.iterdir())


def test_ctrl_c_while_the_report_is_drawn(run, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(report_page, "write", interrupted)
    table = run.table()
    options = ("--target", "y", "--ignore", "kind", "--report", "r.html", "-o", "m.npz")
    outcome = run("train", table, *options, *FAST)
    assert outcome.code == 130
    assert "interrupted; m.npz was saved" in outcome.err
    assert (run.folder / "m.npz").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_files_without_permission(run):
    table = run.table()
    os.chmod(table, 0)
    outcome = run("train", table, "--target", "y")
    assert outcome.code == 3
    assert "Permission denied" in outcome.err


@pytest.mark.parametrize("place", ["nowhere.csv", "."])
def test_places_that_are_no_table(run, place):
    outcome = run("train", place, "--target", "y")
    assert outcome.code == 3
    assert "Traceback" not in outcome.err
    assert outcome.err.startswith("batchprop train: error: ")


@pytest.mark.parametrize("command", ["predict", "evaluate", "info", "export"])
def test_files_that_are_no_model(run, command):
    rest = {"info": [], "export": ["--to", "python"]}.get(command, [run.table()])
    for name, text in (("nowhere.npz", "No such file"), ("table.csv", "no .npz file")):
        run.table()
        outcome = run(command, name, *rest)
        assert outcome.code == 3
        assert text in outcome.err


def test_too_little_memory(run, model, monkeypatch):
    def failing(*arguments):
        raise MemoryError

    monkeypatch.setattr(predict_command, "encoded", failing)
    outcome = run("predict", "model.npz", model)
    assert outcome.code == 3
    assert "not enough memory" in outcome.err


def test_a_defect_is_not_hidden(run, model, monkeypatch):
    monkeypatch.setattr(predict_command, "encoded", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run("predict", "model.npz", model)


def test_a_model_is_described(run, model):
    outcome = run("info", "model.npz")
    assert outcome.code == 0
    for text in ("5-3-2, tanh", "targets      y, z", "kind: categories u, v, w", "12 held-out"):
        assert text in outcome.out
    content = json.loads(run("info", "model.npz", "--json").out)
    assert content["network_inputs"] == ["a", "b", "kind=u", "kind=v", "kind=w"]
    assert content["held_out"]["rows"] == 12


def test_gradients_are_checked(run, model):
    outcome = run("check-gradient")
    assert outcome.code == 0
    assert "W_h" in outcome.out
    content = json.loads(run("check-gradient", "model.npz", model, "--json").out)
    assert content["network"] == "5-3-2"
    assert set(content["relative_errors"]) == {"W_h", "b_h", "W_y", "b_y"}
    assert run("check-gradient", "--engine", "vectorized", "--json").code == 0


def test_a_gradient_that_does_not_pass(run, monkeypatch):
    real = batchprop.check_gradient

    def of_a_wrong_engine(network, X, T, **options):
        def wrong(network, X, T, sample_weight):
            loss, gradient = batchprop.loss_and_gradient(network, X, T)
            return loss, 1.01 * gradient.theta

        return real(network, X, T, engine=wrong)

    monkeypatch.setattr(batchprop, "check_gradient", of_a_wrong_engine, raising=False)
    assert run("check-gradient").code == 4


def test_quiet_is_quiet(run):
    outcome = run("train", run.table(), "--target", "y", "--ignore", "kind", *FAST)
    assert (outcome.code, outcome.err) == (0, "")
