"""Seconds until a network is trained: batchprop, scikit-learn, PyTorch and R's nnet.

    python -m benchmarks.time_to_loss

Every trainer gets the same standardised samples and the same initial network, and runs in a process
of its own.
"""
