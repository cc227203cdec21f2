"""What the machine offers: processors, memory, room for a second process.

Imports nothing of the package.
"""
