"""Looking after an archive: verify, backup, export, copy."""
