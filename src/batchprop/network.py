"""The network: parameters, an activation, a seeded start, predictions."""

from __future__ import annotations

import os
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from batchprop import engines, validation
from batchprop.files import network_file
from batchprop.parameters import Parameters, Shape, split
from batchprop.validation import memory_demand

Array = npt.NDArray[Any]


class Network(Parameters):
    """A network with one hidden layer, H = σ(W_h X + b_h), Y = W_y H + b_y.

    Parameters
    ----------
    W_h : array_like, shape (m, e)
        Hidden layer's weights.
    b_h : array_like, shape (m,)
        Hidden layer's biases.
    W_y : array_like, shape (s, m)
        Output layer's weights.
    b_y : array_like, shape (s,)
        Output layer's biases.
    activation : str
        σ of the hidden layer: identity, logistic, tanh, relu, softplus, elu or softsign.

    Raises
    ------
    TypeError
        A block is not real numbers.
    ValueError
        Shapes that do not fit together, an empty block, NaN or inf, an unknown activation.

    Notes
    -----
    The blocks are copied.  The dtype is float32 if all four are float32, else float64.

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
        """Name of σ."""
        return self._activation

    @classmethod
    def from_theta(cls, theta: npt.ArrayLike, shape: Shape, activation: str = "tanh") -> Self:
        """Build a network from a flat vector of parameters.

        Parameters
        ----------
        theta : array_like, shape (P,)
            Parameters in the order W_h, b_h, W_y, b_y, each row-major; copied.
        shape : Shape or tuple of int
            (e, m, s).
        activation : str
            σ of the hidden layer.

        Raises
        ------
        ValueError
            ``theta`` is not of length m·e + m + s·m + s, or holds NaN or inf.

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
        """Draw a start that suits standardised inputs.

        Parameters
        ----------
        n_inputs, n_hidden, n_outputs : int
            e, m and s, each at least 1.
        activation : str
            σ of the hidden layer.
        seed : int or None
            The same seed gives the same network everywhere; None draws a new one each time.
        dtype : {"float32", "float64"}
            Drawn in float64, then rounded: both dtypes get the same start.

        Returns
        -------
        Network
            W_h ~ U(±√(3g/e)) and W_y ~ U(±√(3/m)), so that inputs of variance 1 give
            pre-activations of variance g and outputs of order 1 (LeCun et al., *Efficient
            BackProp*, 1998; the gain g is 2 for relu, after He et al., 2015, else 1);
            b_h ~ U(−1, 1), so that the units bend at different places; b_y = 0.

        Raises
        ------
        TypeError, ValueError
            A size or the seed is not an integer or out of range, an unknown name.

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
        kind = validation.float_dtype(dtype)
        memory_demand.network(Shape(e, m, s))
        gain = 2.0 if name == "relu" else 1.0
        bound_h, bound_y = np.sqrt(3.0 * gain / e), np.sqrt(3.0 / m)
        drawn = (
            rng.uniform(-bound_h, bound_h, (m, e)),
            rng.uniform(-1.0, 1.0, m),
            rng.uniform(-bound_y, bound_y, (s, m)),
            np.zeros(s),
        )
        theta = np.concatenate([block.ravel() for block in drawn])
        return cls._of(theta.astype(kind), Shape(e, m, s), name)

    @classmethod
    def _of(cls, theta: Array, shape: Shape, activation: str) -> Self:
        """Take what was checked as it is; θ becomes the network's own."""
        made = cls.__new__(cls)
        Parameters.__init__(made, theta, shape)
        made._activation = activation
        return made

    def predict(
        self, X: npt.ArrayLike, *, engine: str = "fused", n_threads: int | None = None
    ) -> Array:
        """Return Y = W_y σ(W_h X + b_h) + b_y.

        Parameters
        ----------
        X : array_like, shape (e, N)
            Inputs, one sample a column, in either memory order.
        engine : {"fused", "vectorized", "naive"}
            What computes it.
        n_threads : int or None
            At most so many threads; None lets the size of the work and the process's CPUs decide.

        Returns
        -------
        ndarray, shape (s, N)
            Predictions, in the network's dtype.

        Raises
        ------
        TypeError, ValueError
            ``X`` is not real numbers, not (e, N), empty, or holds NaN or inf.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Network
        >>> network = Network([[1.0]], [0.0], [[2.0]], [1.0], activation="relu")
        >>> network.predict(np.array([[-1.0, 0.0, 3.0]]))  # 2 max(x, 0) + 1
        array([[1., 1., 7.]])
        """
        checked = validation.inputs(X, self.shape.n_inputs, dtype=self.dtype)
        module = engines.load(validation.choice("engine", engine, engines.names()))
        threads = validation.n_threads(n_threads)
        return module.predict(self.theta, self.shape, self.activation, checked, threads)

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
            Of the copy's parameters.

        Raises
        ------
        ValueError
            Another dtype, or a parameter beyond the range of float32.

        Examples
        --------
        >>> from batchprop import Network
        >>> Network.initialize(1, 2, 1).astype("float32")
        Network(1-2-1, activation='tanh', dtype=float32)
        """
        kind = validation.float_dtype(dtype)
        for name, block in split(self.theta, self.shape)._asdict().items():
            validation.in_range(name, block, kind, "Keep the network float64.")
        flat = self.theta.astype(kind)
        return type(self)(*split(flat, self.shape), activation=self.activation)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to one .npz file, which ``Network.load`` and ``numpy.load`` read.

        Parameters
        ----------
        path : str or path-like
            The file's name, taken as it is.  An existing file is replaced, at once and whole, and
            keeps its permissions; of a symbolic link, the file it points to.

        Raises
        ------
        TypeError, ValueError
            ``path`` is no name of a file.
        OSError
            The file cannot be written.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Network
        >>> Network.initialize(1, 2, 1).save("network.npz")
        >>> with np.load("network.npz") as file:
        ...     file["W_h"].shape
        (2, 1)
        """
        network_file.write(path, split(self.theta, self.shape), self.activation)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a network that ``save`` has written; nothing in the file is run.

        All of it is checked before memory is taken for it.

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
            It is not a network, damaged, or of a newer format.

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

    def __repr__(self) -> str:
        return f"Network({self.shape}, activation={self.activation!r}, dtype={self.dtype})"
