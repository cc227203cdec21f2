"""The four solvers written down again from their papers, on a tanh network, in NumPy."""

from __future__ import annotations

import numpy as np

from batchprop.parameters import split


def loss_and_gradient(theta, shape, X, T, weight=None):
    """L and ∂L/∂θ of a tanh network in float64."""
    W_h, b_h, W_y, b_y = split(theta, shape)
    share = np.full(X.shape[1], 1.0) if weight is None else weight
    share = share / share.sum()
    H = np.tanh(W_h @ X + b_h[:, None])
    R = W_y @ H + b_y[:, None] - T
    dY = 2 * share * R
    dZ = (1 - H**2) * (W_y.T @ dY)
    blocks = dZ @ X.T, dZ.sum(axis=1), dY @ H.T, dY.sum(axis=1)
    return float((share * R**2).sum()), np.concatenate([block.ravel() for block in blocks])


def gd(theta, gradient_at, steps, rate):
    for _ in range(steps):
        theta = theta - rate * gradient_at(theta)
        yield theta


def momentum(theta, gradient_at, steps, rate, mu=0.9):
    """Polyak (1964)."""
    velocity = np.zeros_like(theta)
    for _ in range(steps):
        velocity = mu * velocity - rate * gradient_at(theta)
        theta = theta + velocity
        yield theta


def nesterov(theta, gradient_at, steps, rate, mu=0.9):
    """Sutskever et al. (2013), equations 3 and 4, where the gradient is taken at θ + μ v.

    What a trainer holds is that point ahead, at which it evaluates.
    """
    velocity = np.zeros_like(theta)
    behind = theta
    for _ in range(steps):
        velocity = mu * velocity - rate * gradient_at(behind + mu * velocity)
        behind = behind + velocity
        yield behind + mu * velocity


def adam(theta, gradient_at, steps, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """Kingma and Ba (2015), algorithm 1."""
    mean, square = np.zeros_like(theta), np.zeros_like(theta)
    for t in range(1, steps + 1):
        g = gradient_at(theta)
        mean = beta_1 * mean + (1 - beta_1) * g
        square = beta_2 * square + (1 - beta_2) * g**2
        mean_hat, square_hat = mean / (1 - beta_1**t), square / (1 - beta_2**t)
        theta = theta - rate * mean_hat / (np.sqrt(square_hat) + epsilon)
        yield theta


REFERENCES = {"gd": gd, "momentum": momentum, "nesterov": nesterov, "adam": adam}
