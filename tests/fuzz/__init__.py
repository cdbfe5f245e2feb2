"""Random input: by hypothesis in the default run, guided by coverage in ``make fuzz``."""
