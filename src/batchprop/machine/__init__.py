"""What the machine has to give: processors and memory.  Imports nothing of the package."""
