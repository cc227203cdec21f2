"""``Dataset``: the tables of a run, checked, with their scaling and fingerprints."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import scaling, validation
from batchprop.engines.loss_scale import total_weight
from batchprop.engines.samples import Samples
from batchprop.scaling import Scaling
from batchprop.training.candidates import Candidates, candidates_of
from batchprop.training.checkpoint import fingerprint
from batchprop.training.checkpoint.fingerprint import Fingerprint
from batchprop.training.initial_network import InitialNetwork
from batchprop.training.options import TrainOptions
from batchprop.training.weight_statistics import weight_unit
from batchprop.validation.orientation import seem_transposed
from batchprop.vocabulary import COLUMNS, Words

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class Dataset:
    """Checked data of a run, in the user's units.  Nothing is copied.

    Attributes
    ----------
    X, T : ndarray, shapes (e, N) and (s, N)
        Inputs and targets.
    sample_weight : ndarray, shape (N,), or None
        w, float64.
    X_val, T_val : ndarray, shapes (e, N_val) and (s, N_val), or None
        Validation data; both or neither.
    sample_weight_val : ndarray, shape (N_val,), or None
        The weights of the validation data, float64.
    scaling : Scaling or None
        How engines standardise the data; None leaves them as they are.
    fingerprints : dict of str to Fingerprint
        Name of each array -> its fingerprint, by which a later process recognises it.
    """

    X: Array
    T: Array
    sample_weight: Array | None
    X_val: Array | None
    T_val: Array | None
    scaling: Scaling | None
    fingerprints: dict[str, Fingerprint]
    sample_weight_val: Array | None = None

    @property
    def training(self) -> Samples:
        """What an engine is trained on."""
        return Samples(self.X, self.T, self.sample_weight, self.scaling)

    @property
    def validation(self) -> Samples | None:
        """What an engine validates on: standardised like the training data."""
        if self.X_val is None or self.T_val is None:
            return None
        return Samples(self.X_val, self.T_val, self.sample_weight_val, self.scaling)

    @property
    def arrays(self) -> dict[str, Array | None]:
        """Name of each array -> the array, as in ``fingerprints``; None for those left out."""
        names = "X", "T", "sample_weight", "X_val", "T_val", "sample_weight_val"
        return {name: getattr(self, name) for name in names}

    @cached_property
    def target_std(self) -> Array:
        """Standard deviation of each target of the training data (s,); 0 for a constant one."""
        if self.scaling is not None:
            return self.scaling.t_scale
        return scaling.standard_deviations(self.T, self.sample_weight)

    @cached_property
    def validation_target_std(self) -> Array | None:
        """The same of the validation data, if there are any."""
        if self.T_val is None:
            return None
        return scaling.standard_deviations(self.T_val, self.sample_weight_val)

    def measure_targets(self) -> None:
        """Compute these standard deviations before training, where Ctrl-C cannot lose a result."""
        _ = self.target_std, self.validation_target_std

    @property
    def n_inputs(self) -> int:
        """The number of inputs, e."""
        return int(self.X.shape[0])

    @property
    def n_outputs(self) -> int:
        """The number of outputs, s."""
        return int(self.T.shape[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of X."""
        return self.X.dtype

    @property
    def is_weighted(self) -> bool:
        """Whether the training samples have weights."""
        return self.sample_weight is not None

    @property
    def standardisation(self) -> Scaling:
        """What standardises the training data, whether the run does that or not."""
        return self.scaling or Scaling.of(self.X, self.T, self.sample_weight)

    @property
    def n_samples(self) -> int:
        """N, missing samples (those of weight 0) included."""
        return int(self.X.shape[1])

    @property
    def n_validation_samples(self) -> int:
        """Number of validation samples of positive weight."""
        if self.X_val is None:
            return 0
        weight = self.sample_weight_val
        return int(self.X_val.shape[1] if weight is None else (weight > 0).sum())

    @property
    def n_present(self) -> int:
        """Number of training samples of positive weight."""
        weight = self.sample_weight
        return self.n_samples if weight is None else int(np.count_nonzero(weight))

    @property
    def total_weight(self) -> float:
        """Σw; N without weights."""
        return total_weight(self.n_samples, self.sample_weight)

    @property
    def weight_unit(self) -> float:
        """The weight of one sample, see ``training.weight_statistics.weight_unit``."""
        return weight_unit(self.sample_weight)

    @cached_property
    def candidates(self) -> Candidates:
        """The training samples that a choice of penalty may draw from."""
        return candidates_of(self.training)

    @cached_property
    def validation_candidates(self) -> Candidates | None:
        """The validation samples that may judge the choice, if there are any."""
        return None if self.validation is None else candidates_of(self.validation)


