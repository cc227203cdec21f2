"""The cases that are timed: network sizes, number of samples, activation and dtype."""

from __future__ import annotations

import argparse
from typing import NamedTuple


class Case(NamedTuple):
    """One full-batch step of an e-m-s network on N samples."""

    name: str
    e: int
    m: int
    s: int
    n_samples: int
    activation: str
    dtype: str

    @property
    def net(self) -> str:
        """The sizes as e-m-s."""
        return f"{self.e}-{self.m}-{self.s}"

    @property
    def n_parameters(self) -> int:
        return self.m * self.e + self.m + self.s * self.m + self.s

    @property
    def itemsize(self) -> int:
        return 4 if self.dtype == "float32" else 8

    @property
    def multiply_adds(self) -> int:
        """Per unit and sample: e each for W_h X and δ_h Xᵀ, s each for W_y H, W_yᵀ δ_y, δ_y Hᵀ."""
        return self.n_samples * self.m * (2 * self.e + 3 * self.s)

    @property
    def flops(self) -> int:
        """Two per multiply-add; σ and other elementwise operations are not counted."""
        return 2 * self.multiply_adds

    @property
    def n_activations(self) -> int:
        """Number of evaluations of σ."""
        return self.n_samples * self.m

    @property
    def is_small(self) -> bool:
        """Whether twenty steps in float64 NumPy take negligible time."""
        return self.n_activations <= 1_000_000


def case(
    e: int, m: int, s: int, n_samples: int, activation: str, dtype: str, name: str = ""
) -> Case:
    """Return a case; its default name is derived from its fields."""
    default_name = f"{e}-{m}-{s}/{n_samples}/{activation}/{dtype}"
    return Case(name or default_name, e, m, s, n_samples, activation, dtype)


def add_net(parser: argparse.ArgumentParser) -> None:
    """Let a command measure a network of the user's own."""
    parser.add_argument("net", type=int, nargs="*", metavar="E M S N")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")


def chosen(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    cases: list[Case],
    activation: str,
) -> list[Case]:
    """Return the case that the user gave with ``add_net``, or the command's own."""
    if len(options.net) not in (0, 4):
        parser.error(f"give e, m, s and N, or nothing; got {len(options.net)} numbers")
    return [case(*options.net, activation, options.dtype)] if options.net else cases


def by_name(cases: list[Case]) -> dict[str, Case]:
    """Return the cases by name; names must be unique."""
    result = {one.name: one for one in cases}
    if len(result) != len(cases):
        names = [one.name for one in cases]
        raise ValueError(
            f"cases of the same name: {sorted({n for n in names if names.count(n) > 1})}"
        )
    return result
