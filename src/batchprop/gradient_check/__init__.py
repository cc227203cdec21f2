"""Checks an engine's loss and gradient against their definition and against finite differences.

- ``check``: the public function ``check_gradient``.
- ``problem``: the parameters and data of one check; ``engine_under_test``: what is checked.
- ``complex_step``: the reference loss and gradient; ``finite_differences``: of the engine's loss.
- ``rounding``: bounds of the rounding errors of both sides.
- ``compare``: the verdict on one block; ``report``: all verdicts as a table.

Imports network, engines, validation and what they import.
"""

from __future__ import annotations

from batchprop.gradient_check.check import check_gradient
from batchprop.gradient_check.report import Comparison, GradientReport

__all__ = ["Comparison", "GradientReport", "check_gradient"]