class DatasetBuilder:
    """Makes the datasets of networks that share X and T.  Each array is checked once.

    Arrays are recognised by their ids.  The builder keeps references, so that ids are not reused.

    Parameters
    ----------
    X, T : array_like, shapes (e, N) and (s, N)
        As the user passed them.
    words : Words
        What the user calls the tables and arguments.
    """

    def __init__(self, X: npt.ArrayLike, T: npt.ArrayLike, words: Words = COLUMNS) -> None:
        self.words = words
        self._X, self._T = X, T
        self._datasets: dict[tuple[Any, ...], Dataset] = {}
        self._finite: set[tuple[Any, ...]] = set()  # keys of tables without NaN and inf
        self._references: list[object] = []

    def check(self, options: TrainOptions) -> None:
        """Do nothing: arrays allow all options."""

    def optional_data(self, options: TrainOptions) -> set[str]:
        """Return the names of weights and validation data that the call has."""
        return {name for name in fingerprint.OPTIONAL if getattr(options, name) is not None}

    def build(
        self, options: TrainOptions, network: InitialNetwork, scaled: bool, stacklevel: int
    ) -> Dataset:
        """Return the data that a network is trained on; check what has not been checked yet.

        Parameters
        ----------
        options : TrainOptions
            Has ``sample_weight``, ``X_val``, ``T_val`` and ``sample_weight_val``.
        network : InitialNetwork
            Its dtype bounds the values of the tables; a user's network has sizes that they must
            fit.
        scaled : bool
            Whether to standardise the data.
        stacklevel : int
            For ``warnings.warn`` in the caller of this method, to point to the user's call.
        """
        user_network, weight = network.user_network, options.sample_weight
        weight_val = options.sample_weight_val
        sizes = None if user_network is None else user_network.shape[::2]
        tables_key = id(options.X_val), id(options.T_val), network.dtype, sizes
        key = id(weight), id(weight_val), scaled, *tables_key
        if key in self._datasets:
            return self._datasets[key]
        self._references += weight, options.X_val, options.T_val, weight_val
        if tables_key not in self._datasets:
            self._datasets[tables_key] = self._checked_tables(options, network)
            if user_network is None and options.resume is None:  # else the sizes are known
                self._warn_if_transposed(self._datasets[tables_key], stacklevel + 1)
        dataset = self._datasets[tables_key]
        weights = validation.sample_weight(weight, *dataset.X.shape[::-1])
        weights_val = self._checked_validation_weights(weight_val, dataset)
        definition = Scaling.of(dataset.X, dataset.T, weights) if scaled else None
        dataset = replace(
            dataset,
            sample_weight=weights,
            sample_weight_val=weights_val,
            scaling=definition,
            fingerprints=dataset.fingerprints
            | fingerprint.of_arrays({"sample_weight": weights, "sample_weight_val": weights_val}),
        )
        if tables_key not in self._finite:
            self._check_finite(dataset)
            self._finite.add(tables_key)
        if definition is not None:
            dtype = network.dtype or dataset.X.dtype
            scaling.warn(
                definition,
                dtype,
                self.words,
                stacklevel=stacklevel + 1,
                X=dataset.X,
                sample_weight=weights,
            )
        self._datasets[key] = dataset
        return dataset

    def _checked_validation_weights(
        self, weight: npt.ArrayLike | None, dataset: Dataset
    ) -> Array | None:
        """Check the weights of the validation data."""
        if weight is None:
            return None
        name, table = "sample_weight_val", self.words.name("X_val")
        if dataset.X_val is None:
            raise ValueError(
                f"{name} must come with validation data; got {name} without {table} and "
                f"{self.words.name('T_val')}. Pass all three, or leave it out."
            )
        n_inputs, n_samples = dataset.X_val.shape
        return validation.sample_weight(weight, n_samples, n_inputs, name, table)

    def _checked_tables(self, options: TrainOptions, network: InitialNetwork) -> Dataset:
        """Check the tables against one another, the user's network and the range of the dtype.

        NaN and inf are left to ``_check_finite``.
        """
        X_val, T_val, user_network = options.X_val, options.T_val, network.user_network
        names = self.words.name("X"), self.words.name("T")
        names_val = self.words.name("X_val"), self.words.name("T_val")
        if (X_val is None) != (T_val is None):
            missing, present = names_val[::-1] if T_val is None else names_val
            raise ValueError(
                f"{' and '.join(names_val)} must be given together; got {present} without "
                f"{missing}. Pass both, or neither."
            )
        e, s = (None, None) if user_network is None else user_network.shape[::2]
        X, T = validation.tables(self._X, self._T, e, s, names, network.dtype, check_finite=False)
        tables: dict[str, Array] = {"X": X, "T": T}
        if X_val is not None and T_val is not None:
            sizes, dtype = (X.shape[0], T.shape[0]), network.dtype or X.dtype
            inputs, targets = validation.tables(
                X_val, T_val, *sizes, names_val, dtype, check_finite=False
            )
            tables |= {"X_val": inputs, "T_val": targets}
        return Dataset(
            X=X,
            T=T,
            sample_weight=None,
            X_val=tables.get("X_val"),
            T_val=tables.get("T_val"),
            scaling=None,
            fingerprints=fingerprint.of_arrays(tables),
        )

    def _check_finite(self, dataset: Dataset) -> None:
        """Reject NaN and inf.

        A run needs the moments of most tables.  Those of all numbers are finite where the numbers
        are, so that such a table is read only once.
        """
        definition = dataset.scaling
        weighted, weighted_val = dataset.sample_weight, dataset.sample_weight_val
        for name, table, moments, weight in (
            ("X", dataset.X, None if definition is None else definition.x_mean, weighted),
            ("T", dataset.T, dataset.target_std, weighted),
            ("X_val", dataset.X_val, None, weighted_val),
            ("T_val", dataset.T_val, dataset.validation_target_std, weighted_val),
        ):
            known = weight is None and moments is not None and np.isfinite(moments).all()
            if table is not None and not known:
                validation.finite(self.words.name(name), table)

    def _warn_if_transposed(self, dataset: Dataset, stacklevel: int) -> None:
        """Warn of tables whose rows seem to be samples, though their shapes agree."""
        (e, n_samples), shape_t = dataset.X.shape, dataset.T.shape
        if self.words.rows_are_samples or not seem_transposed((e, n_samples), shape_t):
            return
        remedy = "X.T, T.T" if dataset.X_val is None else "X.T, T.T, X_val.T, T_val.T"
        plural = "s" if n_samples > 1 else ""
        warnings.warn(
            f"Rows of X and T seem to be samples: X {dataset.X.shape} and T {shape_t} are read as "
            f"{n_samples} sample{plural} of {e} inputs and {e} outputs. If rows are samples, pass "
            f"{remedy}.",
            UserWarning,
            stacklevel=stacklevel + 1,
        )
