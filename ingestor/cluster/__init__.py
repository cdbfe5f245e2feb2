"""Many workers on one archive in PostgreSQL: the pipeline's steps as jobs of Procrastinate.

::

    tables   | what is due, and nobody has a job for    | jobs deferred              plan
    job      | the pipeline's function for these rows   | what it writes down        jobs
    request  | a slot at its host                       | released, or expired       host_limiter
    job lost | its worker has no heartbeat any more     | back in the queue          engine
    days     | asked for by a person (--defer)          | a job for each             plan

The archive's own tables stay the queue: a job is only a claim on some of their rows. It names a
shard or batch of them, finds out itself what of it is due, and does that; so a job that is lost is
planned again, and one that is done twice changes nothing. Its lock is the part's name: nobody else
works on the same rows meanwhile.
"""
