"""What every network can be turned into: ``Network`` inherits these methods."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from batchprop import validation
from batchprop.export.c_header import c_header
from batchprop.export.c_identifier import c_identifier
from batchprop.export.formula import LANGUAGES, formula
from batchprop.files import atomic_file, network_file
from batchprop.parameters import Blocks, Parameters, split

if TYPE_CHECKING:
    from batchprop.export.onnx_file import OnnxExport


class Exportable(Parameters):
    """Parameters and the name of an activation, with a method for each way out of the library."""

    _activation: str

    # methods are sorted by name

    def formula(
        self,
        language: str,
        inputs: Sequence[str] | None = None,
        outputs: Sequence[str] | None = None,
    ) -> str:
        """Return the network as text that can be pasted: a closed expression of each output.

        Parameters
        ----------
        language : {"excel", "matlab", "python", "r"}
            The language.  "matlab" suits Octave as well.
        inputs : sequence of str or None
            What the e inputs are called: names of arguments; in Excel cells (``"B2"``), defined
            names or columns of a table (``"[@Price]"``).  None takes x1, x2, … and in Excel A2, B2,
            C2, …
        outputs : sequence of str or None
            What the s outputs are called: names of functions; in Excel headings in a line above the
            formulas.  None takes y, or y1, y2, …, and in Excel no headings.

        Returns
        -------
        str
            Excel: one formula for each output, with tabs between them, so that several are pasted
            into adjacent cells.  Python, R, MATLAB: σ and one function for each output.  Python's
            takes numbers and needs the module ``math`` alone; those of R and MATLAB take vectors as
            well.

        Raises
        ------
        TypeError, ValueError
            The language is unknown, a name is not allowed, a parameter is not finite, there are
            more than 1000 inputs or hidden units, or a formula has more than the 8192 characters
            that Excel allows.

        Notes
        -----
        Excel reads 15 digits of a number, so its formulas have as many; the others are exact.
        Formulas for Excel have English names and decimal points, as files of Excel have.

        Examples
        --------
        >>> from batchprop import Network
        >>> network = Network([[0.5, -1.0]], [0.25], [[2.0]], [3.0])
        >>> print(network.formula("excel"))
        =2*TANH(0.5*A2-1*B2+0.25)+3
        >>> print(network.formula("r", inputs=["age", "income"], outputs=["risk"]))
        sigma <- function(z) tanh(z)
        risk <- function(age, income) (
            2.0 * sigma(0.5 * age - 1.0 * income + 0.25)
            + 3.0
        )
        """
        language = validation.choice("language", language, LANGUAGES)
        return formula(self._rounded(None), self._activation, language, inputs, outputs)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to an .npz file, for ``Network.load`` or ``numpy.load``.

        Parameters
        ----------
        path : str or path-like
            The file's name, used as it is (no suffix is added).  An existing file is replaced
            atomically and keeps its permissions; if it is a symbolic link, its target is replaced.

        Raises
        ------
        TypeError, ValueError
            ``path`` is not a file name.
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
        network_file.write(path, split(self.theta, self.shape), self._activation)

    def to_c(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        dtype: npt.DTypeLike | None = None,
        jacobian: bool = True,
    ) -> None:
        """Write the network as one C header, for programs in C99 or C++11.

        Parameters
        ----------
        path : str or path-like
            The header's name, used as it is; an existing file is replaced atomically.
        name : str or None
            What the names in the header begin with: an identifier of C and C++.  None takes the
            file's name without its suffix.
        dtype : {"float32", "float64"} or None
            Arithmetic of the C code: float or double.  None is the network's dtype.
        jacobian : bool
            Whether the header has ``NAME_jacobian``.

        Raises
        ------
        TypeError, ValueError
            ``path`` is not a file name, ``name`` is not allowed in C or C++, ``dtype`` is neither,
            or a parameter is not finite or is beyond the range of float32.
        OSError
            The file cannot be written.

        Notes
        -----
        The header has ``NAME_predict(const double x[e], double y[s])`` and
        ``NAME_jacobian(const double x[e], double y[s], double dydx[s * e])``, in which
        ``dydx[e * o + j]`` is ∂y_o/∂x_j.  Both are ``static inline``, need <math.h> and nothing
        else, allocate nothing and keep no state.  Parameters are written with 17 digits (float: 9),
        which C reads as exactly the same numbers.

        Examples
        --------
        >>> from batchprop import Network
        >>> Network.initialize(2, 3, 1).to_c("net.h")
        >>> with open("net.h") as file:
        ...     functions = [line.strip() for line in file if line.startswith("static inline void")]
        >>> for function in functions:
        ...     print(function)
        static inline void net_predict(const double x[2], double y[1])
        static inline void net_jacobian(const double x[2], double y[1], double dydx[2])
        """
        file = validation.file_path("path", path)
        identifier = c_identifier(name, file)
        blocks = self._rounded(dtype)
        has_jacobian = validation.flag("jacobian", jacobian)
        text = c_header(blocks, self._activation, identifier, file, jacobian=has_jacobian)
        atomic_file.write_bytes(path, text.encode("ascii"))

    def _rounded(self, dtype: npt.DTypeLike | None) -> Blocks:
        """Return the blocks in a dtype, checked for what files of other programs do not take."""
        dtype = self.dtype if dtype is None else validation.float_dtype(dtype)
        blocks = split(self.theta, self.shape)
        for name, block in blocks._asdict().items():
            validation.finite(name, block)
            validation.in_range(name, block, dtype, "Pass dtype='float64'.")
        return split(self.theta.astype(dtype), self.shape)

    def to_onnx(
        self,
        path: str | os.PathLike[str],
        dtype: npt.DTypeLike | None = None,
        opset: int = 13,
        *,
        X: npt.ArrayLike | None = None,
    ) -> OnnxExport:
        """Write the network to an ONNX file, and measure how exact the file is.

        In the file rows are samples, as is usual in ONNX: its input "X" has the shape (N, e), its
        output "Y" the shape (N, s), for any N.

        Parameters
        ----------
        path : str or path-like
            The file's name, used as it is.  An existing file is replaced atomically.
        dtype : {"float32", "float64"} or None
            Dtype of the file's input, output and parameters; None means the network's.
        opset : int
            Version of ONNX's operator set, from 7 to 26.
        X : array_like, shape (e, N), or None
            Inputs, one sample per column, on which the file is compared with the network, for
            example those it was trained on.  None draws 1000 samples for which the hidden units
            respond: W_h x + b_h is as small as possible in their centre and varies around it with a
            standard deviation of about 2.

        Returns
        -------
        OnnxExport
            ``path``, ``dtype``, ``opset``, ``n_samples`` and ``error``: the largest difference
            between the file's predictions and the network's, in units of the standard deviation of
            the output.  ONNX's reference implementation evaluates the file, on inputs in its
            dtype; the network is evaluated in float64.

        Warns
        -----
        UserWarning
            ``error`` is above 0.001.  This is so in float32 if an input or an output has a mean far
            larger than its standard deviation.

        Raises
        ------
        ImportError
            The package onnx is not installed; the extra ``batchprop[onnx]`` provides it.
        TypeError, ValueError
            An argument is invalid, or a parameter is NaN, inf or beyond the range of ``dtype``.
        OSError
            The file cannot be written.

        Notes
        -----
        Softplus, elu and softsign consist of simpler operators, for which onnxruntime has float64
        kernels.

        Examples
        --------
        >>> from batchprop import Network
        >>> network = Network.initialize(n_inputs=3, n_hidden=5, n_outputs=1)
        >>> export = network.to_onnx("network.onnx", dtype="float32")
        >>> export.dtype, export.opset, export.error < 1e-5
        ('float32', 13, True)
        """
        from batchprop.export import onnx_file

        rounded, exact = self._rounded(dtype), split(self.theta, self.shape)
        return onnx_file.write(path, rounded, exact, self._activation, opset, X, stacklevel=2)

    def to_safetensors(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a safetensors file.

        The tensors are ``W_h`` (m, e), ``b_h`` (m,), ``W_y`` (s, m) and ``b_y`` (s,), in the
        network's dtype.  The metadata are ``activation``, ``producer`` ("batchprop") and
        ``version``.

        Parameters
        ----------
        path : str or path-like
            The file's name, used as it is.  An existing file is replaced atomically.

        Raises
        ------
        ImportError
            The package safetensors is not installed; the extra ``batchprop[safetensors]`` provides
            it.
        TypeError, ValueError
            ``path`` is not a file name, or a parameter is NaN or inf.
        OSError
            The file cannot be written.

        Examples
        --------
        >>> from safetensors.numpy import load_file
        >>> from batchprop import Network
        >>> Network.initialize(n_inputs=3, n_hidden=5, n_outputs=1).to_safetensors("n.safetensors")
        >>> load_file("n.safetensors")["W_h"].shape
        (5, 3)
        """
        from batchprop.export import safetensors_file

        safetensors_file.write(path, self._rounded(None), self._activation)

    def to_torch(self) -> Any:
        """Return the network as a module of PyTorch.

        Returns
        -------
        torch.nn.Sequential
            Linear, activation, Linear, on the CPU and in the network's dtype, with copies of the
            parameters, which can be trained on.  It takes rows as samples: (N, e) gives (N, s).

        Raises
        ------
        ImportError
            The package torch is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Network
        >>> network = Network.initialize(n_inputs=3, n_hidden=5, n_outputs=1)
        >>> X = np.zeros((3, 10))
        >>> import torch  # doctest: +SKIP
        >>> module = network.to_torch()  # doctest: +SKIP
        >>> module(torch.from_numpy(X.T)).shape  # doctest: +SKIP
        torch.Size([10, 1])
        """
        from batchprop.export.torch_module import torch_module

        return torch_module(split(self.theta, self.shape), self._activation)
