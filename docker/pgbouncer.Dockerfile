# syntax=docker/dockerfile:1.7
# PgBouncer from Debian 13 (1.24). Before 1.21 it runs other clients' statements in transaction mode, so the build refuses
# one that is older.
FROM debian:trixie-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Without versions: Debian takes the one before away with each security fix, and a pinned one could not be built again.
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install --yes --no-install-recommends pgbouncer postgresql-client && \
    rm -rf /var/lib/apt/lists/* && \
    dpkg --compare-versions "$(dpkg-query --show --showformat='${Version}' pgbouncer)" ge 1.21
USER 65532:65532
EXPOSE 6432
ENTRYPOINT ["pgbouncer", "/etc/pgbouncer/pgbouncer.ini"]
