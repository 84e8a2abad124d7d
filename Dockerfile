# Runs `builder build` in a container, for Google Cloud Build and other container hosts. The image digest does not depend on
# this file: compiler, linker and C library come from the lock, not from this base.
#
# The sandbox needs namespaces and its own /proc, which containers do not have by default:
#   docker build -t builder . && mkdir -p target && docker run --rm --cap-add SYS_ADMIN \
#     --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
#     -v "$PWD:/source:ro" -v "$PWD/target:/out" builder build /source/workload -o /out/layout
# (podman takes the same options).
FROM rust:1.95.0-bookworm
# The base image's toolchain. With rust-toolchain.toml, rustup would also fetch clippy and rustfmt, which are not needed here.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN apt-get update && apt-get install -y --no-install-recommends gpgv
# The mounted source belongs to another user, and git would refuse it. The container has no other user to protect against, and
# the builder runs no git command that lets a source run a program (docs/decisions/0003-host-programs.md).
RUN git config --system --add safe.directory '*'
WORKDIR /countersign
COPY . .
RUN cargo build --locked --release --package builder && install target/release/builder /usr/local/bin/
ENTRYPOINT ["builder"]
