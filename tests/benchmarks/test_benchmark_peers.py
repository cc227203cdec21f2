"""The harness for other libraries: it tells right from wrong, survives failures and reports both.

What is not installed beside the tests is told as a failure, which is tested here too.
"""

from __future__ import annotations

import sys

import pytest

from batchprop.compiler.target import TARGET
from benchmarks import data, machine
from benchmarks.cases import case
from benchmarks.peers import runner, storage, tables, work
from benchmarks.peers.candidate import Unsuitable, Workload, judge
from benchmarks.peers.environment import environment
from benchmarks.peers.figures import Figures
from benchmarks.peers.floor import Floor, floor_seconds, multiply_adds
from benchmarks.peers.libraries import numpy_blocked, numpy_full, ours, sklearn_mlp
from benchmarks.peers.runner import Ended, Plan, Worker, run_case
from benchmarks.peers.summary import summarize
from benchmarks.peers.timing import Effort, choose

SMALL = case(3, 5, 2, 97, "tanh", "float64", name="small/tanh/float64")


def given(one, threads=1):
    X, T = (rows.astype(one.dtype) for rows in data.samples(one))
    return Workload(one, X, T, data.parameters(one).astype(one.dtype), threads)


@pytest.mark.parametrize("library", [ours, numpy_full, numpy_blocked, sklearn_mlp])
@pytest.mark.parametrize("s", [1, 3])
@pytest.mark.parametrize(("activation", "dtype"), [("tanh", "float64"), ("relu", "float32"),
                                                   ("logistic", "float64")])  # fmt: skip
def test_every_way_is_right(library, s, activation, dtype, tmp_path):
    one = case(4, 6, s, 203, activation, dtype)
    expected = storage.expected(tmp_path, one)
    for candidate in library.candidates(given(one, threads=2)):
        try:
            candidate.build(given(one, threads=2))
        except Unsuitable:
            continue
        verdict = judge(candidate, given(one), expected)
        assert verdict.passed, (candidate.name, verdict)
        candidate.close()


class Wrong(numpy_full.Full):
    """A right way with a mistake built in."""

    def __init__(self, mistake):
        super().__init__(rows=True)
        self.mistake = mistake

    def move(self, W_h, W_y, b_y):
        if self.mistake == "too long":
            W_y *= 1.01
        elif self.mistake == "no bias":
            W_h[:, -1] = 0
        elif self.mistake == "not a number":
            b_y.fill(float("nan"))
        super().move(W_h, W_y, b_y)

    def run(self, steps):
        loss = super().run(1 if self.mistake == "forgets steps" else steps)
        return loss * 2 if self.mistake == "another loss" else loss


@pytest.mark.parametrize(
    "mistake", ["too long", "no bias", "not a number", "forgets steps", "another loss"]
)
def test_a_wrong_way_is_never_chosen(mistake, tmp_path):
    expected = storage.expected(tmp_path, SMALL)
    wrong, right = Wrong(mistake), numpy_full.Full(rows=True)
    chosen, record, tried = choose([wrong, right], given(SMALL), expected, Effort(0.001, 0.001, 1))
    assert chosen is right
    assert record["passed"]
    assert [one["passed"] for one in tried] == [False, True]


def test_cases_are_chosen_by_group_name_and_pattern(tmp_path):
    names = [one.name for one in work.choose(["uci", "seed"])]
    assert len(names) == 5
    assert [one.name for one in work.choose(["uci*float32"])] == [
        "uci/tanh/float32",
        "uci/relu/float32",
    ]
    assert len(work.choose(["table"])) == 14
    assert {one.name.split("/")[0] for one in work.choose(["odd-*"])} == set(work.ODD)
    assert all(size % 4 for *sizes, n, _ in odd_sizes() for size in (*sizes, n))
    with pytest.raises(SystemExit, match="No case is called 'unknown'"):
        work.choose(["unknown"])
    path = tmp_path / "more.json"
    path.write_text('{"mine": [3, 4, 2, 50, ["relu/float32"]]}', "utf-8")
    (mine,) = work.choose(["mine"], work.read(path))
    assert (mine.net, mine.n_samples, mine.activation, mine.dtype) == (
        "3-4-2",
        50,
        "relu",
        "float32",
    )


def odd_sizes():
    return [(one.e, one.m, one.s, one.n_samples, one.name) for one in work.choose(["odd"])]


