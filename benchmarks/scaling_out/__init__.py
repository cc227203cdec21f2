"""What a training step costs on many machines: order of sums, bytes, the driver's work.

python -m benchmarks.scaling_out
"""
