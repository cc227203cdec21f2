# nnet, told what to do line by line by r_nnet.py.  Arguments: folder e m s N
arguments <- commandArgs(TRUE)
folder <- arguments[1]
sizes <- as.integer(arguments[-1])
e <- sizes[1]; m <- sizes[2]; s <- sizes[3]; n <- sizes[4]
slurp <- function(name, count) readBin(file.path(folder, name), "double", count)
X <- matrix(slurp("X", n * e), n, e, byrow = TRUE)
targets <- matrix(slurp("T", n * s), n, s, byrow = TRUE)
n_parameters <- m * e + m + s * m + s

# theta is W_h, b_h, W_y, b_y, each row by row; nnet has each unit's bias before its weights
to_nnet <- function(theta) {
  W_h <- matrix(theta[seq_len(m * e)], m, e, byrow = TRUE)
  b_h <- theta[m * e + seq_len(m)]
  W_y <- matrix(theta[m * e + m + seq_len(s * m)], s, m, byrow = TRUE)
  b_y <- theta[m * e + m + s * m + seq_len(s)]
  c(t(cbind(b_h, W_h)), t(cbind(b_y, W_y)))
}
from_nnet <- function(weights) {
  hidden <- matrix(weights[seq_len(m * (e + 1))], m, e + 1, byrow = TRUE)
  output <- matrix(weights[-seq_len(m * (e + 1))], s, m + 1, byrow = TRUE)
  c(t(hidden[, -1]), hidden[, 1], t(output[, -1]), output[, 1])
}
fit <- function(theta, iterations) {
  nnet::nnet(X, targets, size = m, linout = TRUE, Wts = to_nnet(theta), maxit = iterations,
             trace = FALSE, MaxNWts = n_parameters, abstol = 0, reltol = 0)
}

# The first iteration goes some way down the gradient; how far, the known derivative by b_y tells.
gradient <- function(theta) {
  before <- fit(theta, 0)
  move <- theta - from_nnet(fit(theta, 1)$wts)
  by_b_y <- 2 * (sum(before$fitted.values[, 1]) - sum(targets[, 1])) / n
  list(loss = before$value / n, blocks = move * by_b_y / move[m * e + m + s * m + 1])
}

say <- function(...) { cat(..., "\n"); flush(stdout()) }
theta <- NULL
console <- file("stdin", "r")
while (length(line <- readLines(console, 1)) == 1) {
  words <- strsplit(line, " ")[[1]]
  if (length(words) == 0) {
    say(if (requireNamespace("nnet", quietly = TRUE)) "nnet" else "none")
  } else if (words[1] == "load") {
    theta <- slurp("theta", n_parameters)
    say("loaded")
  } else if (words[1] == "save") {
    writeBin(theta, file.path(folder, "theta"))
    say("saved")
  } else if (words[1] == "descend") {
    for (k in seq_len(as.integer(words[2]))) {
      found <- gradient(theta)
      theta <- theta - as.double(words[3]) * found$blocks
    }
    say(sprintf("%.17g", found$loss))
  } else if (words[1] == "time") {
    say(system.time(fit(theta, as.integer(words[2])))[["elapsed"]])
  }
}
