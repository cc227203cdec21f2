"""Checkpoints: all that a run needs to go on, bit for bit, in memory or in a file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

import batchprop
from batchprop import files, nested, options, validation
from batchprop.fingerprint import Fingerprint
from batchprop.network import Network
from batchprop.parameters import Shape
from batchprop.scaling import Scaling, fold
from batchprop.solvers.families import family
from batchprop.solvers.stopping import State, start, step_back

Array = npt.NDArray[Any]

FORMAT = 1  # counts up when a reader of the old number could not read the new one
KIND = "batchprop checkpoint"


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
        if epoch == 0 and self.given is not None and folds:  # as it was given, to the last bit
            theta = self.given
        elif self.scaling is not None:  # also a start beside constant targets, predicted exactly
            theta = fold(theta, self.shape, self.scaling)
        dtype = self.arguments["dtype"]
        return Network.from_theta(theta.astype(dtype), self.shape, self.arguments["activation"])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint to one .npz file, at once and whole.

        A process that is killed while it writes leaves the old file as it was.  The size is that
        of the solver's arrays and 8 bytes an epoch for the loss, 16 with validation data: 8 MB
        after a million epochs.

        Parameters
        ----------
        path : str or path-like
            The file's name, taken as it is; an existing file is replaced.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        header = {
            "batchprop": batchprop.__version__,
            "arguments": self.arguments,
            "shape": self.shape,
            "samples": self.samples,
            "stop_reason": self.stop_reason,
        }
        labels = {"kind": KIND, "format": FORMAT, "header": json.dumps(header)}
        arrays = {name: np.array(value) for name, value in labels.items()}
        files.write_arrays(path, arrays | self._arrays())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a checkpoint from a file; nothing in it is run.

        Parameters
        ----------
        path : str or path-like
            The file's name.

        Raises
        ------
        OSError
            The file cannot be opened.
        ValueError
            It is no checkpoint, damaged, or of a newer format.
        """
        with open(Path(path), "rb") as file:
            try:
                with np.load(file, allow_pickle=False) as archive:
                    if str(archive["kind"]) != KIND:
                        raise ValueError("of another kind")
                    number = int(archive["format"])
                    if number == FORMAT:
                        return cls._from({name: archive[name] for name in archive.files})
            except Exception:  # a file of anything else can fail to be read in any way
                raise ValueError(
                    f"path must name a checkpoint; got {os.fspath(path)!r}, which is something "
                    f"else or damaged. Begin the run again, or look for another file."
                ) from None
        raise ValueError(
            f"path must name a checkpoint of format {FORMAT}; got {os.fspath(path)!r} of format "
            f"{number}. Load it with the version of batchprop that wrote it, or a newer one."
        )

    @classmethod
    def _from(cls, arrays: dict[str, Array]) -> Self:
        """Put a checkpoint together; raise in any way if something is missing or does not fit."""
        header = json.loads(str(arrays["header"]))
        arguments, shape = header["arguments"], validation.shape(header["shape"])
        samples = {
            name: Fingerprint(tuple(size), *rest)
            for name, (size, *rest) in header["samples"].items()
        }
        validation.activation(arguments["activation"])
        theta = np.zeros(shape.n_parameters, validation.float_dtype(arguments["dtype"]))
        solver = arguments["solver"]
        kind = family(solver)
        memory = kind.memory(options.settings(solver, arguments, shape), theta.size)
        like = start(theta.astype(kind.dtype(theta.dtype)), memory)
        state = nested.restored(like, arrays, "state")
        steps, made = int(state.epoch[0]), int(state.evaluations[0])
        if not 0 <= steps <= made <= steps + 1 or state.best_epoch[0] > max(0, made - 1):
            raise ValueError(f"{made} evaluations in {steps} steps")
        losses = np.zeros(max(1, made))
        curves = {
            "loss_curve": losses,
            "validation_loss_curve": losses if "X_val" in samples else np.empty(0),
        }
        scaling = Scaling.identity(shape.n_inputs, shape.n_outputs) if arguments["scale"] else None
        return cls(
            arguments=arguments,
            shape=shape,
            samples=samples,
            scaling=scaling and nested.restored(scaling, arrays, "scaling"),
            given=nested.restored(theta, arrays, "given") if "given" in arrays else None,
            state=state,
            stop_reason=header["stop_reason"],
            **{name: nested.restored(like, arrays, name) for name, like in curves.items()},
        )

    def _arrays(self) -> dict[str, Array]:
        arrays = nested.flatten(self.state, "state")
        if self.scaling is not None:
            arrays |= nested.flatten(self.scaling, "scaling")
        if self.given is not None:
            arrays["given"] = self.given
        curves = {
            "loss_curve": self.loss_curve,
            "validation_loss_curve": self.validation_loss_curve,
        }
        return arrays | curves

    def __repr__(self) -> str:
        network = f"{self.shape}, {self.arguments['activation']!r}, {self.arguments['dtype']}"
        return (
            f"Checkpoint({network}, solver {self.arguments['solver']!r}, {self.n_epochs} epochs, "
            f"{self.stop_reason!r})"
        )


def resumable(state: State) -> State:
    """Return a copy of a state with which the next ``Run.advance`` goes on."""
    copy = nested.copied(state)
    step_back(copy)
    return copy
