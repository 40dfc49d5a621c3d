# The image contains only the static program: no shell, no packages, no other files with possible
# vulnerabilities. `.ci/image` executes these steps on a machine without Docker.

# The version equals rust-version in Cargo.toml.
FROM rust:1.94-slim-bookworm AS build
# SQLite and the cryptography of TLS are written in C. `dist/build` needs the others.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends musl-tools postgresql python3 wrk \
    && rm -rf /var/lib/apt/lists/* \
    && rustup component add llvm-tools \
    && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY benches benches
COPY crates crates
COPY dist dist
COPY migration migration
COPY src src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    dist/build --target "$(uname -m)-unknown-linux-musl" \
    && install -D "target/$(uname -m)-unknown-linux-musl/dist/taskhold" /image/taskhold \
    && install -d -m 700 /image/data

FROM scratch
LABEL org.opencontainers.image.title="taskhold" \
      org.opencontainers.image.description="A GraphQL API service for tasks: register, log in, and own your tasks." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /image/taskhold /taskhold
COPY --from=build --chown=65532:65532 /image/data /data
ENV HOST=0.0.0.0 DATA_DIR=/data
USER 65532:65532
# The image has no /tmp, so SQLite writes its temporary files here.
WORKDIR /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/taskhold", "healthcheck"]
ENTRYPOINT ["/taskhold"]
