"""Programs that do the same work in other ways.

Each is a process of its own that is told, in a JSON file named on its command line, which
addresses to ask, through which proxy, and over how many connections.
"""
