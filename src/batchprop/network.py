"""The network: its parameters and activation, random initialisation, predictions, files."""

from __future__ import annotations

import os
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from batchprop import engines, summary_table, validation
from batchprop.export.exportable import Exportable
from batchprop.files import network_file
from batchprop.parameters import Parameters, Shape, split
from batchprop.validation import memory_demand

Array = npt.NDArray[Any]


class Network(Exportable):
    """A network with one hidden layer: H = σ(W_h X + b_h), Y = W_y H + b_y.

    Parameters
    ----------
    W_h : array_like, shape (m, e)
        Weights of the hidden layer: m units, e inputs.
    b_h : array_like, shape (m,)
        Biases of the hidden layer.
    W_y : array_like, shape (s, m)
        Weights of the output layer: s outputs.
    b_y : array_like, shape (s,)
        Biases of the output layer.
    activation : str
        Activation σ of the hidden layer: "identity", "logistic", "tanh", "relu", "softplus",
        "elu" or "softsign".

    Raises
    ------
    TypeError
        A block does not consist of real numbers.
    ValueError
        The shapes do not fit together, a block is empty or contains NaN or inf, or the activation
        is unknown.

    Notes
    -----
    The blocks are copied into one vector θ; ``W_h``, ``b_h``, ``W_y`` and ``b_y`` are views of it.
    The dtype is float32 if all four blocks are float32, otherwise float64.

    Examples
    --------
    >>> from batchprop import Network
    >>> network = Network(W_h=[[1.0], [2.0]], b_h=[0.0, 1.0], W_y=[[1.0, -1.0]], b_y=[0.5])
    >>> network
    Network(1-2-1, activation='tanh', dtype=float64)
    >>> network.theta  # W_h, b_h, W_y, b_y
    array([ 1. ,  2. ,  0. ,  1. ,  1. , -1. ,  0.5])
    """

    def __init__(
        self,
        W_h: npt.ArrayLike,
        b_h: npt.ArrayLike,
        W_y: npt.ArrayLike,
        b_y: npt.ArrayLike,
        activation: str = "tanh",
    ) -> None:
        blocks = validation.parameter_blocks(W_h, b_h, W_y, b_y)
        m, e = blocks[0].shape
        s = blocks[3].size
        super().__init__(np.concatenate([block.ravel() for block in blocks]), Shape(e, m, s))
        self._activation = validation.activation(activation)

    @property
    def activation(self) -> str:
        """Name of the activation."""
        return self._activation

    @classmethod
    def from_theta(cls, theta: npt.ArrayLike, shape: Shape, activation: str = "tanh") -> Self:
        """Create a network from a flat vector of parameters.

        Parameters
        ----------
        theta : array_like, shape (P,)
            Parameters in the order W_h, b_h, W_y, b_y, each row by row; the vector is copied.
        shape : Shape or tuple of int
            The sizes (e, m, s).
        activation : str
            Activation of the hidden layer.

        Raises
        ------
        TypeError, ValueError
            ``theta`` does not consist of m·e + m + s·m + s finite numbers, a size is not a positive
            integer, or the activation is unknown.

        Examples
        --------
        >>> from batchprop import Network
        >>> network = Network.from_theta([1.0, 2.0, 0.0, 1.0, 1.0, -1.0, 0.5], shape=(1, 2, 1))
        >>> network.W_h
        array([[1.],
               [2.]])
        """
        shape = validation.shape(shape)
        flat = validation.theta(theta, shape.n_parameters)
        return cls._of(flat.copy(), shape, validation.activation(activation))

    @classmethod
    def initialize(
        cls,
        n_inputs: int,
        n_hidden: int,
        n_outputs: int,
        activation: str = "tanh",
        seed: int | None = 0,
        dtype: npt.DTypeLike = "float64",
    ) -> Self:
        """Create a network with random parameters, suitable for standardised inputs.

        Parameters
        ----------
        n_inputs, n_hidden, n_outputs : int
            The sizes e, m and s, each at least 1.
        activation : str
            Activation of the hidden layer.
        seed : int or None
            Equal seeds give equal networks on every machine; None gives a new one each time.
        dtype : {"float32", "float64"}
            Parameters are drawn in float64 and then rounded, so both dtypes get the same start.

        Returns
        -------
        Network
            W_h ~ U(±√(3g/e)) and W_y ~ U(±√(3/m)).  With inputs of variance 1, pre-activations
            have variance g and outputs are of order 1 (LeCun et al., *Efficient BackProp*, 1998).
            The gain g is 2 for relu (He et al., 2015), otherwise 1.  b_h ~ U(−1, 1), so that the
            units are centred at different inputs; b_y = 0.

        Raises
        ------
        TypeError, ValueError
            A size or the seed is not an integer in its range, or a name is unknown.

        Examples
        --------
        >>> from batchprop import Network
        >>> network = Network.initialize(n_inputs=4, n_hidden=10, n_outputs=2, seed=1)
        >>> network.W_h.shape, network.W_y.shape, network.theta.size
        ((10, 4), (2, 10), 72)
        >>> bool(abs(network.W_h).max() <= (3.0 / 4.0) ** 0.5)
        True
        """
        e = validation.count("n_inputs", n_inputs)
        m = validation.count("n_hidden", n_hidden)
        s = validation.count("n_outputs", n_outputs)
        name = validation.activation(activation)
        rng = np.random.default_rng(validation.seed(seed))
        dtype = validation.float_dtype(dtype)
        memory_demand.network(Shape(e, m, s))
        gain = 2.0 if name == "relu" else 1.0
        bound_h, bound_y = np.sqrt(3.0 * gain / e), np.sqrt(3.0 / m)
        blocks = (
            rng.uniform(-bound_h, bound_h, (m, e)),
            rng.uniform(-1.0, 1.0, m),
            rng.uniform(-bound_y, bound_y, (s, m)),
            np.zeros(s),
        )
        theta = np.concatenate([block.ravel() for block in blocks])
        return cls._of(theta.astype(dtype), Shape(e, m, s), name)

    @classmethod
    def _of(cls, theta: Array, shape: Shape, activation: str) -> Self:
        """Create a network from checked arguments without copying θ."""
        network = cls.__new__(cls)
        Parameters.__init__(network, theta, shape)
        network._activation = activation
        return network

    def predict(
        self, X: npt.ArrayLike, *, engine: str = "fused", n_threads: int | None = None
    ) -> Array:
        """Compute Y = W_y σ(W_h X + b_h) + b_y.

        Parameters
        ----------
        X : array_like, shape (e, N)
            Inputs, one sample per column, in C or Fortran order.
        engine : {"fused", "vectorized", "naive"}
            The implementation to use.
        n_threads : int or None
            Maximum number of threads.  None chooses it from the amount of work and the CPUs that
            the process may use.

        Returns
        -------
        ndarray, shape (s, N)
            Predictions, in the network's dtype, one sample per column.

        Raises
        ------
        TypeError, ValueError
            ``X`` does not consist of real numbers, has another shape than (e, N), is empty, or
            contains NaN or inf.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Network
        >>> network = Network([[1.0]], [0.0], [[2.0]], [1.0], activation="relu")
        >>> network.predict(np.array([[-1.0, 0.0, 3.0]]))  # 2 max(x, 0) + 1
        array([[1., 1., 7.]])
        """
        inputs = validation.inputs(X, self.shape.n_inputs, dtype=self.dtype)
        module = engines.load(validation.choice("engine", engine, engines.names()))
        threads = validation.n_threads(n_threads)
        return module.predict(self.theta, self.shape, self.activation, inputs, threads)

    def jacobian(
        self, X: npt.ArrayLike, *, engine: str = "fused", n_threads: int | None = None
    ) -> Array:
        """Compute ∂Y/∂X: how fast each prediction changes with each input, at each sample.

        Parameters
        ----------
        X : array_like, shape (e, N)
            Inputs, one sample per column, in C or Fortran order.
        engine : {"fused", "vectorized", "naive"}
            The implementation to use.
        n_threads : int or None
            Maximum number of threads, as for ``predict``; the result does not depend on it.

        Returns
        -------
        ndarray, shape (s, e, N)
            Entry (o, j, i) is ∂y_o/∂x_j at sample i, Σ_k W_y[o, k] σ′(z_k) W_h[k, j], in units of
            output o per unit of input j and in the network's dtype.  At the kink of relu, z = 0,
            σ′ is 0.

        Raises
        ------
        TypeError, ValueError
            As for ``predict``, or the s·e·N numbers do not fit into memory.

        Notes
        -----
        A unit contributes to the rounding error at most a few units in the last place of
        ``|W_y[o, k] W_h[k, j]|``, even where σ′ is much smaller than 1.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Network
        >>> network = Network([[3.0]], [0.0], [[2.0]], [1.0], activation="relu")
        >>> network.jacobian(np.array([[-1.0, 0.0, 3.0]]))  # of 2 max(3 x, 0) + 1
        array([[[0., 0., 6.]]])
        """
        inputs = validation.inputs(X, self.shape.n_inputs, dtype=self.dtype)
        module = engines.load(validation.choice("engine", engine, engines.names()))
        threads = validation.n_threads(n_threads)
        memory_demand.jacobian(self.shape, inputs.shape[1], self.dtype.itemsize)
        return module.jacobian(self.theta, self.shape, self.activation, inputs, threads)

    def copy(self) -> Self:
        """Return an independent copy.

        Examples
        --------
        >>> from batchprop import Network
        >>> network = Network.initialize(1, 2, 1)
        >>> copy = network.copy()
        >>> copy.b_y[0] = 5.0
        >>> network.b_y
        array([0.])
        """
        return self._of(self.theta.copy(), self.shape, self.activation)

    def astype(self, dtype: npt.DTypeLike) -> Self:
        """Return a copy in another dtype.

        Parameters
        ----------
        dtype : {"float32", "float64"}
            Dtype of the copy.

        Raises
        ------
        ValueError
            The dtype is neither, or a parameter is beyond the range of float32.

        Examples
        --------
        >>> from batchprop import Network
        >>> Network.initialize(1, 2, 1).astype("float32")
        Network(1-2-1, activation='tanh', dtype=float32)
        """
        dtype = validation.float_dtype(dtype)
        for name, block in split(self.theta, self.shape)._asdict().items():
            validation.in_range(name, block, dtype, "Keep the network float64.")
        flat = self.theta.astype(dtype)
        return type(self)(*split(flat, self.shape), activation=self.activation)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a network that ``save`` wrote.

        No code in the file is executed, and its contents are checked before memory is allocated.

        Parameters
        ----------
        path : str or path-like
            The file's name.

        Raises
        ------
        TypeError
            ``path`` is not a file name.
        OSError
            The file cannot be opened.
        ValueError
            The file is not a saved network, is damaged, or has a newer format.

        Examples
        --------
        >>> from batchprop import Network
        >>> network = Network.initialize(1, 2, 1)
        >>> network.save("network.npz")
        >>> bool((Network.load("network.npz").theta == network.theta).all())
        True
        """
        blocks, activation = network_file.read(path)
        return cls(*blocks, activation=activation)

    def _repr_html_(self) -> str:
        return summary_table.network_html(self.shape, self.activation, self.dtype.name)

    def __repr__(self) -> str:
        return f"Network({self.shape}, activation={self.activation!r}, dtype={self.dtype})"
