"""WARC/1.1 files (ISO 28500:2017): written, read back, and recovered after a crash."""
