# lme4's glmer or glmmTMB, from arrays in memory; the same answer as harness.py. Arguments: folder task repeats software
arguments <- commandArgs(TRUE)
folder <- arguments[1]; task <- arguments[2]; repeats <- as.integer(arguments[3]); software <- arguments[4]
suppressPackageStartupMessages(library(software, character.only = TRUE))
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
                   hosp = factor(readBin(file.path(folder, "hosp.i32"), "integer", n)),
                   phys = factor(readBin(file.path(folder, "phys.i32"), "integer", n)))
random <- if (task == "one") "(1 | hosp)" else "(1 | hosp) + (1 | phys)"
formula <- as.formula(paste("y ~", paste(colnames(x), collapse = " + "), "+", random))
fit <- function() {
  if (software == "lme4") return(glmer(formula, data, binomial))
  glmmTMB(formula, data, binomial, control = glmmTMBControl(parallel = as.integer(Sys.getenv("OMP_NUM_THREADS"))))
}
seconds <- c()
for (number in 0:repeats) {
  taken <- system.time({ model <- fit(); vcov(model) })[["elapsed"]]
  seconds <- c(seconds, taken)
  if (taken > 30) break
}
peak <- memory("VmHWM") - before
components <- if (software == "lme4") VarCorr(model) else VarCorr(model)$cond
beta <- if (software == "lme4") fixef(model) else fixef(model)$cond
sd <- sapply(components, function(one) sqrt(one[1, 1]))
list_of <- function(values) paste0("[", paste(format(values, digits = 17, trim = TRUE), collapse = ", "), "]")
timed <- if (length(seconds) > 1) seconds[-1] else seconds
cat(sprintf('{"first_seconds": %s, "seconds": %s, "peak_bytes": %.0f, "log_likelihood": %.10f, "beta": %s, "sd": {%s}, "note": ""}\n',
            format(seconds[1]), list_of(timed), peak, as.numeric(logLik(model)), list_of(beta),
            paste(sprintf('"%s": %.17g', names(sd), sd), collapse = ", ")))
