"""What the site needs beyond Sphinx: links out of docs/, links in docstrings, notebooks as pages."""
