"""What an operator needs: verify, backup, systemd, health, metrics."""
