"""The database: the truth of the archive and its queue. One file for each thing kept."""
