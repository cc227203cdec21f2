"""Check an engine's loss and gradient against the definition and against finite differences."""

from __future__ import annotations

from batchprop.gradient_check.check import check_gradient
from batchprop.gradient_check.report import Comparison, GradientReport

__all__ = ["Comparison", "GradientReport", "check_gradient"]
