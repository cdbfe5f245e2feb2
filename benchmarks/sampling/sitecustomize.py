"""Imported by every Python process whose PYTHONPATH names this folder (see ``site``)."""

import os

from benchmarks.sampling.sampler import FOLDER, Sampler

if FOLDER in os.environ:
    Sampler.start_here(os.environ[FOLDER])
