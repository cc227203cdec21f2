"""What every network can be turned into: ``Network`` inherits these methods."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from batchprop.files import network_file
from batchprop.parameters import Parameters, split

if TYPE_CHECKING:
    from batchprop.export.onnx_file import OnnxExport


class Exportable(Parameters):
    """Parameters and the name of an activation, with a method for each way out of the library."""

    _activation: str

    # methods are sorted by name

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
            An argument is invalid, or a parameter is beyond the range of ``dtype``.
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

        blocks = split(self.theta, self.shape)
        return onnx_file.write(path, blocks, self._activation, dtype, opset, X, stacklevel=2)

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
            ``path`` is not a file name.
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

        safetensors_file.write(path, split(self.theta, self.shape), self._activation)

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
            The package torch is not installed; the extra ``batchprop[torch]`` provides it.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Network
        >>> network = Network.initialize(n_inputs=3, n_hidden=5, n_outputs=1)
        >>> X = np.zeros((3, 10))
        >>> module = network.to_torch()  # doctest: +SKIP
        >>> Y = module(torch.from_numpy(X.T)).T  # doctest: +SKIP
        """
        from batchprop.export.torch_module import torch_module

        return torch_module(split(self.theta, self.shape), self._activation)
