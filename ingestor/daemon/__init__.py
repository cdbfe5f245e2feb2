"""The daemon: the pipeline's steps on a schedule, and what others are told of how it is."""
