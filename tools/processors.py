"""Run the tests as if on other processors: numba compiles for them, this machine executes.

Three settings: this machine's own processor, AVX2, and 128 bits without fma; and three numbers of
processors that the tests are told of, 1, 2 and 4.  Each setting of a processor runs the tests that
touch kernels once, with one number; its other numbers run those in which threads take part.

    python tools/processors.py                  what .ci/run does after "make test", 15 minutes
    python tools/processors.py --whole          the whole suite under each setting, 25 minutes
    python tools/processors.py --only avx2 -x   one setting; what is left goes to pytest
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
    """As numba's variables NUMBA_CPU_NAME and NUMBA_CPU_FEATURES name it, and what to expect."""

    name: str
    features: str  # numba takes this machine's where none are given, whatever the name
    bits: int
    fma: bool

    @property
    def variables(self) -> dict[str, str]:
        """What has to be set in the environment."""
        return {"NUMBA_CPU_NAME": self.name, "NUMBA_CPU_FEATURES": self.features}


SSE4 = "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16"
AVX2 = Cpu("haswell", f"{SSE4},+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+movbe", 256, True)
AVX = Cpu("sandybridge", f"{SSE4},+avx", 256, False)
SSE2 = Cpu("generic", "", 128, False)
NEON = Cpu("generic", "", 128, True)

HOST_IS_X86 = binding.get_process_triple().startswith(("x86_64", "i386", "i686"))
_PRESENT = {name for name, present in binding.get_host_cpu_features().items() if present}
# those of other processors that this machine can execute
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
# compiled for all processors in any case, or with nothing that a processor changes
APART = ("tests/engines/fused/test_narrow_cpu.py", "tests/compiler/test_cold_start.py")


class Run(NamedTuple):
    """One call of pytest."""

    setting: str
    processors: int
    tests: tuple[str, ...]


def settings() -> dict[str, dict[str, str]]:
    """Return the environment variables of each setting that this machine can execute."""
    found: dict[str, dict[str, str]] = {"host": {}}
    for name, cpu in (("avx2", AVX2), ("128 bits", SSE2 if HOST_IS_X86 else NEON)):
        if cpu in CPUS:
            found[name] = cpu.variables
    return found


def plan(names: list[str], whole: bool) -> list[Run]:
    """Return what to run: each setting with 1, 2 and 4 processors."""
    runs = []
    for position, name in enumerate(names):
        own = (2, 4, 1)[position % 3]  # with this number more is run than what threads change
        tests = () if whole else KERNELS
        if whole or name != "host":  # which "make test" has run
            runs.append(Run(name, own, tests))
        runs.extend(Run(name, n, THREADS) for n in (1, 2, 4) if n != own)
    return runs


def execute(run: Run, rest: list[str]) -> bool:
    """Run pytest in a process of its own; tell whether all tests have passed."""
    apart = [f"--ignore={path}" for path in APART] if run.tests else []
    command = [sys.executable, "-m", "pytest", "-q", *apart, *run.tests, *rest]
    told = {"BATCHPROP_TEST_PROCESSORS": str(run.processors)}
    environment = os.environ | settings()[run.setting] | told
    began = time.monotonic()
    passed = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0
    which = "whole suite" if not run.tests else "kernels" if run.tests == KERNELS else "threads"
    print(
        f"== {run.setting}, {run.processors} processors, {which}: "
        f"{'passed' if passed else 'FAILED'} in {time.monotonic() - began:.0f} s",
        flush=True,
    )
    return passed


def main() -> int:
    """Run them all, also after one has failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--whole", action="store_true", help="the whole suite under each setting")
    parser.add_argument("--only", choices=list(settings()), help="one setting")
    chosen, rest = parser.parse_known_args()
    missing = {"avx2", "128 bits"} - set(settings())
    if missing:
        print(f"== this machine cannot execute: {', '.join(sorted(missing))}")
    names = [chosen.only] if chosen.only else list(settings())
    failed = [run for run in plan(names, chosen.whole) if not execute(run, rest)]
    for run in failed:
        print(f"== FAILED: {run.setting}, {run.processors} processors")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
