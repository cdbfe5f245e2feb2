"""Getting bytes from the network: within bounds, politely, and never from inside."""
