"""Measurements of speed and size: `make bench` and `make bench-growth`."""
