"""Page templates, one file each; a new one is found by its file alone."""
