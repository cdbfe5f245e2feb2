"""What runs and workers leave in the database for one another."""
