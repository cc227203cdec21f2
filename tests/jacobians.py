"""The Jacobian of a network's outputs by complex steps: the forward pass and nothing else."""

from __future__ import annotations

import numpy as np

from batchprop.parameters import Blocks, split

STEP = 1e-30  # no subtraction follows, so that nothing cancels

# σ of a complex z, continued from the real side that z is on
SIGMA = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.where(z.real > 0, z, 0),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "elu": lambda z: np.where(z.real > 0, z, np.exp(z) - 1),
    "softsign": lambda z: z / (1 + np.where(z.real > 0, z, -z)),
}


def outputs(theta, shape, activation, X):
    """Return Y (s, N) for a complex θ."""
    W_h, b_h, W_y, b_y = split(theta, shape)
    H = SIGMA[activation](W_h @ X + b_h[:, np.newaxis])
    return W_y @ H + b_y[:, np.newaxis]


def jacobian(network, X):
    """Return ∂y_o/∂θ_p of each sample, (P, s, N), in float64."""
    theta, X = network.theta.astype(np.complex128), X.astype(np.float64)
    rows = []
    for p in range(theta.size):
        moved = theta.copy()
        moved[p] += 1j * STEP
        rows.append(outputs(moved, network.shape, network.activation, X).imag / STEP)
    return np.array(rows)


def expected(data):
    """Return L, ∂L/∂θ and the mean of JᵀJ of a problem, by their definitions."""
    net, X, T, weight = data
    w = np.ones(X.shape[1]) if weight is None else weight
    J = jacobian(net, X)
    R = outputs(net.theta.astype(np.complex128), net.shape, net.activation, X.astype(float)).real
    R = R - T
    loss = np.einsum("oi,oi,i->", R, R, w) / w.sum()
    gradient = 2 * np.einsum("poi,oi,i->p", J, R, w) / w.sum()
    weighted = (J * w).reshape(net.theta.size, -1)
    return loss, gradient, weighted @ J.reshape(net.theta.size, -1).T / w.sum()


def block_errors(JTJ, reference, shape):
    """Return (row block, column block) -> relative error; a zero block has to be zero."""
    places = split(np.arange(shape.n_parameters), shape)
    found = {}
    for name, rows in zip(Blocks._fields, places, strict=True):
        for other, columns in zip(Blocks._fields, places, strict=True):
            part = np.ix_(rows.ravel(), columns.ravel())
            size = np.linalg.norm(reference[part])
            error = np.linalg.norm(JTJ[part] - reference[part])
            found[name, other] = float(error / size) if size else float(error)
    return found
