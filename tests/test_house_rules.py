"""Rules of the code base: imports, file sizes, tests, types, compilation."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
import tomllib

import pytest

import batchprop
from tests.project import ROOT, SRC, files, files_in, imported, module, name_of, tree

SOURCES = files_in("src", ".py")
PYTHON = [path for path in files() if path.suffix == ".py"]
MODULES = {module(path): path for path in SOURCES}
FOLDERS = sorted({path.parent for path in SOURCES})
LONGEST = 350
TESTS = ROOT / "tests"
TEST_FILES = [path for path in files_in("tests", ".py") if path.name.startswith("test_")]

# From the bottom up: a part may import the parts before it, never those after it.
LAYERS = (
    *(
        "version",
        "parameters",
        "activations",
        "segments",
        "vocabulary",
        "summary_table",
        "segments",
        "machine",
        "compiler",
    ),
    *("simd", "threads", "linalg", "validation", "files", "scaling", "engines"),
    *(
        "penalty",
        "export",
        "blocks",
        "network",
        "averaging",
        "network_loss",
        "loss",
        "gradient_check",
        "solvers",
    ),
    *("predictive", "training", "result", "plot", "sklearn", "dask", "onnx", "cli", "__main__"),
)
# Packages that only these parts or modules may import, because not everyone has them.
OPTIONAL = {
    "dask": ("dask",),
    "distributed": ("dask",),
    "sklearn": ("sklearn", "dask.estimator", "onnx"),
    "matplotlib": ("plot",),
    "tqdm": ("training.progress_screen",),
}
DEEPEST = 11  # longest chain of imports between parts
# The only file that decides how code is compiled, and the names that only it may use from numba.
POLICY = "batchprop.compiler.jit"
COMPILERS = ("cfunc", "guvectorize", "jit", "jit_module", "njit", "stencil", "vectorize")
COMPILING = {f"numba.{name}" for name in COMPILERS} | {"numba.core.decorators", "numba.np.ufunc"}
# Modules longer than this have a test of their name in the same folder, or one that imports them.
LOGIC = 60  # lines that are neither blank nor comments nor docstrings
# These are reached through their callers alone, by the tests of the named file.
TESTED_THROUGH = {
    "blocks.arrow_columns": "blocks/test_parquet_source.py",  # by what files contain
    "blocks.block_sequence": "blocks/test_blocks.py",
    "blocks.checked_block": "blocks/test_blocks.py",
    "blocks.column_choice": "blocks/test_table_columns.py",
    "blocks.dataset_columns": "blocks/test_dataset_source.py",
    "blocks.hdf5_source": "blocks/test_dataset_source.py",  # the same tests for HDF5 and Zarr
    "blocks.file_source": "blocks/test_npy_source.py",
    "blocks.sequence_source": "blocks/test_blocks.py",
    "cli.arguments": "cli/test_train_command.py",  # by what users type
    "cli.evaluate_command": "cli/test_predict_command.py",
    "cli.info_command": "cli/test_program.py",
    "cli.parquet_reader": "cli/test_table.py",
    "cli.train_output": "cli/test_train_command.py",
    "dask.balance": "dask/test_deaths.py",  # workers die, and groups move
    "dask.block_groups": "dask/test_train.py",
    "dask.cluster_samples": "dask/test_train.py",  # the bits of whole trainings
    "dask.sources": "dask/test_train.py",
    "engines.fused.forward_backward": "engines/test_engines_agree.py",
    "engines.fused.gauss_newton.row_products": "engines/fused/gauss_newton/"
    "test_gauss_newton_objective.py",  # only whole sums mean anything
    "engines.fused.residuals": "engines/test_curvature.py",  # and, by every gradient, the others
    "engines.fused.predict": "engines/test_engines_agree.py",  # every engine's predictions
    "export.exportable": "export/test_onnx_file.py",  # each method, by the tests of its format
    "files.npz_reader": "files/test_network_file.py",  # damaged and foreign files
    "gradient_check.engine_under_test": "gradient_check/test_gradient_controls.py",
    "plot.subjects": "plot/test_plot.py",  # by what users pass
    "solvers.first_order.first_order_run": "solvers/first_order/test_update_rules.py",
    "training.block_samples": "training/test_block_training.py",  # whole trainings on blocks
    "training.data_source": "training/test_block_training.py",
    "training.external_dataset": "training/test_block_training.py",
    "training.run": "training/test_train.py",  # whole trainings
    "training.run_result": "test_network_loss.py",  # a result's losses are those of its network
    "validation.arrays": "validation/test_validation.py",  # by what users pass
    "validation.samples": "validation/test_validation.py",
}


def part(name):
    """Return the part of the package a module belongs to: engines for batchprop.engines.naive."""
    return name.split(".")[1] if "." in name else name


def module_graph():
    """Return module -> the modules of the package that it imports, without batchprop/__init__."""
    graph = {}
    for name, path in MODULES.items():
        targets = {target for target in imported(path) if target in MODULES}
        # "from batchprop import engines" yields batchprop and batchprop.engines: keep the second
        graph[name] = targets - {name, "batchprop"}
    del graph["batchprop"]
    return graph


def part_graph():
    graph = {}
    for name, targets in module_graph().items():
        graph.setdefault(part(name), set()).update(part(target) for target in targets)
    return {name: targets - {name} for name, targets in graph.items()}


def reach(graph, start):
    """Return all modules that a module imports, directly or not."""
    reached, todo = set(), [start]
    while todo:
        for target in graph.get(todo.pop(), ()):
            if target not in reached:
                reached.add(target)
                todo.append(target)
    return reached


def test_there_is_something_to_judge():
    assert len(SOURCES) > 10
    assert set(SOURCES) < set(PYTHON)


@pytest.mark.parametrize("graph", [module_graph, part_graph])
def test_imports_run_one_way(graph):
    list(graphlib.TopologicalSorter(graph()).static_order())  # CycleError names the cycle


def test_every_part_has_a_layer():
    assert set(part_graph()) == set(LAYERS), "a new part needs a place in LAYERS"


def test_nothing_imports_upward():
    upward = {
        name: targets - set(LAYERS[: LAYERS.index(name)]) for name, targets in part_graph().items()
    }
    assert not {name: sorted(targets) for name, targets in upward.items() if targets}


def test_few_parts_stand_one_on_the_other():
    graph, height = part_graph(), {}
    for name in graphlib.TopologicalSorter(graph).static_order():
        height[name] = 1 + max((height[below] for below in graph[name]), default=0)
    assert max(height.values()) <= DEEPEST


def test_a_folder_says_what_lives_in_it():
    texts = {folder: ast.get_docstring(tree(folder / "__init__.py")) for folder in FOLDERS}
    assert not [folder.name for folder, text in texts.items() if len(text or "") <= 40]


def test_only_its_converter_and_its_copy_for_clusters_stand_on_the_estimator():
    above = {name for name, targets in part_graph().items() if "sklearn" in targets}
    assert above == {"dask", "onnx"}


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_engines_know_nothing_of_each_other(engine):
    def modules_of(name):
        home = f"batchprop.engines.{name}"
        return {name for name in MODULES if name == home or name.startswith(home + ".")}

    graph, own = module_graph(), modules_of(engine)
    assert own, "an engine has a new home"
    seen = set().union(*(reach(graph, name) for name in own))
    for other in set(batchprop.ENGINES) - {engine}:
        assert not seen & modules_of(other)


def test_only_declared_dependencies_are_imported():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {line.split(">")[0] for line in project["dependencies"]}
    allowed = declared | {"batchprop", "llvmlite"} | sys.stdlib_module_names  # numba needs llvmlite
    offenders = {}
    for path in SOURCES:
        extra = {
            package
            for package, homes in OPTIONAL.items()
            if any(f"{module(path)}.".startswith(f"batchprop.{home}.") for home in homes)
        }
        tops = {name.split(".")[0] for name in imported(path)}
        offenders[name_of(path)] = tops - allowed - extra
    assert not {name: tops for name, tops in offenders.items() if tops}


def test_importing_the_package_imports_no_compiler():
    code = "import sys, batchprop; print(*sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=SRC
    ).stdout
    loaded = {name.split(".")[0] for name in out.split()}
    assert "batchprop" in loaded
    assert not loaded & {"numba", "llvmlite", "scipy", "sklearn", "matplotlib", "pandas", "dask"}


def lines_of_logic(path):
    documented = set()
    for node in ast.walk(tree(path)):
        kinds = ast.Module | ast.ClassDef | ast.FunctionDef
        if isinstance(node, kinds) and ast.get_docstring(node):
            docstring = node.body[0]
            documented.update(range(docstring.lineno, docstring.end_lineno + 1))
    return sum(
        bool(line.strip()) and not line.lstrip().startswith("#") and number not in documented
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
    )


def has_test(path):
    """Tell whether a module has a test of its name in the folder of its tests."""
    folder = TESTS / path.parent.relative_to(SRC / "batchprop")
    beside = [test.stem for test in TEST_FILES if test.parent == folder]
    return any(stem.endswith(f"_{path.stem}") for stem in beside)


def test_tests_have_the_folders_of_the_package():
    homes = {path.parent.relative_to(TESTS) for path in TEST_FILES}
    folders = {folder.relative_to(SRC / "batchprop") for folder in FOLDERS}
    assert not sorted(map(str, folders - homes))


def test_every_module_is_named_by_a_test():
    named = {name for test in TEST_FILES for name in imported(test)}
    unnamed = {
        name.removeprefix("batchprop.")
        for name, path in MODULES.items()
        if name not in named and path.stem != "__init__" and not has_test(path)
        if lines_of_logic(path) > LOGIC
    }
    assert unnamed <= set(TESTED_THROUGH), "write a test for the module"
    assert not [name for name in TESTED_THROUGH if f"batchprop.{name}" not in MODULES]
    assert not [name for name in TESTED_THROUGH.values() if not (TESTS / name).exists()]


def test_files_stay_short():
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in PYTHON}
    offenders = {name: lines for name, lines in lengths.items() if lines > LONGEST}
    assert not offenders, "make each of them two files, one idea each"


def test_only_compiled_functions_go_without_types():
    policy = tree(MODULES[POLICY]).body
    compilers = {node.name for node in policy if isinstance(node, ast.FunctionDef)} | {"overload"}
    offenders = []
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.FunctionDef) or node.name == "__init__" or node.returns:
                continue
            by = {d.func if isinstance(d, ast.Call) else d for d in node.decorator_list}
            names = {ast.unparse(decorator).split(".")[-1] for decorator in by}
            if not names & compilers:
                offenders.append(f"{name_of(path)}:{node.lineno} {node.name}")
    assert not offenders


def test_one_file_says_how_code_is_compiled():
    """ruff bans numba's compilers (TID251) everywhere but in this one file."""
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    assert set(ruff["flake8-tidy-imports"]["banned-api"]) == COMPILING
    allowed = [path for path, rules in ruff["per-file-ignores"].items() if "TID251" in rules]
    assert [path for path in allowed if path.startswith("src")] == [name_of(MODULES[POLICY])]
    names = [node.attr for node in ast.walk(tree(MODULES[POLICY])) if hasattr(node, "attr")]
    assert "njit" in names


def test_nan_and_inf_keep_their_meaning():
    offenders = [
        f"{name_of(path)}:{node.value.lineno}"
        for path in PYTHON
        for node in ast.walk(tree(path))
        if isinstance(node, ast.keyword) and node.arg == "fastmath"
        if isinstance(node.value, ast.Constant) and node.value.value is True
    ]
    assert not offenders, "fastmath=True drops NaN and inf"
