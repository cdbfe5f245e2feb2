"""The archive in a web browser: Datasette over the live file, with pages of our own.

Needs the extra ``[browse]``; imported when it is asked for.
"""
