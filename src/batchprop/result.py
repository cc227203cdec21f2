"""The public address of what ``train`` returns and of what it tells callbacks."""

from __future__ import annotations

from batchprop.training.result import AlphaReport, Progress, TrainResult

__all__ = ["AlphaReport", "Progress", "TrainResult"]
