"""Calls without arguments, ours and scikit-learn's, on tables with noise and functions without.

python -m benchmarks.defaults --data FOLDER
"""
