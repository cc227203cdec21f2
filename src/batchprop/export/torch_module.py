"""The network as a module of PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.export.optional_package import optional_package
from batchprop.parameters import Blocks

Array = npt.NDArray[Any]

# From this z on, torch's Softplus returns z itself.  Its default, 20, is wrong by 2e-9, which
# float64 resolves.  At 40 the error is 4e-18; float32's exp would overflow from 89 on.
_SOFTPLUS_THRESHOLD = 40.0


def torch_module(blocks: Blocks, activation: str) -> Any:
    """Return Sequential(Linear, σ, Linear) with copies of the parameters.

    Parameters
    ----------
    blocks : Blocks
        The network's parameters; the module gets their dtype.
    activation : str
        Name of the activation.
    """
    torch = optional_package("torch", "network.to_torch", "torch")
    hidden = _linear(torch, blocks.W_h, blocks.b_h)
    output = _linear(torch, blocks.W_y, blocks.b_y)
    return torch.nn.Sequential(hidden, _ACTIVATIONS[activation](torch.nn), output)


def _linear(torch: Any, W: Array, b: Array) -> Any:
    """Return a layer with these parameters; it draws none, so torch's random state is kept."""
    n_outputs, n_inputs = W.shape
    dtype = getattr(torch, W.dtype.name)
    layer = torch.nn.utils.skip_init(torch.nn.Linear, n_inputs, n_outputs, dtype=dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.array(W)))
        layer.bias.copy_(torch.from_numpy(np.array(b)))
    return layer


_ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda nn: nn.Identity(),
    "logistic": lambda nn: nn.Sigmoid(),
    "tanh": lambda nn: nn.Tanh(),
    "relu": lambda nn: nn.ReLU(),
    "softplus": lambda nn: nn.Softplus(beta=1.0, threshold=_SOFTPLUS_THRESHOLD),
    "elu": lambda nn: nn.ELU(alpha=1.0),
    "softsign": lambda nn: nn.Softsign(),
}
