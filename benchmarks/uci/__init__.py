"""The published benchmark of one-hidden-layer regression on UCI tables.

python -m benchmarks.uci --data FOLDER
"""
