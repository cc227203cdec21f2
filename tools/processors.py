"""Run the tests as if on other processors: numba compiles for them, this machine executes.

There are three settings of the processor (this machine's own, AVX2, and 128 bits without fma) and
three processor counts that the tests are told (1, 2 and 4).  In each setting, the tests that use
kernels run with one count; with the other counts, only tests that use threads run.

    python tools/processors.py                  what .ci/run does after "make test", 15 minutes
    python tools/processors.py --whole          the whole suite in each setting, 25 minutes
    python tools/processors.py --only avx2 -x   one setting; other options are passed to pytest
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from llvmlite import binding

ROOT = Path(__file__).resolve().parent.parent


class Cpu(NamedTuple):
    """A processor in terms of NUMBA_CPU_NAME and NUMBA_CPU_FEATURES, and its properties."""

    name: str
    features: str  # if empty, numba uses this machine's features, whatever the name
    bits: int
    fma: bool

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that select it."""
        return {"NUMBA_CPU_NAME": self.name, "NUMBA_CPU_FEATURES": self.features}


SSE4 = "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16"
AVX2 = Cpu("haswell", f"{SSE4},+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+movbe", 256, True)
AVX = Cpu("sandybridge", f"{SSE4},+avx", 256, False)
SSE2 = Cpu("generic", "", 128, False)
NEON = Cpu("generic", "", 128, True)

HOST_IS_X86 = binding.get_process_triple().startswith(("x86_64", "i386", "i686"))
_PRESENT = {name for name, present in binding.get_host_cpu_features().items() if present}
# other processors whose instructions this machine can execute
CPUS = [
    cpu
    for cpu in ([AVX2, AVX, SSE2] if HOST_IS_X86 else [NEON])
    if {name.strip("+") for name in cpu.features.split(",") if name} <= _PRESENT
]

KERNELS = (
    "tests/engines",
    "tests/solvers",
    "tests/scaling",
    *(
        "tests/training/test_train.py",
        "tests/training/test_endings.py",
        "tests/training/test_alpha_auto.py",
        "tests/training/evidence",
        "tests/training/uncertainty",
        "tests/predictive",
    ),
    *(
        "tests/test_gauss_newton.py",
        "tests/gradient_check/test_gradient_check.py",
        "tests/test_penalty.py",
    ),
    *(
        "tests/training/test_train_many.py",
        "tests/training/test_n_init.py",
        "tests/training/checkpoint/test_resume.py",
    ),
    *(
        "tests/training/checkpoint/test_resume_many.py",
        "tests/sklearn/test_estimator.py",
        "tests/sklearn/test_sklearn_solvers.py",
    ),
)
THREADS = (
    "tests/engines/fused/test_same_bits.py",
    "tests/engines/fused/gauss_newton/test_gauss_newton_objective.py",
    "tests/engines/fused/test_thread_team.py",
    "tests/solvers/lbfgs/test_lbfgs_run.py",
    "tests/training/test_train_many.py",
    "tests/training/test_n_init.py",
)
# not affected by the setting: they choose processors themselves or contain no kernels
SKIPPED_WITH_KERNELS = (
    "tests/engines/fused/test_narrow_cpu.py",
    "tests/compiler/test_cold_start.py",
)


class Run(NamedTuple):
    """One call of pytest."""

    setting: str
    processors: int
    tests: tuple[str, ...]


def settings() -> dict[str, dict[str, str]]:
    """Return the environment variables of each setting that this machine can execute, by name."""
    by_name: dict[str, dict[str, str]] = {"host": {}}
    for name, cpu in (("avx2", AVX2), ("128 bits", SSE2 if HOST_IS_X86 else NEON)):
        if cpu in CPUS:
            by_name[name] = cpu.variables
    return by_name


def plan(names: list[str], whole: bool) -> list[Run]:
    """Return the calls of pytest: each setting with 1, 2 and 4 processors."""
    runs = []
    for position, name in enumerate(names):
        main_count = (2, 4, 1)[position % 3]  # with this count, all tests of kernels run
        tests = () if whole else KERNELS
        if whole or name != "host":  # "make test" has run these for the host
            runs.append(Run(name, main_count, tests))
        runs.extend(Run(name, n, THREADS) for n in (1, 2, 4) if n != main_count)
    return runs


def execute(run: Run, pytest_arguments: list[str]) -> bool:
    """Run pytest in a separate process; return whether all tests passed."""
    ignored = [f"--ignore={path}" for path in SKIPPED_WITH_KERNELS] if run.tests else []
    command = [sys.executable, "-m", "pytest", "-q", *ignored, *run.tests, *pytest_arguments]
    test_variables = {"BATCHPROP_TEST_PROCESSORS": str(run.processors)}
    environment = os.environ | settings()[run.setting] | test_variables
    start = time.monotonic()
    passed = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0
    selection = "whole suite" if not run.tests else "kernels" if run.tests == KERNELS else "threads"
    print(
        f"== {run.setting}, {run.processors} processors, {selection}: "
        f"{'passed' if passed else 'FAILED'} in {time.monotonic() - start:.0f} s",
        flush=True,
    )
    return passed


def main() -> int:
    """Run everything, even if a run fails."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--whole", action="store_true", help="the whole suite under each setting")
    parser.add_argument("--only", choices=list(settings()), help="one setting")
    options, pytest_arguments = parser.parse_known_args()
    missing = {"avx2", "128 bits"} - set(settings())
    if missing:
        print(f"== this machine cannot execute: {', '.join(sorted(missing))}")
    names = [options.only] if options.only else list(settings())
    failed = [run for run in plan(names, options.whole) if not execute(run, pytest_arguments)]
    for run in failed:
        print(f"== FAILED: {run.setting}, {run.processors} processors")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
