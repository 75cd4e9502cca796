"""The patterns of all sentences, a module a page; `profiling.reporting.sentences.catalogue` puts them together."""
