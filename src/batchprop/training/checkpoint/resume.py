"""Runs that go on: from which checkpoint, and with which arguments."""

from __future__ import annotations

import numbers
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from batchprop import validation
from batchprop.solvers.settings import RESUMABLE
from batchprop.solvers.stopping import NEVER
from batchprop.training.checkpoint import checkpoint
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.result import TrainResult
from batchprop.validation.error_text import described, message, written

# Belong to a call: a resumed run takes them from its own.
_DATA = {"X", "T", "sample_weight", "X_val", "T_val"}
_LIMITS = {"max_epochs", "max_seconds", "n_threads"}
_LOOKING_ON = {"callback", "callback_every", "progress", "checkpoint", "checkpoint_seconds"}
_OF_THE_CALL = _DATA | _LIMITS | _LOOKING_ON | {"resume"}
# A resumed run may have others; left out, they are those of the run before.
_RULES = {"target_loss", "gradient_tol", "tol", "n_epochs_no_change", "patience"}
_BITS = 4096  # an integer of more has too many digits for JSON
# A run has one start, and a resumed one has it behind it.
_OF_THE_START = {"network", "n_init"}


def arguments_of(given: Mapping[str, Any], resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that a checkpoint keeps, as plain values.

    Parameters
    ----------
    given : mapping
        Checked arguments of ``train``.
    resolved : mapping
        What was found where they said "auto" or None.
    """
    names = given.keys() - _OF_THE_CALL - _OF_THE_START
    kept = {name: given[name] for name in given if name in names}
    kept |= {name: value for name, value in resolved.items() if name in kept}
    return {name: _plain(value) for name, value in kept.items()}


def resumed(
    given: Mapping[str, Any], defaults: Mapping[str, Any]
) -> tuple[dict[str, Any], Checkpoint | None]:
    """Return the arguments of a run, and from which checkpoint it goes on, if any.

    Parameters
    ----------
    given : mapping
        Arguments of the call; equal to its default counts as left out.
    defaults : mapping
        The defaults.

    Raises
    ------
    TypeError, ValueError, OSError
        There is no checkpoint where ``resume`` says, or an argument contradicts it.
    """
    if given["resume"] is None:
        return dict(given), None
    before, made = _checkpoint_of(given["resume"]), dict(given)
    if before.arguments["solver"] not in RESUMABLE:
        expected = f"be a run of one of {', '.join(RESUMABLE)}"
        remedy = "What its method remembers is lost: begin a new run there with network=..."
        got = f"one of solver={before.arguments['solver']!r}"
        raise ValueError(message("resume", expected, got, remedy))
    for name, value in given.items():
        if name in _OF_THE_CALL:
            continue
        left_out = _same(value, defaults[name])
        left_out |= name == "alpha" and validation.is_auto(value)  # it was chosen
        if name in _OF_THE_START and not left_out:
            remedy = "Leave it out: the run goes on from its checkpoint."
            got = described(value) if name == "network" else written(value)
            raise ValueError(message(name, "be left out of a resumed run", got, remedy))
        if name in before.arguments and (left_out or name not in _RULES):
            made[name] = before.arguments[name]
            if not left_out and not _same(_plain(value, name), _plain(made[name], name)):
                expected = f"agree with the resumed run, which has {made[name]!r}"
                remedy = "Leave it out, or begin a new run from the network: network=..."
                raise ValueError(message(name, expected, written(value), remedy))
    return made, before


def _checkpoint_of(resume: object) -> Checkpoint:
    """Return the checkpoint that a user means by a result, a checkpoint or a path."""
    if isinstance(resume, TrainResult):
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
    """Compare arguments; an array, which no argument of one value is, equals nothing."""
    if value is other:
        return True
    plain = _plain(value)
    return not isinstance(plain, np.ndarray) and bool(plain == other)


def _plain(value: Any, name: str = "") -> Any:
    """Return a value as JSON has it: NumPy's numbers become Python's."""
    if name == "dtype" or isinstance(value, np.dtype | type):
        return validation.float_dtype(value).name
    if name == "alpha":
        return list(validation.penalty(value))
    if isinstance(value, int) and value.bit_length() > _BITS:  # of a limit that is none
        return NEVER
    if type(value) in (bool, float, int, str):  # most are
        return value
    if isinstance(value, np.bool):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else value
