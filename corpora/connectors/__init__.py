"""One module a source: reading (I/O) gives raw records, parsing (pure) gives records of `corpora.model`."""
