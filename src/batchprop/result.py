"""What a training run returns, under the name it had before it moved to ``batchprop.training``."""

from __future__ import annotations

from batchprop.training.result import AlphaReport, Progress, TrainResult

__all__ = ["AlphaReport", "Progress", "TrainResult"]
