"""Where a program's processor time goes, in all its threads and processes.

This folder on PYTHONPATH makes each Python process of a program, the pool's too, sample itself.
"""
