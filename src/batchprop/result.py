"""The public address of what ``train`` returns and of what it tells callbacks."""

from __future__ import annotations

from batchprop.training.alpha_report import AlphaReport
from batchprop.training.fit_errors import FitErrors
from batchprop.training.result import Progress, TrainResult

__all__ = ["AlphaReport", "FitErrors", "Progress", "TrainResult"]
