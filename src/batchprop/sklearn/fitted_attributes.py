"""The fitted attributes of an estimator, from the result of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from batchprop.training.result import TrainResult


def set_fitted(estimator: Any, result: TrainResult, flat: bool, validating: bool) -> None:
    """Set the attributes that an estimator has after ``fit``.

    Parameters
    ----------
    estimator : BatchMLPRegressor or DaskBatchMLPRegressor
        Gets them.
    result : TrainResult
        Of the run.
    flat : bool
        Whether y had one dimension.
    validating : bool
        Whether there were validation data.
    """
    estimator._one_dimensional = flat
    estimator.network_ = result.network
    estimator.loss_ = result.loss
    estimator.loss_curve_ = result.loss_curve
    estimator.best_loss_ = min(result.loss, float(np.min(result.loss_curve)))
    held_out = result.validation_errors if validating else None
    estimator.validation_loss_curve_ = result.validation_loss_curve if held_out else None
    estimator.best_validation_score_ = held_out.r2 if held_out else None
    estimator.start_losses_ = np.array([start.loss for start in result.starts or (result,)])
    estimator.n_iter_, estimator.best_iter_ = result.n_epochs, result.best_epoch
    estimator.n_evaluations_ = result.n_evaluations
    estimator.gradient_norm_ = result.gradient_norm
    estimator.alpha_, estimator.alpha_report_ = result.alpha, result.alpha_report
    estimator.solver_, estimator.predictive_ = result.solver, result.predictive
    estimator.stop_reason_, estimator.converged_ = result.stop_reason, result.converged
    estimator.n_outputs_ = result.network.shape.n_outputs
    estimator.n_layers_, estimator.out_activation_ = 3, "identity"
