"""Settings shared by all tests, so that they behave the same on every machine."""

from __future__ import annotations

import os

import hypothesis

from batchprop.compiler import compile_notice

# Plots are written to files; no window opens.
os.environ["MPLBACKEND"] = "Agg"

# tools/processors.py makes the tests see a different number of processors.
_PROCESSORS = os.environ.get("BATCHPROP_TEST_PROCESSORS")
if _PROCESSORS:
    os.sched_getaffinity = lambda pid: set(range(int(_PROCESSORS)))
    os.cpu_count = lambda: int(_PROCESSORS)
    if hasattr(os, "process_cpu_count"):
        os.process_cpu_count = lambda: len(os.sched_getaffinity(0))

# The same examples in every run, and no deadline: a slow machine is not a failure.
hypothesis.settings.register_profile("same", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("same")

# No test's output depends on whether it is the first that needs a kernel.
compile_notice._shown = True
