"""What the site needs beyond Sphinx: links, docstrings, headings, and notebooks as pages."""
