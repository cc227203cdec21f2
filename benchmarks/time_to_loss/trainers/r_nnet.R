# Train with nnet.  Arguments: folder e m s N iterations seconds
# Writes theta to the folder and says how long the last fit took: each is a whole one from the
# start, with more iterations than the one before, until it ends by itself or the time is used.
arguments <- commandArgs(TRUE)
folder <- arguments[1]
sizes <- as.integer(arguments[2:6])
e <- sizes[1]; m <- sizes[2]; s <- sizes[3]; n <- sizes[4]; most <- sizes[5]
seconds <- as.double(arguments[7])
slurp <- function(name, count) readBin(file.path(folder, name), "double", count)
X <- matrix(slurp("X", n * e), n, e, byrow = TRUE)
targets <- matrix(slurp("T", n * s), n, s, byrow = TRUE)
n_parameters <- m * e + m + s * m + s
start <- slurp("theta", n_parameters)

# theta is W_h, b_h, W_y, b_y, each row by row; nnet has each unit's bias before its weights
to_nnet <- function(theta) {
  W_h <- matrix(theta[seq_len(m * e)], m, e, byrow = TRUE)
  W_y <- matrix(theta[m * e + m + seq_len(s * m)], s, m, byrow = TRUE)
  b_y <- theta[m * e + m + s * m + seq_len(s)]
  c(t(cbind(theta[m * e + seq_len(m)], W_h)), t(cbind(b_y, W_y)))
}
from_nnet <- function(weights) {
  hidden <- matrix(weights[seq_len(m * (e + 1))], m, e + 1, byrow = TRUE)
  output <- matrix(weights[-seq_len(m * (e + 1))], s, m + 1, byrow = TRUE)
  c(t(hidden[, -1]), hidden[, 1], t(output[, -1]), output[, 1])
}
fit <- function(iterations) {
  nnet::nnet(X, targets, size = m, linout = TRUE, Wts = to_nnet(start), maxit = iterations,
             trace = FALSE, MaxNWts = n_parameters)
}

if (!requireNamespace("nnet", quietly = TRUE)) quit(status = 3)
iterations <- min(5, most)
repeat {
  took <- max(system.time(found <- fit(iterations))[["elapsed"]], 1e-3)
  if (found$convergence == 0 || iterations >= most || took > 0.6 * seconds) break
  # the first calls take long for what they do: go on until the time is used
  iterations <- as.integer(min(most, 20 * iterations, max(iterations + 1, 0.9 * iterations * seconds / took)))
}
writeBin(from_nnet(found$wts), file.path(folder, "theta"))
cat(sprintf("%.17g %d\n", took, found$convergence))
