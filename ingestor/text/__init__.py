"""Text by strangers, and what can be said of it. Pure."""
