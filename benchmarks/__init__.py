"""How fast the program is, beside others that do the same work in the same run.

``make bench`` runs all of it and writes ``docs/performance.md``; ``make bench-quick`` prints one
JSON line of ratios. A figure alone says more about the machine than about the program: what
counts is the ratio to a contender that was measured side by side with it.
"""
