"""What is waited for, and what is done with each hit: a webhook, a command, or a feed.

::

    revisions | behind the watch's cursor   | one that is meant: a hit     hits
    hit       | send, within its time       | taken, or not                actions, webhook, atom
    cursor    | behind the hit; or when it is tried again | one transaction deliveries

A hit counts as delivered once its receiver has taken it and the cursor is committed behind it: a
kill in between brings it once more, under the same key. Of a watch there is one delivery at a time,
in the order of the revisions.
"""
