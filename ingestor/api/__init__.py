"""The archive from Python: what :func:`ingestor.open` gives, and the records it answers with."""
