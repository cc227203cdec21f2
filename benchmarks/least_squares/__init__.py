"""Least-squares methods in NumPy on small problems: which damping, and does projection pay?"""
