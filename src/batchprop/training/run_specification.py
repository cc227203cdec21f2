"""What a training run is: everything that defines it except its observers."""

from __future__ import annotations

from typing import Any, NamedTuple

from batchprop.network import Network
from batchprop.scaling import Scaling
from batchprop.solvers.stopping import Rules
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.checkpoint.fingerprint import Fingerprint
from batchprop.training.options import Data
from batchprop.training.result import AlphaReport


class RunSpecification(NamedTuple):
    """Everything that defines a run except its observers.

    Attributes
    ----------
    data : Data
        Training and validation data, in the user's units.
    scaling : Scaling or None
        How they are standardised.
    first : Network
        Where training starts, a network of standardised data.
    given : Network or None
        The same in the user's units, where the user gave it.
    engine, solver : str
        Their names.
    settings : NamedTuple
        The solver's numbers.
    rules : Rules
        When to stop.
    alpha : tuple of two floats, or None
        The penalty (α_h, α_y); None is yet to be chosen, before the run.
    n_threads : int or None
        At most so many threads.
    arguments : dict
        What a checkpoint keeps of the call.
    samples : dict of str to Fingerprint
        What to know the data by.
    resumed : Checkpoint or None
        Of the run that goes on.
    alpha_report : AlphaReport or None
        How the penalty was chosen.
    """

    data: Data
    scaling: Scaling | None
    first: Network
    given: Network | None
    engine: str
    solver: str
    settings: Any
    rules: Rules
    alpha: tuple[float, float] | None
    n_threads: int | None
    arguments: dict[str, Any]
    samples: dict[str, Fingerprint]
    resumed: Checkpoint | None = None
    alpha_report: AlphaReport | None = None
