"""What articles name: securities and keywords, by revision, and what securities are called."""
