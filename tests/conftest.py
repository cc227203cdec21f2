"""Settings that every test runs under: the same on every machine and in every run."""

from __future__ import annotations

import os

import hypothesis

# A plot is a file here, never a window.
os.environ["MPLBACKEND"] = "Agg"

# The tests may be told of another number of processors than there are: tools/processors.py.
_TOLD = os.environ.get("BATCHPROP_TEST_PROCESSORS")
if _TOLD:
    os.sched_getaffinity = lambda pid: set(range(int(_TOLD)))
    os.cpu_count = lambda: int(_TOLD)
    if hasattr(os, "process_cpu_count"):
        os.process_cpu_count = lambda: len(os.sched_getaffinity(0))

# The same examples each time, judged by their results alone: a slow machine is no failure.
hypothesis.settings.register_profile("same", derandomize=True, database=None, deadline=None)
hypothesis.settings.load_profile("same")
