"""Many workers in one process: the same bits for any number; what is computed for N = 10⁹."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from batchprop.engines.fused.gauss_newton.gauss_newton_objective import GaussNewtonObjective
from batchprop.engines.fused.objective import Objective
from batchprop.engines.samples import Samples
from batchprop.segments import Node, SegmentTree
from benchmarks.scaling_out import (
    __main__ as command,
)
from benchmarks.scaling_out import (
    dealing,
    driver,
    figures,
    kernels,
    messages,
    order,
    paper,
    rounds,
    solver_work,
)
from benchmarks.scaling_out.driver import DriverTime
from benchmarks.scaling_out.kernels import Rate
from benchmarks.scaling_out.networks import EVALUATIONS, Evaluation
from benchmarks.scaling_out.paper import GIGABIT, Machines
from benchmarks.scaling_out.rounds import Round
from tests.project import ROOT

GRADIENT, JTJ = EVALUATIONS[0], EVALUATIONS[3]
PAGE = ROOT / "docs" / "scaling-out.md"
STORED = ROOT / "docs" / "benchmarks" / "scaling_out.json"


@pytest.fixture(scope="module")
def cases():
    return order.cases(workers=(1, 3, 256), fan_ins=(2, 16))


@pytest.mark.parametrize("sums", order.SUMS)
def test_the_bits_are_those_of_one_process(cases, sums):
    with order.short_segments():
        problem = order.Problem(sums)
        network = problem.network
        kind = Objective if sums == "gradient" else GaussNewtonObjective
        samples = Samples(problem.X, problem.T)
        with kind(samples, network.shape, network.activation, network.dtype, 2) as objective:
            objective.loss_and_gradient(network.theta, np.empty_like(network.theta))
            expected = order.digest(objective.task.totals)
    of_sums = [one for one in cases if one.sums == sums]
    assert {(one.n_workers, one.fan_in) for one in of_sums} == {
        (1, 0), (3, 0), (3, 2), (256, 0), (256, 2), (256, 16),
    }  # fmt: skip
    assert {one.digest for one in of_sums} == {expected}


@pytest.mark.parametrize("sums", order.SUMS)
def test_another_order_of_additions_gives_other_bits(cases, sums):
    """Negative control: a sum for each worker, then their sum, as most programs would do it."""
    of_sums = [one for one in cases if one.sums == sums]
    digests = {one.n_workers: one.digest_in_turn for one in of_sums}
    assert digests[1] == of_sums[0].digest
    assert len(set(digests.values())) == 3


def test_workers_send_the_nodes_that_were_counted(cases):
    for one in cases:
        deal = dealing.even if one.deal == "even" else dealing.rounded
        counts = [len(dealing.nodes_of(run)) for run in deal(order.N_SEGMENTS, one.n_workers)]
        assert (one.n_nodes, one.most_nodes) == (sum(counts), max(counts))
    alone = {one.n_nodes for one in cases if one.n_workers == 1}
    assert alone == {bin(order.N_SEGMENTS).count("1")}


def test_messages_in_another_order_are_refused():
    parts = [messages.packed([Node(0, k, np.ones(3))]) for k in range(4)]
    assert order.tree_of(parts).total().tolist() == [4.0] * 3
    with pytest.raises(ValueError, match="must come next"):
        order.tree_of([parts[1], parts[0]])


def test_a_message_brings_the_same_bits():
    rng = np.random.default_rng(0)
    nodes = [Node(k, 8 * k, rng.standard_normal(1000)) for k in range(3)]
    received = messages.unpacked(messages.packed(nodes))
    assert [(a.level, a.first, a.value.tobytes()) for a in received] == [
        (b.level, b.first, b.value.tobytes()) for b in nodes
    ]


@pytest.mark.parametrize("deal", [dealing.even, dealing.rounded, dealing.single_nodes])
def test_runs_cover_all_segments_with_few_nodes(deal):
    for n_segments in (1, 2, 7, 64, 300, 7630):
        for n_workers in (1, 2, 3, 8, 60, 256):
            runs = deal(n_segments, n_workers)
            assert 1 <= len(runs) <= n_workers
            assert (runs[0].start, runs[-1].stop) == (0, n_segments)
            assert all(a.stop == b.start and len(a) > 0 for a, b in pairwise(runs))
            for run in runs[:3] + runs[-3:]:
                tree = SegmentTree(lambda left, right: left + right)
                tree.extend(Node(0, k, 1) for k in run)
                nodes = dealing.nodes_of(run)
                assert [(one.level, one.first) for one in tree.nodes] == nodes
                assert len(nodes) <= 2 * len(run).bit_length()
    lengths = sorted(map(len, dealing.even(7630, 64)))
    assert lengths[-1] - lengths[0] <= 1


def test_one_node_for_each_worker():
    runs = dealing.single_nodes(7630, 64)
    assert {len(run) for run in runs[:-1]} == {128}
    assert all(len(dealing.nodes_of(run)) == 1 for run in runs[:-1])


def test_the_driver_receives_all_nodes():
    for one in driver.measured(GRADIENT, workers=(1, 8), repetitions=2):
        runs = dealing.rounded(driver.N_SEGMENTS, one.n_workers)
        assert one.n_nodes == paper.n_nodes(runs)
        assert one.most_bytes <= one.n_bytes
        assert (
            0 < one.n_bytes - 8 * GRADIENT.n_sums * one.n_nodes < 1000 * (one.n_nodes + len(runs))
        )
        assert 0 < one.least
        assert one.unpack > 0
        assert one.add > 0


def test_the_size_of_a_node_is_that_of_its_sums():
    with order.short_segments():
        for sums, (e, m, s) in order.SIZES.items():
            problem = order.Problem(sums, 2)
            (node,) = messages.unpacked(problem.message_of(range(1)))
            evaluation = Evaluation(e, m, s, sums != "gradient", "float64", 1)
            assert node.value.size == evaluation.n_sums


def test_rates_and_the_work_of_solvers_are_measured():
    small = [one._replace(n_samples=2000) for one in (GRADIENT, JTJ)]
    rates = [rate for one in small for rate in kernels.rates(one, 1)]
    assert [rate.work for rate in rates] == ["sums", "sums", "loss", "curvature"]
    assert all(rate.least > 0 for rate in rates)
    pairs = solver_work.lbfgs_seconds(GRADIENT, 1)
    assert (pairs["n_pairs"], pairs["n_bytes"]) == (80, 2 * 8 * 80 * 501)
    times = solver_work.lm_seconds(JTJ)
    assert times["assemble"] > 0
    assert times["step"] > 0
    counts = solver_work.evaluations_of_lm(10)
    assert set(counts) == {"curvature", "gauss_newton", "loss"}
    assert counts["gauss_newton"] <= 1.0 <= counts["curvature"]
    assert solver_work.evaluations_of_lbfgs(20) >= 1.0


def test_a_round_of_dask():
    (one,) = rounds.measured((2,), n_batches=1, n_rounds=2)
    assert one.n_workers == 2
    assert 0 < one.least <= one.seconds
    assert one.driver_cpu > 0


def simple_figures():
    """Figures whose numbers are easy to calculate with."""
    nodes = paper.n_nodes(Machines().runs)
    works = {GRADIENT: ("sums",), JTJ: ("sums", "loss", "curvature")}
    sizes = {one.name: 8 * one.n_sums for one in works}
    return figures.Figures(
        date="2026-01-01",
        machine={"processor": "a processor", "cores": 2, "vector_bits": 256, "system": "Linux",
                 "blas": "none", "versions": {}},
        load=[0.5, 1.0],
        cases=[order.Case(sums, "rounded", n, 0, 4, 4, "a", "a" if n == 1 else "b")
               for sums in order.SUMS for n in (1, 64)],
        driver=[DriverTime(name, 64, nodes, 6, size * nodes, 6 * size, 0.5, 0.5, 1e-3 * nodes)
                for name, size in sizes.items()],
        rates=[Rate(one.name, work, 1000, 2e-3, 1e-3) for one, of in works.items() for work in of],
        rounds=[Round(1, 0.02, 0.01, 0.01), Round(65, 0.2, 0.1, 0.074)],
        lbfgs=[{"evaluation": GRADIENT.name, "n_pairs": 80, "n_bytes": 1000, "seconds": 0.1}],
        lm=[{"evaluation": JTJ.name, "assemble": 1.0, "step": 2.0}],
        lm_evaluations={"gauss_newton": 1.0, "loss": 1.5, "curvature": 2.0},
        lbfgs_evaluations=1.25,
    )  # fmt: skip


def test_the_parts_of_an_evaluation():
    measured, machines = simple_figures(), Machines(cores=8, link=GIGABIT)
    parts = paper.evaluated(measured, GRADIENT, machines)
    # a thread sums a million samples a second
    assert parts.kernel == pytest.approx(max(map(len, machines.runs)) * 2**17 / 8e6)
    assert parts.theta == pytest.approx(64 * 501 * 4 / 125e6)
    assert parts.dask == pytest.approx(0.073)
    n_nodes = paper.n_nodes(machines.runs)
    assert parts.receive == pytest.approx(n_nodes * 502 * 8 / 125e6)
    assert parts.add == pytest.approx(1e-3 * n_nodes)
    assert parts.total == pytest.approx(parts.kernel + parts.serial)
    assert parts.efficiency == pytest.approx(parts.kernel / parts.total)
    iteration = paper.lm_iteration(measured, JTJ, machines)
    sums = paper.evaluated(measured, JTJ, machines)
    assert iteration["solve"] == 5.0
    assert iteration["kernels"] == pytest.approx((1.0 + 1.5 + 2.0) * sums.kernel)


def test_a_tree_of_workers_relieves_the_driver():
    runs = Machines().runs
    steps = list(paper.levels(runs, 8))
    assert [tasks for _, tasks in steps] == [8, 0]
    joined = [dealing.joined(group) for group in dealing.groups_of(runs, 8)]
    assert steps[-1][0] == paper.n_nodes(joined) < paper.n_nodes(runs)
    assert steps[0][0] == max(paper.n_nodes(group) for group in dealing.groups_of(runs, 8))
    assert list(paper.levels(runs, 0)) == [(paper.n_nodes(runs), 0)]


def test_the_limit_is_where_the_share_is_reached():
    measured, machines = simple_figures(), Machines()
    limit = paper.workers_until(measured, JTJ, machines, 0.1, dask=False)
    assert 2 <= limit < 7630

    def share(n_workers):
        parts = paper.evaluated(measured, JTJ, machines._replace(n_workers=n_workers))
        return (parts.serial - parts.dask) / parts.kernel

    assert share(limit) <= 0.1 < share(limit * 2)
    assert paper.workers_until(measured, JTJ, machines, 0.1, dask=True) <= limit


def test_more_machines_are_slower_from_some_number_on():
    measured, machines = simple_figures(), Machines()
    largest, n_workers = paper.largest_speed_up(measured, JTJ, machines)
    assert 1 < n_workers < 7630
    for factor in (0.5, 2):
        others = machines._replace(n_workers=int(factor * n_workers))
        assert paper.speed_up(measured, JTJ, others) < largest
    alone = paper.speed_up(measured, JTJ, machines._replace(n_workers=1))
    assert 0.9 < alone < 1.0


def test_figures_are_stored_and_pages_filled_from_them(tmp_path, capsys):
    measured = simple_figures()
    path = tmp_path / "scaling_out.json"
    figures.write(path, measured)
    assert figures.read(path) == measured
    names = command.all_tables(measured)
    page = tmp_path / "page.md"
    markers = [f"<!-- {name}:start -->\n<!-- {name}:end -->" for name in names]
    page.write_text("\n\n".join(["# Title", *markers]), "utf-8")
    command.main(["--report-only", "--output", str(tmp_path), "--page", str(page)])
    text = page.read_text("utf-8")
    assert all(content.strip() in text for content in names.values())
    assert "| 8-50-1, gradient |" in text
    assert "None of them gave other bits" in text
    command.main(["--report-only", "--output", str(tmp_path)])
    assert names["scaling-out-sizes"] in capsys.readouterr().out


def test_the_page_has_the_stored_figures():
    text = PAGE.read_text("utf-8")
    names = command.all_tables(figures.read(STORED))
    assert set(re.findall(r"<!-- (scaling-out-[\w-]+):start -->", text)) == set(names)
    for name, content in names.items():
        between = text.split(f"<!-- {name}:start -->\n")[1].split(f"\n<!-- {name}:end -->")[0]
        assert between == content.strip(), f"python -m benchmarks.scaling_out writes {name} anew"
