# syntax=docker/dockerfile:1.7
# Builds and packs `notifier`. From the repository's root: docker build -f docker/notifier.Dockerfile -t tinko/notifier .
# The four Dockerfiles are one text but for the service's name, description and ports; scripts/check-compose says so
# when they drift apart.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
RUN cargo install --locked --root /usr/local cargo-cyclonedx@0.5.9
COPY Cargo.toml Cargo.lock ./
COPY bench bench
COPY crates crates
COPY docker/pack docker/pack
COPY migrations migrations
COPY proto proto
COPY services services
# The caches are shared by the four builds, so that what they have in common is compiled once. They are no part of the
# image, which is why what it holds is copied out in the same step.
RUN --mount=type=cache,id=tinko-cargo-registry,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,id=tinko-target,target=/src/target,sharing=locked \
    docker/pack notifier /out

# The base has time zones, certificate authorities and a user that isn't root; no shell, no package manager and no C library,
# of which docker/pack brings what the program asks for. Debian 12 as above, since that decides where libraries are looked for.
FROM gcr.io/distroless/static-debian12:nonroot AS service
LABEL org.opencontainers.image.title="notifier" \
      org.opencontainers.image.description="Sends messages and partner webhooks of Tinko" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/ /
USER 65532:65532
EXPOSE 9090
ENTRYPOINT ["/usr/local/bin/notifier"]

# For docker-compose.yml, whose health checks run inside the container: the same, and one static `wget`.
FROM service AS local
COPY --from=busybox:1.37.0-musl /bin/busybox /usr/local/bin/wget

# What a build without --target gives.
FROM service
