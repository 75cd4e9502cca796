# geepack's geeglm, from arrays in memory; the same answer as harness.py. Arguments: folder task repeats
arguments <- commandArgs(TRUE)
folder <- arguments[1]; repeats <- as.integer(arguments[3])
suppressPackageStartupMessages(library(geepack))
memory <- function(field) {
  line <- grep(field, readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) * 1024
}
before <- memory("VmRSS")
shape <- scan(text = gsub("[^0-9,]", "", paste(readLines(file.path(folder, "shape.json"), warn = FALSE), collapse = "")),
              sep = ",", quiet = TRUE)
n <- shape[1]; p <- shape[2]
x <- matrix(readBin(file.path(folder, "x.f64"), "double", n * p), n, p)
colnames(x) <- paste0("x", seq_len(p) - 1)
data <- data.frame(x, y = readBin(file.path(folder, "y.f64"), "double", n),
                   hosp = readBin(file.path(folder, "hosp.i32"), "integer", n))
rm(x)
formula <- as.formula(paste("y ~", paste0("x", seq_len(p) - 1, collapse = " + ")))
# geeglm wants the rows of a cluster together.
fit <- function() {
  sorted <- data[order(data$hosp), ]
  geeglm(formula, binomial, sorted, id = hosp, corstr = "exchangeable")
}
seconds <- c()
for (number in 0:repeats) {
  taken <- system.time(model <- fit())[["elapsed"]]
  seconds <- c(seconds, taken)
  if (taken > 30) break
}
peak <- memory("VmHWM") - before
table <- summary(model)$coefficients
list_of <- function(values) paste0("[", paste(format(values, digits = 17, trim = TRUE), collapse = ", "), "]")
timed <- if (length(seconds) > 1) seconds[-1] else seconds
cat(sprintf(paste0('{"first_seconds": %s, "seconds": %s, "peak_bytes": %.0f, "log_likelihood": NaN, "beta": %s, ',
                   '"sd": {"correlation": %.17g}, "errors": %s, "note": ""}\n'),
            format(seconds[1]), list_of(timed), peak, list_of(coef(model)), summary(model)$corr[1, 1],
            list_of(table[, 2])))
