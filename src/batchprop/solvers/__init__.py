"""Solvers: how θ moves along the gradient, and when to stop."""
