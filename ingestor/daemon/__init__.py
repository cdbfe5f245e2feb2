"""The service: its loop, its health, its metrics, and what systemd is told."""
