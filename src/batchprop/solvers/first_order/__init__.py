"""Gradient descent, momentum, Nesterov's momentum and Adam: their update rules and their loop."""
