"""Checkpoints: all that a run needs to go on, bit for bit, in memory or in a file."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from batchprop.files import pytree
from batchprop.network import Network
from batchprop.parameters import Shape
from batchprop.scaling import Scaling, fold
from batchprop.solvers.stopping import State, step_back
from batchprop.training.checkpoint import checkpoint_content, checkpoint_file
from batchprop.training.checkpoint.checkpoint_content import Content
from batchprop.training.checkpoint.fingerprint import Fingerprint
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class Checkpoint:
    """Where a training run stands: ``train(X, T, resume=checkpoint)`` goes on from there.

    Made by ``train``: ``result.checkpoint``, or the file of ``train(..., checkpoint=path)``.  The
    data are not in it.

    Parameters
    ----------
    arguments : dict
        Argument of ``train`` -> its value: what stays the same in a resumed run, and the rules.
    shape : Shape
        The network's sizes.
    samples : dict of str to Fingerprint
        What to know the data by.
    scaling : Scaling or None
        How they are standardised.
    given : ndarray, shape (P,), or None
        The start in the user's units, where the user gave it.
    state : State
        The solver's, in standardised units.
    loss_curve, validation_loss_curve : ndarray, shapes (n_epochs + 1,) and the same or (0,)
        Losses so far, as in the result.
    stop_reason : str
        As in the result; "running" in a file that was written during a run.
    """

    arguments: dict[str, Any]
    shape: Shape
    samples: dict[str, Fingerprint]
    scaling: Scaling | None
    given: Array | None
    state: State
    loss_curve: Array
    validation_loss_curve: Array
    stop_reason: str

    @property
    def n_epochs(self) -> int:
        """Epochs so far, up to the last one that was evaluated."""
        return max(0, int(self.state.evaluations[0]) - 1)

    @property
    def network(self) -> Network:
        """The best network so far."""
        return self._network(self.state.best, int(self.state.best_epoch[0]))

    @property
    def last_network(self) -> Network:
        """The network after the last epoch that was evaluated."""
        ahead = 0 < self.state.evaluations[0] <= self.state.epoch[0]
        return self._network(self.state.previous if ahead else self.state.theta, self.n_epochs)

    @property
    def start(self) -> Network | None:
        """The start, where it was given and not drawn."""
        if self.given is None:
            return None
        return Network.from_theta(self.given, self.shape, self.arguments["activation"])

    def _network(self, theta: Array, epoch: int) -> Network:
        folds = self.scaling is None or bool(self.scaling.t_factor.all())
        dtype = np.dtype(self.arguments["dtype"])
        if epoch == 0 and self.given is not None and folds:  # as it was given, to the last bit
            theta = self.given
        elif self.scaling is not None:  # also a start beside constant targets, predicted exactly
            theta = fold(theta, self.shape, self.scaling, dtype)
        within = theta.clip(-np.finfo(dtype).max, np.finfo(dtype).max)  # lm moves float64 numbers
        activation = self.arguments["activation"]
        return Network.from_theta(within.astype(dtype), self.shape, activation)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint to one .npz file, at once and whole.

        A process that is killed while it writes leaves the old file as it was.  The size is that
        of the solver's arrays and 8 bytes an epoch for the loss, 16 with validation data: 8 MB
        after a million epochs.

        Parameters
        ----------
        path : str or path-like
            The file's name, taken as it is.  An existing file is replaced and keeps its
            permissions; of a symbolic link, the file it points to.

        Raises
        ------
        TypeError, ValueError
            ``path`` is no name of a file.
        OSError
            The file cannot be written.
        """
        checkpoint_file.write(path, self._content())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a checkpoint from a file; nothing in it is run.

        All of it is checked, so that a run that goes on from there can rely on it.  The memory
        taken is that of the file.

        Parameters
        ----------
        path : str or path-like
            The file's name.

        Raises
        ------
        TypeError
            ``path`` is no name of a file.
        OSError
            The file cannot be opened.
        ValueError
            It is no checkpoint, damaged, or of a newer format.
        """
        return cls(**checkpoint_file.read(path)._asdict())

    def _content(self) -> Content:
        return Content(*(getattr(self, field.name) for field in fields(self)))

    def __repr__(self) -> str:
        network = f"{self.shape}, {self.arguments['activation']!r}, {self.arguments['dtype']}"
        return (
            f"Checkpoint({network}, solver {self.arguments['solver']!r}, {self.n_epochs} epochs, "
            f"{self.stop_reason!r})"
        )


def resumable(state: State) -> State:
    """Return a copy of a state with which the next ``Run.advance`` goes on."""
    copy = pytree.copied(state)
    step_back(copy)
    return copy


def check(checkpoint: Checkpoint) -> None:
    """Refuse a checkpoint that somebody has made or changed so that no run can go on from it."""
    try:
        checkpoint_content.check(checkpoint._content())
    except Exception as error:  # its parts can be anything
        expected, remedy = "be as train makes it", "Pass, for example, result.checkpoint."
        raise ValueError(message("resume", expected, f"{error}", remedy)) from None
