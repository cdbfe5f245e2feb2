"""The archive's files: projections of the database that can be made again at any time."""
