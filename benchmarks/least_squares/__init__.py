"""Least-squares methods in NumPy on small problems: damping rules and variable projection."""
