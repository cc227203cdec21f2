"""L-BFGS: quasi-Newton directions from the last steps, and a strong Wolfe line search."""
