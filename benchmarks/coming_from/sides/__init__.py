"""One script for each other tool; none imports batchprop."""
