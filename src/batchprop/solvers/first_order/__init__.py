"""Gradient descent, momentum, Nesterov's momentum and Adam: the rules, and the loop of all four."""
