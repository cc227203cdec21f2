"""Resuming a run: from which checkpoint, and with which options."""

from __future__ import annotations

import numbers
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from batchprop import validation
from batchprop.solvers.settings import RESUMABLE
from batchprop.solvers.stopping import NEVER
from batchprop.training.checkpoint import checkpoint
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.options import TrainOptions
from batchprop.training.result import MEAN, TrainResult
from batchprop.training.run_options import RUN_OPTIONS, RunOptions
from batchprop.validation.error_text import described, message, written

_DEFAULTS = TrainOptions()
# A resumed run may change these.  Where it leaves them out, those of the checkpoint go on.
_RULES = {"target_loss", "gradient_tol", "tol", "n_epochs_no_change", "patience"}
_OF_THE_START = ("network", "n_init", "combine")  # meaningless when resuming
_BITS = 4096  # an integer of more has too many digits for JSON


def checkpoint_arguments(options: RunOptions, resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``Checkpoint.arguments``: the options of a run by name, as plain values.

    Parameters
    ----------
    options : RunOptions
        Checked options.
    resolved : mapping
        Values that replace "auto" and None.
    """
    values = {name: resolved.get(name, getattr(options, name)) for name in RUN_OPTIONS}
    return {name: _plain(value) for name, value in values.items()}


def resumed(options: TrainOptions) -> tuple[TrainOptions, Checkpoint | None]:
    """Return the options of a run, and the checkpoint from which it resumes, if any.

    Parameters
    ----------
    options : TrainOptions
        Those of the call.  An option that equals its default counts as left out.

    Raises
    ------
    TypeError, ValueError, OSError
        There is no checkpoint where ``resume`` says, or an option contradicts it.
    """
    if options.resume is None:
        return options, None
    resumed_from = _checkpoint_of(options.resume)
    arguments = resumed_from.arguments
    if arguments["solver"] not in RESUMABLE:
        expected = f"be a run of one of {', '.join(RESUMABLE)}"
        remedy = "What its method remembers is lost: begin a new run there with network=..."
        got = f"one of solver={arguments['solver']!r}"
        raise ValueError(message("resume", expected, got, remedy))
    for name in _OF_THE_START:
        value = getattr(options, name)
        if not _same(value, getattr(_DEFAULTS, name)):
            remedy = "Leave it out: the run goes on from its checkpoint."
            got = described(value) if name == "network" else written(value)
            raise ValueError(message(name, "be left out of a resumed run", got, remedy))
    changes: dict[str, Any] = {}
    for name in RUN_OPTIONS:
        value, kept = getattr(options, name), arguments[name]
        left_out = _same(value, getattr(_DEFAULTS, name))
        left_out |= name == "alpha" and validation.is_penalty_method(value)  # it has been chosen
        if left_out or name not in _RULES:
            changes[name] = kept
            if not left_out and not _same(_plain(value, name), _plain(kept, name)):
                expected = f"agree with the resumed run, which has {kept!r}"
                remedy = "Leave it out, or begin a new run from the network: network=..."
                raise ValueError(message(name, expected, written(value), remedy))
    return replace(options, **changes), resumed_from


def _checkpoint_of(resume: object) -> Checkpoint:
    """Return the checkpoint that a user means by a result, a checkpoint or a path."""
    if isinstance(resume, TrainResult):
        if resume.combine == MEAN:
            got = f"the mean of {len(resume.starts)} starts"
            remedy = "Resume each of result.starts, and average their networks."
            raise ValueError(message("resume", "be a single run", got, remedy))
        resume = resume.checkpoint
    if isinstance(resume, Checkpoint):
        checkpoint.check(resume)
        return resume
    if isinstance(resume, str | os.PathLike):
        return Checkpoint.load(validation.file_name("resume", resume))
    expected = "be a result of train, a Checkpoint or the name of a file"
    remedy = "Pass, for example, result.checkpoint."
    raise TypeError(message("resume", expected, described(resume), remedy))


def _same(value: Any, other: Any) -> bool:
    """Compare two values of an option; an array, which no option can be, equals nothing."""
    if value is other:
        return True
    plain = _plain(value)
    return not isinstance(plain, np.ndarray) and bool(plain == other)


def _plain(value: Any, name: str = "") -> Any:
    """Return a value as JSON has it: NumPy's numbers become Python's."""
    if name == "alpha":
        return list(validation.penalty(value))
    if name != "dtype" and (value is None or type(value) in (bool, float, str)):
        return value
    if name == "dtype" or isinstance(value, np.dtype | type):
        return validation.float_dtype(value).name
    if isinstance(value, int) and value.bit_length() > _BITS:  # a limit that is never reached
        return NEVER
    if isinstance(value, np.bool):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value
