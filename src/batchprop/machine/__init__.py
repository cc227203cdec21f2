"""What the machine offers: processors and memory.  Imports nothing of the package."""
