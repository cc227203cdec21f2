"""Seconds until a network is trained: ours beside scikit-learn, PyTorch and R's nnet.

    python -m benchmarks.time_to_loss

Every trainer gets the same standardised samples and the same network to start from, and has a
process of its own.
"""
