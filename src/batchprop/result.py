"""The former location of the result classes, kept for existing imports."""

from __future__ import annotations

from batchprop.training.result import AlphaReport, Progress, TrainResult

__all__ = ["AlphaReport", "Progress", "TrainResult"]
