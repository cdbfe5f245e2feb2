"""Full text: what is asked, what an index holds, which articles answer, and in which order."""
