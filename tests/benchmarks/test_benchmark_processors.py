"""Kinds of processors: limits, stored figures of each kind, and the pages that compare them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks.cases import case
from benchmarks.peers import __main__ as command
from benchmarks.peers import figures, front, overview, plots, processor, registers, tables, work
from benchmarks.peers.environment import base_environment, environment
from benchmarks.peers.figures import Figures
from benchmarks.peers.libraries import LIBRARIES, suited
from benchmarks.peers.processor import LIMITS, SELECTORS, limit_for
from benchmarks.peers.summary import summarize
from tests.project import ROOT

SMALL = case(3, 5, 2, 97, "tanh", "float64", name="small/tanh/float64")
WIDE = case(30, 50, 2, 970, "relu", "float32", name="wide/relu/float32")
DESCRIBED = {
    "processor": "a processor",
    "cores": 2,
    "vector_bits": 256,
    "vector_registers": 16,
    "caches": {"L1d": 32 * 1024, "L2": 1536 * 1024},
    "system": "Linux x86_64",
    "blas": "a BLAS",
    "versions": {"numpy": "2"},
}


def record(peer, one, threads, seconds, **more):
    chunk = {"step_seconds": seconds, "flops_per_second": 1e11, "activations_per_second": 1e9}
    return {
        "peer": peer,
        "case": list(one),
        "threads": threads,
        "status": "ok",
        "way": "way",
        "chunks": [chunk],
        "gradient_error": 1e-12,
        "build_seconds": 1.0,
        "peak_mib": 100.0,
        "versions": {peer: "1"},
        **more,
    }


def results(instruction_set, seconds, threads=(1,), cases=(SMALL, WIDE), **more):
    """Figures in which peers take ``seconds``: peer -> time of a step on one thread."""
    records = [
        record(peer, one, count, time / count, **more)
        for one in cases
        for count in threads
        for peer, time in seconds.items()
    ]
    return Figures(instruction_set, "2026-01-02", DESCRIBED, summarize(records), "AVX-512")


AVX512 = results("AVX-512", {"floor": 1e-3, "ours": 2e-3, "jax_loop": 5e-3}, threads=(1, 4))
AVX2 = results("AVX2", {"floor": 1e-3, "ours": 4e-3, "numpy_full": 3e-3}, threads=(1, 2))


def test_inherited_settings_do_not_choose_instructions(tmp_path, monkeypatch):
    for name in SELECTORS:
        monkeypatch.setenv(name + "X", "1")
    variables = environment(SMALL, 1, tmp_path)
    assert not [name for name in variables if name.endswith("_X")]


def test_a_limit_reaches_every_library(tmp_path):
    limit = LIMITS["avx2"]
    variables = environment(SMALL, 1, tmp_path, "--more", limit)
    assert limit.variables.items() <= variables.items()
    assert {"--more", "--xla_cpu_max_isa=AVX2"} <= set(variables["XLA_FLAGS"].split())
    assert "hugetlb" in variables["GLIBC_TUNABLES"]
    assert variables["GLIBC_TUNABLES"].endswith(limit.glibc_tunables)
    assert set(limit.variables).isdisjoint(base_environment())
    assert all(name.startswith(SELECTORS) for name in limit.variables)


def test_our_kernels_obey_the_limit(tmp_path):
    if machine.instruction_set() not in ("AVX-512", "AVX2"):
        pytest.skip("this machine cannot run AVX2")
    variables = base_environment(LIMITS["avx2"]) | {"NUMBA_CACHE_DIR": str(tmp_path)}
    described = processor.describe(sys.executable, variables)
    assert described["instruction_set"] == "AVX2"
    assert (described["vector_bits"], described["vector_registers"]) == (256, 16)
    assert "Haswell" in described["blas"] or "openblas" not in described["blas"]


def test_a_limit_is_for_processors_that_have_more():
    assert limit_for("native", "NEON") is None
    assert limit_for("avx2", "AVX2") is None
    assert limit_for("avx2", "AVX-512") is LIMITS["avx2"]
    with pytest.raises(SystemExit, match="has SSE: it cannot run what needs AVX2"):
        limit_for("avx2", "SSE")


def test_a_python_that_cannot_describe_the_machine_is_named(tmp_path):
    with pytest.raises(SystemExit, match="cannot describe the machine"):
        processor.describe(sys.executable, {"PYTHONHOME": str(tmp_path)})


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)
def test_a_preloaded_library_hides_avx512(tmp_path):
    if machine.instruction_set() != "AVX-512":
        pytest.skip("there is nothing to hide")
    limit = processor.with_hidden_avx512(LIMITS["avx2"], tmp_path)
    ask = (
        "import os; from numpy._core._multiarray_umath import __cpu_features__ as features; "
        "print(features['AVX512F'], 'LD_PRELOAD' in os.environ)"
    )
    said = subprocess.run(
        [sys.executable, "-c", ask],
        env=base_environment() | {"LD_PRELOAD": limit.variables["LD_PRELOAD"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    traps = " cpuid_fault " in Path("/proc/cpuinfo").read_text("utf-8")
    assert said == f"{not traps} False"  # what it starts, such as a compiler, is left alone


def test_without_a_compiler_the_limit_stays(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(processor.shutil, "which", lambda name: None)
    assert processor.with_hidden_avx512(LIMITS["avx2"], tmp_path) is LIMITS["avx2"]
    monkeypatch.setattr(processor.shutil, "which", lambda name: sys.executable)
    assert processor.with_hidden_avx512(LIMITS["avx2"], tmp_path) is LIMITS["avx2"]
    assert capsys.readouterr().out.count("JAX may use AVX-512") == 2


@pytest.mark.parametrize(
    ("milliseconds", "used"), [(None, None), (float("inf"), False), (1e5, False), (0.0, True)]
)
def test_registers_are_in_use_if_the_system_saw_them_during_the_work(
    milliseconds, used, monkeypatch
):
    monkeypatch.setattr(registers, "milliseconds_since_use", lambda: milliseconds)
    calls = []
    assert registers.uses_avx512(lambda: calls.append(1)) is used
    assert len(calls) == (milliseconds is not None)


def test_what_the_system_tells_about_registers_is_a_time_or_nothing():
    milliseconds = registers.milliseconds_since_use()
    assert milliseconds is None or milliseconds >= 0


def test_caches_are_read_from_the_system(tmp_path):
    for number, (level, kind, size) in enumerate(
        [("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "2048K"),
         ("3", "Unified", "32M")]
    ):  # fmt: skip
        folder = tmp_path / f"index{number}"
        folder.mkdir()
        for name, text in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(text + "\n", "ascii")
    (tmp_path / "index4").mkdir()
    assert machine.caches(tmp_path) == {"L1d": 48 << 10, "L2": 2 << 20, "L3": 32 << 20}
    assert machine.caches(tmp_path / "missing") == {}


def test_a_machine_is_described_by_what_is_known():
    assert machine.hardware(DESCRIBED) == (
        "a processor, 2 cores, 256-bit vectors (16 registers), 32 KiB L1d, 1.5 MiB L2"
    )
    older = {name: DESCRIBED[name] for name in DESCRIBED if name not in
             ("vector_registers", "caches")}  # fmt: skip
    assert machine.hardware(older | {"cores": 1}) == "a processor, 1 core, 256-bit vectors"
    assert machine.sentence(older, "a day").endswith("a BLAS; numpy 2; a day.")
    described = machine.describe()
    assert described["vector_bits"] in (128, 256, 512)
    assert json.loads(json.dumps(described)) == described


def test_libraries_of_another_kind_are_left_out():
    assert "jax_loop_512" in suited("AVX-512")
    assert set(suited("AVX2")) == set(LIBRARIES) - {"jax_loop_512"}


def test_sweeps_run_beside_the_fastest_libraries_unless_told():
    def peers(words, one):
        return command.peers_for(command.parser().parse_args(words), one, "AVX2")

    (swept, *_), (table, *_) = work.choose(["sweep"]), work.choose(["seed"])
    assert peers([], swept) == list(work.SWEEP_PEERS)
    assert peers([], table) == suited("AVX2")
    assert peers(["--peers", "torch_eager", "ours"], swept) == ["ours", "torch_eager"]
    assert peers(["--peers", "jax_loop_512", "ours"], table) == ["ours"]


def test_figures_are_read_as_they_were_written(tmp_path):
    figures.write(tmp_path / "peers-avx2.json", AVX2)
    assert figures.read(tmp_path / "peers-avx2.json") == AVX2


def test_publishing_a_kind_keeps_the_other_kinds(tmp_path):
    command.publish(tmp_path, AVX512)
    command.publish(tmp_path, AVX2)
    kept = {path.name: path.read_bytes() for path in tmp_path.glob("peers-avx512*")}
    assert {"peers-avx512.json", "peers-avx512.md", "peers-avx512-scaling.png"} <= set(kept)
    newer = results("AVX2", {"ours": 1e-3, "numpy_full": 7e-3})
    command.publish(tmp_path, newer)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("peers-avx512*")} == kept
    assert figures.read_all(tmp_path) == [AVX512, newer]
    text = (tmp_path / "peers.md").read_text("utf-8")
    assert "2.50×" in text
    assert "7.00×" in text


def test_kinds_stand_side_by_side():
    text = overview.document([AVX512, AVX2], [("AVX2", "a plot", "file.png")])
    rows = [line for line in text.splitlines() if line.startswith("| small | 3-5-2 | 97 |")]
    one, two, four = rows
    assert "2.00 ms | 2.50× JAX loop in jit | 50 %" in one
    assert "4.00 ms | 0.750× (slower) NumPy | 25 %" in one
    assert "2.00 ms | 0.750× (slower) NumPy" in two
    assert "AVX-512: ours" not in text[text.index("2 threads\n") : text.index("4 threads\n")]
    assert "500 µs | 2.50×" in four
    assert "![AVX2: a plot](file.png)" in text
    assert "32 KiB L1d" in text


def test_a_case_that_one_kind_lacks_is_marked():
    fewer = Figures("AVX2", "2026-01-02", DESCRIBED, [r for r in AVX2.rows if r.case == WIDE])
    text = overview.side_by_side([AVX512, fewer], 1)
    small, wide = text.splitlines()[2:]
    assert small.endswith("| – | – | – |")
    assert "–" not in wide


def test_lost_rows_are_listed_before_all_tables():
    page = tables.document(AVX2, {})
    losses = page[page.index("## Where we lose") : page.index("## Time of a step")]
    assert losses.count("0.750×; NumPy takes") == 4
    assert "wide/relu/float32 (30-50-2, N = 970), 2 threads" in losses
    assert "In none of 4 rows." in tables.losses(AVX512.rows) + tables.losses([])
    assert "it has AVX-512, and every library was limited to AVX2" in page
    assert "limited" not in tables.document(AVX512, {})


def test_the_page_says_which_instructions_ran():
    seen = {"instructions": "XLA", "uses_avx512": True}
    page = tables.document(results("AVX2", {"ours": 1.0, "jax_loop": 2.0}, **seen), {})
    assert "| JAX loop in jit | XLA | in small/tanh/float64, wide/relu/float32 |" in page
    rows = results("AVX2", {"ours": 1.0}, instructions="256-bit", uses_avx512=False).rows
    assert tables.instructions_table(rows).endswith("| batchprop | 256-bit | no |")
    rows = results("AVX2", {"ours": 1.0}, instructions="256-bit").rows
    assert tables.instructions_table(rows).endswith("| batchprop | 256-bit | – |")
    assert "instructions that each" not in tables.document(AVX2, {})


def test_plots_and_tables_of_a_whole_run(tmp_path):
    cases = [*work.choose(["sweep"]), *work.choose(["uci"])]
    records = [
        record(peer, one, threads, (1 + place) * one.n_samples / threads * 1e-7)
        for one in cases
        for threads in (1, 2, 4)
        for place, peer in enumerate(["floor", "ours", "jax_loop", "r_nnet"])
        if threads != 2 or peer in ("floor", "ours")
    ]
    rows = summarize(records)
    assert {row.best_peer for row in rows} == {"jax_loop", None}
    command.publish(tmp_path, Figures("NEON", "2026-01-02", DESCRIBED, rows))
    drawn = plots.files(tmp_path, "peers-neon", rows)
    assert {name.removeprefix("peers-neon-").removesuffix(".png") for name in drawn.values()} == {
        "sweep-8-50-1", "sweep-64-256-16", "floor", "scaling"}  # fmt: skip
    text = (tmp_path / "peers-neon.md").read_text("utf-8")
    for name in drawn.values():
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        assert f"({name})" in text
    assert "1.50×" in text
    assert "50 %" in text
    assert "(4.00×)" in text
    assert LIBRARIES["jax_loop"].title in text
    overview_page = (tmp_path / "peers.md").read_text("utf-8")
    assert "](peers-neon-sweep-64-256-16.png)" in overview_page
    assert "sweep-8-50-1-50 |" not in overview_page


def test_a_case_of_few_sizes_is_not_plotted(tmp_path):
    rows = results("AVX2", {"ours": 1.0, "jax_loop": 2.0}, cases=work.choose(["sweep"])[:2]).rows
    assert not plots.time_against_n(tmp_path / "plot.png", rows)
    assert plots.files(tmp_path, "peers-avx2", rows) == {}


def test_published_pages_are_those_of_the_published_figures(tmp_path):
    published = ROOT / "docs" / "benchmarks"
    for path in published.glob("peers*"):
        shutil.copy(path, tmp_path)
    command.write_pages(tmp_path)
    pages = sorted(published.glob("peers*.md"))
    assert len(pages) > 1
    for page in pages:
        assert (tmp_path / page.name).read_text("utf-8") == page.read_text("utf-8"), page.name


def test_readme_has_the_rows_of_its_cases_for_every_kind():
    lines = front.part([AVX512, AVX2]).splitlines()
    (row,) = [line for line in lines if line.startswith("| 30-50-2, N = 970, relu, float32 |")]
    head = "| network and samples | AVX-512, one thread | AVX-512, 4 threads | AVX2, one thread |"
    assert lines[0].startswith(head)
    assert "| 2.00 ms, 2.50× JAX loop in jit |" in row
    assert "| 4.00 ms, 0.750× NumPy |" in row


def test_readme_names_every_row_that_is_lost():
    assert "No other library is faster in any of 4 rows." in front.part([AVX512])
    text = front.part([AVX512, AVX2])
    assert "Another library is faster in 4 of 8 rows: small/tanh/float64 with one thread" in text
    assert "wide/relu/float32 with 2 threads (AVX2, 0.750×)" in text


def test_readme_shows_the_published_figures():
    kinds = figures.read_all(ROOT / "docs" / "benchmarks")
    assert kinds
    assert front.part(kinds) in (ROOT / "README.md").read_text("utf-8")
