"""The R side of a script in R: base R only, so that nothing has to be installed."""

DRIVER = r"""
local({
  options(keep.source = TRUE, warn = 1, encoding = "UTF-8")
  args <- commandArgs(trailingOnly = TRUE)
  script <- args[1]
  seed <- args[2]

  read_texts <- function(con) {
    n <- readBin(con, "integer", 1L)
    if (n == 0L) return(character(0))
    lengths <- readBin(con, "integer", n)
    texts <- readChar(con, pmax(lengths, 0L), useBytes = TRUE)
    Encoding(texts) <- "UTF-8"
    texts[lengths < 0L] <- NA_character_
    texts
  }

  write_texts <- function(texts, con) {
    texts <- enc2utf8(texts)
    lengths <- nchar(texts, type = "bytes")
    lengths[is.na(texts)] <- -1L
    writeBin(length(texts), con)
    if (length(texts)) writeBin(as.integer(lengths), con)
    texts[is.na(texts)] <- ""
    # A call for each text would be slow, one for all takes what lies between them for ends.
    writeBin(charToRaw(paste(texts, collapse = "")), con)
  }

  read_table <- function(path) {
    con <- file(path, "rb")
    on.exit(close(con))
    rows <- readBin(con, "integer", 1L)
    names <- read_texts(con)
    columns <- lapply(names, function(name) {
      switch(readBin(con, "integer", 1L),
        readBin(con, "double", rows),
        readBin(con, "integer", rows),
        as.logical(readBin(con, "integer", rows)),
        read_texts(con),
        factor(read_texts(con)),
        as.POSIXct(readBin(con, "double", rows), origin = "1970-01-01", tz = "UTC"))
    })
    names(columns) <- names
    structure(columns, class = "data.frame", row.names = .set_row_names(rows))
  }

  write_table <- function(table, path, what) {
    fail <- function(...) stop(structure(
      class = c("modelwright_result", "error", "condition"),
      list(message = paste0(...), call = NULL)))
    if (!is.data.frame(table)) fail(what, " is of class ", class(table)[1], ", not a data frame")
    names <- names(table)
    if (anyDuplicated(names)) fail(what, " has two columns called \"", names[anyDuplicated(names)], "\"")
    con <- file(path, "wb")
    on.exit(close(con))
    writeBin(nrow(table), con)
    write_texts(as.character(names), con)
    for (name in names) {
      column <- table[[name]]
      if (is.factor(column)) {
        writeBin(5L, con); write_texts(as.character(column), con)
      } else if (inherits(column, "POSIXt") || inherits(column, "Date")) {
        # Broken-down times know their own zone, which a given one would take the place of.
        moments <- if (inherits(column, "POSIXlt")) as.POSIXct(column) else as.POSIXct(column, tz = "UTC")
        writeBin(6L, con); writeBin(as.double(moments), con)
      } else if (is.null(dim(column)) && is.logical(column)) {
        writeBin(3L, con); writeBin(as.integer(column), con)
      } else if (is.null(dim(column)) && is.integer(column)) {
        writeBin(2L, con); writeBin(as.integer(column), con)
      } else if (is.numeric(column) && length(column) == nrow(table)) {
        writeBin(1L, con); writeBin(as.double(column), con)
      } else if (is.character(column) && length(column) == nrow(table)) {
        writeBin(4L, con); write_texts(as.character(column), con)
      } else {
        fail(what, " has a column \"", name, "\" of class ", class(column)[1],
             ", which is no table column")
      }
    }
  }

  # The line of the script that was at work, innermost first.
  at_work <- function(calls) {
    for (call in rev(calls)) {
      ref <- attr(call, "srcref")
      if (!is.null(ref)) {
        file <- attr(ref, "srcfile")$filename
        if (!is.null(file) && basename(file) == "script.R") return(as.integer(ref)[1])
      }
    }
    0L
  }

  tell <- function(kind, line, text, folder) {
    con <- file(file.path(folder, "failed"), "wb")
    on.exit(close(con))
    write_texts(c(kind, as.character(line), text), con)
  }

  attempt <- function(work, folder) {
    tryCatch(
      withCallingHandlers({ work(); TRUE }, error = function(e) {
        if (!inherits(e, "modelwright_result")) {
          calls <- sys.calls()
          line <- at_work(calls)
          message("Error", if (line) paste0(" in line ", line), ": ", conditionMessage(e))
          tell("error", line, conditionMessage(e), folder)
        } else if (conditionMessage(e) != "TOLD") {
          tell("result", 0L, conditionMessage(e), folder)
        }
      }),
      error = function(e) FALSE)
  }

  first <- args[3]
  ready <- attempt(function() {
    if (nchar(seed)) set.seed(as.integer(seed))
    parsed <- tryCatch(parse(script, keep.source = TRUE, encoding = "UTF-8"), error = function(e) {
      stop(structure(class = c("modelwright_result", "error", "condition"),
                     list(message = paste0("PARSE:", conditionMessage(e)), call = NULL)))
    })
    refs <- attr(parsed, "srcref")
    for (i in seq_along(parsed)) withCallingHandlers(
      eval(parsed[[i]], globalenv()),
      error = function(e) {
        if (!inherits(e, "modelwright_result") && !file.exists(file.path(first, "failed"))) {
          line <- at_work(sys.calls())
          if (!line) line <- as.integer(refs[[i]])[1]
          message("Error in line ", line, ": ", conditionMessage(e))
          tell("error", line, conditionMessage(e), first)
          stop(structure(class = c("modelwright_result", "error", "condition"),
                         list(message = "TOLD", call = NULL)))
        }
      })
    if (!is.function(globalenv()$azureml_main)) stop(structure(
      class = c("modelwright_result", "error", "condition"),
      list(message = "it defines no function \"azureml_main\"", call = NULL)))
  }, first)

  mark <- function(text) { flush(stdout()); cat("\n", text, "\n", sep = ""); flush(stdout()) }
  jobs <- file("stdin", "rt", encoding = "UTF-8")
  mark(args[4])
  while (ready && length(job <- readLines(jobs, 1L, encoding = "UTF-8"))) {
    parts <- strsplit(job, "\t", fixed = TRUE)[[1]]
    folder <- parts[1]
    plots <- parts[3] == "plots"
    if (plots) options(device = function(...) png(
      file.path(folder, "plot-%02d.png"), width = 800, height = 600,
      type = if (capabilities("cairo")) "cairo" else getOption("bitmapType")))
    attempt(function() {
      given <- lapply(c("dataset1", "dataset2"), function(name) {
        path <- file.path(folder, name)
        if (file.exists(path)) read_table(path)
      })
      result <- globalenv()$azureml_main(given[[1]], given[[2]])
      if (is.data.frame(result)) result <- list(dataset1 = result)
      if (!is.list(result) || is.null(result$dataset1)) stop(structure(
        class = c("modelwright_result", "error", "condition"),
        list(message = "azureml_main returns no list with the element dataset1", call = NULL)))
      write_table(result$dataset1, file.path(folder, "result1"), "dataset1")
      if (!is.null(result$dataset2))
        write_table(result$dataset2, file.path(folder, "result2"), "dataset2")
    }, folder)
    if (plots) while (dev.cur() > 1L) dev.off()
    mark(parts[2])
  }
})
"""