def test_environment_suits_the_libraries(tmp_path):
    variables = environment(SMALL, 3, tmp_path, "--flag")
    assert {variables["OMP_NUM_THREADS"], variables["OPENBLAS_NUM_THREADS"]} == {"3"}
    assert variables["XLA_FLAGS"] == "--flag"
    assert variables["JAX_ENABLE_X64"] == "1"
    # XLA ignores what follows a word without dashes
    words = environment(SMALL, 1, tmp_path, "--flag")["XLA_FLAGS"].split()
    assert words[-1] == "--flag"
    assert all(word.startswith("--") for word in words)


def test_floor_adds_both_parts():
    one = case(8, 50, 1, 1000, "tanh", "float32")
    assert floor_seconds(one, 1e9, 1e6) == pytest.approx(2 * 1000 * 50 * 19 / 1e9 + 50_000 / 1e6)
    floor = Floor(SMALL, machine.cores()[:1])
    assert 1e8 < floor.flops_per_second() < 1e13
    assert 1e6 < floor.activations_per_second() < 1e12


@pytest.mark.skipif(not (TARGET.x86 and TARGET.fma), reason="reads x86 assembly")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_peak_is_measured_by_a_loop_of_nothing_but_multiply_adds(dtype):
    Floor(SMALL._replace(dtype=dtype), machine.cores()[:1])
    for assembly in multiply_adds.inspect_asm().values():
        lines = [line.split("#")[0].split() for line in assembly.splitlines()]
        words = [line for line in lines if line and not line[0].startswith((".p2", ".cfi"))]
        fused = [i for i, line in enumerate(words) if line[0].startswith("vfmadd")]
        loop = words[fused[0] : fused[-1]]
        assert len(fused) >= 12
        assert not [line for line in loop if line[0].startswith("v") and "(" in line[-1]]
        assert {line[0] for line in loop if line[0].startswith("v")} <= {words[i][0] for i in fused}


def plan(folder, timeout=120.0):
    effort = (0.001, 0.002, 2)
    return Plan(sys.executable, folder, machine.cores(), 2, effort, timeout)


def test_processes_take_turns_and_the_report_tells_all(tmp_path):
    storage.prepare(tmp_path, SMALL)
    told = []
    peers = ["ours", "numpy_full", "torch_eager", "sklearn_mlp"]
    records = run_case(plan(tmp_path), SMALL, 1, peers, {}, 0, told.append)
    by_peer = {record["peer"]: record for record in records}
    assert list(by_peer) == ["floor", *peers] == [record["peer"] for record in told]
    for peer in set(by_peer) - {"torch_eager"}:
        assert by_peer[peer]["status"] == "ok", by_peer[peer]
        assert len(by_peer[peer]["chunks"]) == 2
    assert by_peer["torch_eager"]["status"] == "failed"
    assert "torch" in by_peer["torch_eager"]["note"]

    (row,) = summarize([record | {"repeat": 0} for record in records])
    assert row.best_peer in ("numpy_full", "sklearn_mlp")
    assert row.times_as_fast == pytest.approx(row.seconds(row.best_peer) / row.seconds("ours"))
    assert 0 < row.share_of_floor < 1.5
    results = Figures("AVX2", "2026-01-02", machine.describe(), [row])
    text = tables.document(results, {})
    for part in ("one thread", "3-5-2", "FMA peak", "torch", "scikit-learn", "failed", "share of"):
        assert part in text


def test_a_process_that_does_not_reply_is_ended(tmp_path):
    storage.prepare(tmp_path, SMALL)
    worker = Worker(plan(tmp_path, timeout=0.001), "numpy_full", SMALL, 1, None)
    with worker, pytest.raises(Ended, match="no reply within"):
        worker.reply()
    assert worker._process.returncode is not None


def test_what_memory_does_not_hold_has_its_rounds_later(tmp_path, monkeypatch):
    storage.prepare(tmp_path, SMALL)
    monkeypatch.setattr(runner, "_fits", lambda peer, case: peer == "ours")
    alive, most = set(), []

    class Watched(Worker):
        def __init__(self, plan, peer, *more):
            alive.add(peer)
            most.append(sorted(alive))
            self.peer = peer
            super().__init__(plan, peer, *more)

        def __exit__(self, *exc_info):
            alive.discard(self.peer)
            super().__exit__(*exc_info)

    monkeypatch.setattr(runner, "Worker", Watched)
    peers = ["ours", "numpy_full"]
    records = run_case(plan(tmp_path), SMALL, 1, peers, {}, 0, lambda record: None)
    assert [record["status"] for record in records] == ["ok"] * 3
    assert most == [["floor"], ["floor", "ours"], ["numpy_full"]]
