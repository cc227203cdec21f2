"""Files that were made to crash, to hang or to take memory: named cases, each with its word."""

from __future__ import annotations

import json
import os
import threading
import tracemalloc

import numpy as np
import pytest

from batchprop import Checkpoint, Network, train
from batchprop.solvers.settings import RESUMABLE
from batchprop.training.checkpoint.checkpoint_content import STOP_REASONS
from batchprop.training.result import TrainResult
from tests.bad_input import FORM
from tests.crafted import archive, bombs, members_of, npy, taken_apart, together
from tests.problems import problem

CASE = problem(e=2, m=3, s=1, n_samples=12)
EVERY_SOLVER = pytest.mark.parametrize("solver", RESUMABLE)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "crafted.npz"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return solver -> the parts of a checkpoint, and of a network."""
    path = tmp_path_factory.mktemp("made") / "made.npz"
    parts = {}
    for solver in RESUMABLE:
        trained(solver).checkpoint.save(path)
        parts[solver] = taken_apart(path.read_bytes())
    CASE.network.save(path)
    return parts | {"network": taken_apart(path.read_bytes())}


def trained(solver, **options):
    options = {"hidden_size": 3, "max_epochs": 5} | options
    return train(CASE.X, CASE.T, solver=solver, **{"alpha": 0.0} | options)


def refused(load, path, content, told):
    """Assert that a file is refused in the one form, and that it takes no memory."""
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="^path must name a") as error:
            load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    text = str(error.value)
    assert told in text
    assert "is something else or damaged" in text
    assert FORM.match(text)
    assert len(text) < 500 + len(str(path))
    assert error.value.__suppress_context__ or error.value.__context__ is None
    assert peak < 2 * len(content) + (1 << 21)


def array(values, dtype=np.float64):
    return np.array(values, dtype)


STATES = [
    ("lbfgs", "state.memory.counts", array([3, 5, 10**9, 0, 0, 0], np.int64)),
    ("lbfgs", "state.memory.counts", array([3, 2**40, 0, 0, 0, 0], np.int64)),
    ("lbfgs", "state.memory.counts", array([5, 0, 0, 0, 0, 0], np.int64)),
    ("lbfgs", "state.memory.counts", array([1, 0, 0, -(2**40), 0, 0], np.int64)),
    ("lbfgs", "state.memory.counts", array([1, 0, 0, 0, 2, 0], np.int64)),
    ("lbfgs", "state.memory.counts", array([1, 0, 0, 0, 0, -1], np.int64)),
    ("lbfgs", "state.memory.counts", array([0, 0, 0, 0, 0, 0], np.int64)),  # it has begun
    ("lbfgs", "state.memory.search", np.full(14, np.nan)),
    ("lbfgs", "state.memory.gradient", np.full(13, np.inf)),
    ("lbfgs", "state.memory.direction", np.full(13, np.nan)),
    ("lbfgs", "state.memory.products", np.full((2, 80), -1.0)),
    ("lbfgs", "state.memory.steps", np.full((80, 13), np.nan)),
    ("lm", "state.memory.growth", array([0.0])),
    ("lm", "state.memory.growth", array([1.0])),
    ("lm", "state.memory.growth", array([3.0])),
    ("lm", "state.memory.growth", array([np.inf])),
    ("lm", "state.memory.damping", array([-1.0])),
    ("lm", "state.memory.damping", array([0.0])),
    ("lm", "state.memory.damping", array([np.nan])),
    ("momentum", "state.memory", np.full((2, 13), np.nan)),
    ("adam", "state.memory", np.full((2, 13), -1.0)),
]


@pytest.mark.parametrize(("solver", "name", "value"), STATES, ids=lambda value: str(value)[:30])
def test_a_memory_that_no_solver_leaves(made, path, solver, name, value):
    content = together(made[solver].arrays | {name: value})
    refused(Checkpoint.load, path, content, f"({name}: must ")
    with pytest.raises(ValueError, match=f"{name}: must"):
        train(CASE.X, CASE.T, resume=path)


COMMON = [
    ("state.theta", np.full(13, np.nan)),
    ("state.previous", np.full(13, np.inf)),
    ("state.best", np.full(13, -np.inf)),
    ("state.best_epoch", array([-1], np.int64)),
    ("state.best_epoch", array([6], np.int64)),
    ("state.reference_epoch", array([2**62], np.int64)),
    ("state.calls", array([-1], np.int64)),
    ("state.calls", array([2**63 - 1], np.int64)),
    ("state.calls", array([3], np.int64)),
    ("state.evaluations", array([8], np.int64)),
    ("state.best_score", array([np.nan])),
    ("state.best_loss", array([np.inf])),
    ("state.reference", array([np.nan])),
    ("state.gradient_norm", array([-1.0])),
    ("scaling.x_mean", array([np.nan, 0])),
    ("scaling.x_factor", array([-1.0, 1])),
    ("scaling.t_scale", array([np.inf])),
    ("loss_curve", np.full(6, np.nan)),
    ("loss_curve", np.zeros(7)),
    ("validation_loss_curve", np.zeros(6)),
]


@EVERY_SOLVER
@pytest.mark.parametrize(("name", "value"), COMMON, ids=lambda value: str(value)[:30])
def test_a_state_that_no_run_leaves(made, path, solver, name, value):
    refused(Checkpoint.load, path, together(made[solver].arrays | {name: value}), f"({name}: must ")


SAMPLES = {"X": [[2, 12], 0, 0.0], "T": [[1, 12], 0, 0.0]}
HEADERS = [
    ({"shape": [12000, 10000, 1]}, "samples.X: must fit"),
    ({"shape": [2, 10**8, 1]}, "hidden_size"),
    ({"shape": [True, 3, 1]}, "n_inputs must be an integer"),
    ({"samples": {"T": [[1, 12], 0, 0.0]}}, "samples: must be those of X and T"),
    ({"samples": {"X": [[2, 12], -1, 0.0], "T": [[1, 12], 0, 0.0]}}, "samples.X: must have a"),
    ({"samples": {"X": [[2, 12], 0, 0.0], "T": [[1, 12], 2**32, 0.0]}}, "samples.T: must have a"),
    (
        {"samples": {name: [[s, 12], 0, 0.0] for name, s in (("X", 2), ("T", 1), ("X_val", 2))}},
        "samples: must have X_val with T_val",
    ),
    (
        {"samples": SAMPLES | {"sample_weight_val": [[12], 0, 0.0]}},
        "samples: must have weights with",
    ),
    ({"stop_reason": []}, "stop_reason: must"),
    ({"stop_reason": "tired"}, "stop_reason: must"),
    ({"arguments": []}, "damaged"),
    ({"arguments": {}}, "arguments: must have 'engine'"),
]
ARGUMENTS = [
    ({"history_size": 10**8}, "state.memory.steps"),
    ({"history_size": 10**30}, "damaged"),
    ({"learning_rate": 0}, "learning_rate must be"),
    ({"damping": -1.0}, "damping must be"),
    ({"max_damping": "x"}, "max_damping must be"),
    ({"solver": "newton"}, "solver must be one of"),
    ({"activation": "a" * 10**5}, "activation must be one of"),
    ({"alpha": [0.0, -1.0]}, "alpha must be"),
    ({"seed": -1}, "seed must be"),
    ({"scale": 1}, "scale must be"),
    ({"engine": None}, "engine must be"),
    ({"patience": 3}, "patience must"),
    ({"n_epochs_no_change": 1.5}, "n_epochs_no_change must be"),
    ({"hidden_size": 4}, "hidden_size"),
    ({"dtype": "float32"}, "state.theta: must have shape"),
]


def with_header(parts, change):
    header = json.loads(str(parts.arrays["header"]))
    return together(parts.arrays | {"header": np.array(json.dumps(change(header)))})


@pytest.mark.parametrize(("changed", "told"), HEADERS, ids=lambda value: str(value)[:40])
def test_a_header_that_fits_nothing(made, path, changed, told):
    content = with_header(made["lbfgs"], lambda header: header | changed)
    refused(Checkpoint.load, path, content, told)


@pytest.mark.parametrize(("changed", "told"), ARGUMENTS, ids=lambda value: str(value)[:40])
def test_arguments_that_train_would_refuse(made, path, changed, told):
    content = with_header(
        made["lbfgs"], lambda header: header | {"arguments": header["arguments"] | changed}
    )
    refused(Checkpoint.load, path, content, told)


def test_every_argument_is_needed(made, path):
    for name in json.loads(str(made["lm"].arrays["header"]))["arguments"]:

        def without(header, name=name):
            del header["arguments"][name]
            return header

        refused(Checkpoint.load, path, with_header(made["lm"], without), f"must have '{name}'")


TEXTS = [
    ('{"a": NaN}', "NaN is no number"),
    ('{"a": 1, "a": 2}', "a name is there twice"),
    ("[" * 50_000, "header"),
    ("[]", "not an object"),
    ('"text"', "not an object"),
    ("9" * 5000, "header"),
    ("", "header"),
    ("{}", "'arguments' is missing"),
    (" " * 300_000, "not a text of at most"),
]


@pytest.mark.parametrize(("text", "told"), TEXTS, ids=lambda value: str(value)[:20])
def test_a_header_that_is_no_json_of_ours(made, path, text, told):
    content = together(made["gd"].arrays | {"header": np.array(text)})
    refused(Checkpoint.load, path, content, told)


def points(*values):
    return np.array(values, "u4").view(f"U{len(values)}").reshape(())


NETWORKS = [
    ({"activation": np.array("relu" * 10**6)}, "activation: not a text"),
    ({"activation": points(116, 0x110000)}, "activation: cannot be read"),
    ({"activation": points(0xD800)}, "activation: cannot be read"),
    ({"activation": np.array(["tanh"])}, "activation: not a text"),
    ({"kind": np.array(3)}, "kind: not a text"),
    ({"format": np.array(1.5)}, "format: not an integer"),
    ({"format": np.array(True)}, "format: not an integer"),
    ({"format": np.array([1])}, "format: not an integer"),
    ({"format": np.array(0)}, "format: 0"),
    ({"W_h": np.array([["a", "b"]] * 3)}, "W_h: <U1"),
    ({"W_h": np.ones((3, 2), complex)}, "W_h: not a plain numeric or text array"),
    ({"W_h": np.ones((3, 2), "f4")}, "float32"),
    ({"W_h": np.asfortranarray(np.ones((3, 2)))}, "W_h: not a plain numeric or text array"),
    ({"W_h": np.array([[None, 1]] * 3)}, "W_h: not a plain numeric or text array"),
    ({"b_y": np.array([np.nan])}, "b_y must be finite"),
    ({"b_y": np.ones(2)}, "b_y must have shape"),
    ({"more": np.ones(2)}, "unexpected member"),
]


@pytest.mark.parametrize(("changed", "told"), NETWORKS, ids=lambda value: str(value)[:40])
def test_a_network_that_save_never_writes(made, path, changed, told):
    refused(Network.load, path, together(made["network"].arrays | changed), told)


def test_members_that_savez_never_writes(made, path):
    arrays = made["network"].arrays
    members = members_of(arrays)
    refused(Network.load, path, archive(members, packed=True), "compressed")
    refused(Network.load, path, archive([*members, members[3]]), "it has two members of one name")
    refused(Network.load, path, archive([*members, ("x", b"")]), "'x': unexpected member")
    crowd = [(f"{k}.npy", b"") for k in range(4000)]
    refused(Network.load, path, archive([*members, *crowd]), "table of contents is too large")
    encrypted = bytearray(archive(members))
    for start in (b"PK\x01\x02", b"PK\x03\x04"):
        encrypted[encrypted.index(start) + (8 if start[2] == 1 else 6)] |= 1
    refused(Network.load, path, bytes(encrypted), "encrypted")
    claims = bytearray(npy(np.ones((3, 2))))
    claims[:128] = claims[:128].replace(b"(3, 2), }" + b" " * 9, b"(3, 9999999999), }")
    refused(
        Network.load, path, with_member(arrays, "W_h", bytes(claims)), "does not match its shape"
    )
    for version in (0, 2, 3, 4):
        claims = bytearray(npy(np.ones((3, 2))))
        claims[6] = version
        refused(
            Network.load,
            path,
            with_member(arrays, "W_h", bytes(claims)),
            "W_h: not an array written by",
        )


def test_a_member_that_claims_the_whole_file(made, path):
    """Members lie beside each other: their sum is less than the file."""
    claims = bytearray(archive(members_of(made["network"].arrays)))
    entry = claims.index(b"PK\x01\x02")
    claims[entry + 20 : entry + 28] = 2 * len(claims).to_bytes(4, "little")
    refused(Network.load, path, bytes(claims), "its members are larger")
    claims[entry + 20 : entry + 28] = (256).to_bytes(4, "little") + (128).to_bytes(4, "little")
    refused(Network.load, path, bytes(claims), "compressed")


def test_a_member_with_more_than_its_array(made, path):
    arrays = made["network"].arrays
    longer = npy(np.ones((3, 2))) + bytes(8)
    refused(
        Network.load, path, with_member(arrays, "W_h", longer), "W_h: size does not match its shape"
    )


def with_member(arrays, name, content):
    return archive([(n, content if n == f"{name}.npy" else c) for n, c in members_of(arrays)])


@pytest.mark.parametrize("seed", range(12))
def test_a_member_that_unpacks_to_a_lot_takes_nothing(made, path, seed):
    """Whether it is needed or not."""
    for load, parts in ((Network.load, made["network"]), (Checkpoint.load, made["gd"])):
        refused(load, path, bombs(parts, np.random.default_rng(seed)), "its members are larger")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are POSIX's")
def test_a_pipe_is_not_waited_for(path):
    os.mkfifo(path)
    for load in (Network.load, Checkpoint.load, lambda path: train(CASE.X, CASE.T, resume=path)):
        ended = []

        def attempt(load=load, ended=ended):
            with pytest.raises(ValueError, match="a pipe"):
                load(path)
            ended.append(True)

        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        thread.join(60)
        assert ended


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "lm"])
def test_a_file_takes_its_own_size_in_memory(path, solver):
    case = problem(e=400, m=40 if solver == "lm" else 400, s=2, n_samples=2)
    options = {"history_size": 10} if solver == "lbfgs" else {}
    if solver == "lm":  # JᵀJ of a large network would take minutes: its first state will do
        options["max_epochs"] = 0
    made = train(case.X, case.T, solver=solver, hidden_size=case.network.shape.n_hidden,
                 **{"alpha": 0.0, "max_epochs": 1} | options)  # fmt: skip
    for save, load in (
        (made.checkpoint.save, Checkpoint.load), (made.network.save, Network.load)
    ):  # fmt: skip
        save(path)
        tracemalloc.start()
        load(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2 * path.stat().st_size + (1 << 20)


def test_every_reason_that_is_documented_can_be_loaded():
    text = TrainResult.__doc__.split("stop_reason : str")[1].split("converged : bool")[0]
    documented = set(text.replace("``", "|").split("|")[1::2])
    assert documented <= set(STOP_REASONS)
    assert set(STOP_REASONS) - documented == {"running"}
