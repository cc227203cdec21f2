"""``Checkpoint``: all that a run needs to resume bit for bit, in memory or in a file."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from batchprop.files import pytree
from batchprop.network import Network
from batchprop.parameters import Shape
from batchprop.scaling import Scaling, fold
from batchprop.solvers.run_state import State, is_ahead, uncount_last_evaluation
from batchprop.training.checkpoint import checkpoint_content, checkpoint_file
from batchprop.training.checkpoint.checkpoint_content import Content
from batchprop.training.checkpoint.fingerprint import Fingerprint
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class Checkpoint:
    """The state of a training run, from which ``train(X, T, resume=checkpoint)`` resumes it.

    ``train`` makes it: ``result.checkpoint``, or the file of ``train(..., checkpoint=path)``.  It
    does not hold the data.

    Parameters
    ----------
    arguments : dict
        Argument of ``train`` -> its value: all that a resumed run keeps, and the stopping rules.
    shape : Shape
        The network's sizes.
    samples : dict of str to Fingerprint
        Fingerprints of the data.
    scaling : Scaling or None
        How the data are standardised.
    given : ndarray, shape (P,), or None
        Parameters of the network that the user passed as the start, in the user's units.
    state : State
        The solver's state, in standardised units.
    loss_curve, validation_loss_curve : ndarray, shapes (n_epochs + 1,) and the same or (0,)
        Losses so far, as in the result.
    stop_reason : str
        As in the result; "running" in a file that was written during the run.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import train
    >>> X = np.linspace(-1.0, 1.0, 50)[np.newaxis]
    >>> first = train(X, X**2, hidden_size=3, max_epochs=10)
    >>> second = train(X, X**2, resume=first.checkpoint, max_epochs=5)
    >>> whole = train(X, X**2, hidden_size=3, max_epochs=15)
    >>> bool((second.network.theta == whole.network.theta).all())  # the same bits
    True
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
        """Epochs up to the last one that was evaluated."""
        return max(0, int(self.state.evaluations[0]) - 1)

    @property
    def network(self) -> Network:
        """The best network so far."""
        return self._best_network

    @property
    def last_network(self) -> Network:
        """The network after the last epoch that was evaluated."""
        return self._last_network

    @cached_property
    def _best_network(self) -> Network:
        return self._network(self.state.best, int(self.state.best_epoch[0]))

    @cached_property
    def _last_network(self) -> Network:
        if int(self.state.best_epoch[0]) == self.n_epochs:  # the same parameters
            return self.network
        theta = self.state.previous if is_ahead(self.state) else self.state.theta
        return self._network(theta, self.n_epochs)

    @property
    def start(self) -> Network | None:
        """The network that the user passed as the start; None if it was drawn."""
        if self.given is None:
            return None
        return Network.from_theta(self.given, self.shape, self.arguments["activation"])

    def _network(self, theta: Array, epoch: int) -> Network:
        scaling, dtype = self.scaling, np.dtype(self.arguments["dtype"])
        # folding makes predictions of constant targets exact
        exact = scaling is None or not scaling.has_constant_targets
        if epoch == 0 and self.given is not None and exact:  # the user's, to the last bit
            theta = self.given
        elif scaling is not None:
            theta = fold(theta, self.shape, scaling, dtype)
        else:  # lm computes in float64
            largest = np.finfo(dtype).max
            theta = theta.clip(-largest, largest).astype(dtype, copy=False)
        return Network.from_theta(theta, self.shape, self.arguments["activation"])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint to one .npz file, atomically.

        A process that is killed while it writes leaves the old file as it was.  The file holds the
        solver's arrays and the loss of each epoch, of 8 bytes, or 16 with validation data: 8 MB
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

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import train
        >>> X = np.linspace(-1.0, 1.0, 50)[np.newaxis]
        >>> result = train(X, X**2, hidden_size=3, max_epochs=10)
        >>> result.checkpoint.save("run.npz")
        >>> train(X, X**2, resume="run.npz", max_epochs=5).n_epochs
        15
        """
        checkpoint_file.write(path, self._content())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a checkpoint from a file.  Nothing in it is executed.

        All of it is checked, so that a resumed run can rely on it.  Reading takes no more memory
        than the file.

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

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Checkpoint, train
        >>> X = np.linspace(-1.0, 1.0, 50)[np.newaxis]
        >>> _ = train(X, X**2, hidden_size=3, max_epochs=10, checkpoint="run.npz")
        >>> checkpoint = Checkpoint.load("run.npz")
        >>> checkpoint.n_epochs, checkpoint.stop_reason
        (10, 'max_epochs')
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
    """Return a copy of a state from which the next ``Run.advance`` continues."""
    copy = pytree.copied(state)
    uncount_last_evaluation(copy)
    return copy


def check(checkpoint: Checkpoint) -> None:
    """Refuse a checkpoint that was made or changed by hand so that no run can resume from it."""
    try:
        checkpoint_content.check(checkpoint._content())
    except Exception as error:  # parts of any type raise errors of any type
        expected, remedy = "be as train makes it", "Pass, for example, result.checkpoint."
        raise ValueError(message("resume", expected, f"{error}", remedy)) from None
