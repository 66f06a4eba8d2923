"""Checks of the Helm charts and, in `compose`, of docker-compose.yml and what it names.

`python -m chart_checks` is run by scripts/check-charts, `python -m chart_checks.compose` by scripts/check-compose.
"""
