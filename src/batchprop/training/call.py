"""One call of ``train`` or of the estimator's ``fit``: from its options to the result.

The options are checked and become runs.  A penalty is chosen if the call leaves that to the data.
The runs are carried out, their results combined, warnings given, and predictions calibrated.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace

from batchprop.compiler import compile_notice
from batchprop.training import (
    convergence,
    divergence,
    overfitting,
    setup,
    unscaled_penalty,
)
from batchprop.training.checkpoint.resume import resumed
from batchprop.training.combination import combined, warn_of_diverged
from batchprop.training.compilation import compiling
from batchprop.training.options import TrainOptions
from batchprop.training.parallel import run_all
from batchprop.training.penalty_choice import chosen
from batchprop.training.progress_line import closed_at_end, screen_for
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.training.uncertainty.predictives import with_predictives
from batchprop.vocabulary import Words


def trained(
    builder: setup.AnyDatasetBuilder,
    options: TrainOptions,
    stacklevel: int,
    shows_long_calls: bool = False,
) -> TrainResult:
    """Do what ``train`` does, with messages in the caller's words.

    Parameters
    ----------
    builder : DatasetBuilder or ExternalDatasetBuilder
        Has the data, and what the user calls the tables and the arguments.
    options : TrainOptions
        Not checked yet.
    stacklevel : int
        For ``warnings.warn`` in the caller of this function, to point to the user's call.
    shows_long_calls : bool
        Whether the call shows progress after two seconds if the options leave that open.
    """
    began, words = time.perf_counter(), builder.words
    has_callback = options.callback is not None
    screen = screen_for(options.progress, has_callback, shows_long_calls)
    with compile_notice.following(options.progress), ExitStack() as stack:
        options, resumed_from = resumed(options)
        first, monitor, n_init = setup.starts(
            builder, options, resumed_from, began, stacklevel + 1, screen
        )
        stack.enter_context(closed_at_end([monitor.display]))
        stack.enter_context(compiling([first]))
        (first,), (monitor,) = chosen([first], [monitor], first.n_threads)
        starts = setup.Starts(first, options.seed, n_init)
        results = run_all(starts, monitor, first.n_threads)
        result = combined(first, results, options.combine, began)
        warn(first, result, words, stacklevel + 1)
        if first.uncertainty is None:
            return result
        (result,) = with_predictives(
            [first], [result], [monitor], first.n_threads, words, stacklevel + 1
        )
    return replace(result, seconds=time.perf_counter() - began)


def warn(spec: RunSpecification, result: TrainResult, words: Words, stacklevel: int) -> None:
    """Warn of a run that diverged, came to rest in a doubtful place, or has learnt noise.

    ``stacklevel`` is what the caller of this function would pass to ``warnings.warn``.
    """
    unscaled_penalty.warn(spec, result, words, stacklevel + 1)
    if result.stop_reason == "non_finite":
        divergence.warn(spec, result, words, stacklevel + 1)
    else:
        warn_of_diverged(result, stacklevel + 1)
        convergence.warn(spec, result, words, stacklevel + 1)
        overfitting.warn(spec, result, words, stacklevel + 1)
