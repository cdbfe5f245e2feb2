"""What the Makefile runs that is no test, and the made-up world that tests, tools and benchmarks share."""
