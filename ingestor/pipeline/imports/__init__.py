"""Taking over what others archived: front-matter files (``posts``), and WARC files (``warc``)."""
