"""The network that training starts from: the user's, or one that is drawn from a seed."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from batchprop import validation
from batchprop.network import Network
from batchprop.parameters import Shape
from batchprop.training.options import TrainOptions
from batchprop.validation import memory_demand

HIDDEN_SIZE = 50  # of a network that is drawn, where hidden_size is None
ACTIVATION = "tanh"  # the same of activation


class InitialNetwork(NamedTuple):
    """How to get the network that training starts from.

    Attributes
    ----------
    user_network : Network or None
        The user's; None draws one.
    hidden_size : int
        m.
    activation : str
        Name of σ.
    seed : int or None
        What a network is drawn from.
    dtype : dtype or None
        The network's; None is that of X.
    """

    user_network: Network | None
    hidden_size: int
    activation: str
    seed: int | None
    dtype: np.dtype[Any] | None

    @classmethod
    def of(cls, options: TrainOptions) -> Self:
        """Check the options that describe a network.

        Raises
        ------
        TypeError, ValueError
            One of them is wrong, or ``network`` contradicts ``hidden_size`` or ``activation``.
        """
        hidden_size = validation.optional_count("hidden_size", options.hidden_size)
        activation = options.activation
        if activation is not None:
            activation = validation.activation(activation)
        seed = validation.seed(options.seed)
        dtype = None if options.dtype is None else validation.float_dtype(options.dtype)
        network = options.network
        if network is None:
            return cls(None, hidden_size or HIDDEN_SIZE, activation or ACTIVATION, seed, dtype)
        validation.network(network, Network)
        n_hidden = network.shape.n_hidden
        if hidden_size not in (None, n_hidden) or activation not in (None, network.activation):
            named = {"hidden_size": hidden_size, "activation": activation}
            beside = ", ".join(f"{name}={value!r}" for name, value in named.items() if value)
            raise ValueError(
                f"network must agree with hidden_size and activation; got {network} beside "
                f"{beside}. Leave those two out: the network has them."
            )
        return cls(network, n_hidden, network.activation, seed, dtype or network.dtype)

    def create(self, n_inputs: int, n_outputs: int, dtype: np.dtype[Any]) -> Network:
        """Return a copy of the user's network, or draw one.

        Parameters
        ----------
        n_inputs, n_outputs : int
            e and s of a network that is drawn.
        dtype : dtype
            Used where the options name none.
        """
        if self.user_network is not None:
            return self.user_network.astype(self.dtype or self.user_network.dtype)
        shape = Shape(n_inputs, self.hidden_size, n_outputs)
        memory_demand.network(shape, "hidden_size")
        return Network.initialize(
            *shape, activation=self.activation, seed=self.seed, dtype=self.dtype or dtype
        )
