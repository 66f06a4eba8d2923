"""A day of failed payments, played against a model of the charts' autoscalers. Run through scripts/check-scaling.

    python -m scaling            unit tests, promises, and whether docs/scaling.md has what the simulation prints
    python -m scaling --write    writes the tables and pictures of docs/scaling.md anew

Seconds and cores throughout, where a name says nothing else. Nothing is random, so that two runs print the same.
"""
