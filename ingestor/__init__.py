"""ingestor: polls Sina Finance feeds and keeps every article, with its history, for good."""

__version__ = "0.1.0"
