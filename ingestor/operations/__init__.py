"""How the daemon is, for those who run it: systemd, health, metrics, feeds that went quiet."""
