# The same `builder build` in a container, for Google Cloud Build and for whoever prefers one. The digest does not depend on
# this file: compiler, linker and C library come from the lock, not from this base.
#
# The sandbox needs namespaces and a /proc of its own, which containers are denied unless they ask:
#   docker build -t builder . && mkdir -p target && docker run --rm --cap-add SYS_ADMIN \
#     --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
#     -v "$PWD:/source:ro" -v "$PWD/target:/out" builder build /source/workload -o /out/layout
# (podman takes the same).
FROM rust:1.95.0-bookworm
# The image's own toolchain: rust-toolchain.toml also wants clippy and rustfmt, which rustup would fetch to compile nothing.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN apt-get update && apt-get install -y --no-install-recommends gpgv
# The source is a mount of another user's, which git would not read. There is no other user in here whom that protects from,
# and the builder asks git nothing that a source could answer with a program (docs/decisions/0003-host-programs.md).
RUN git config --system --add safe.directory '*'
WORKDIR /countersign
COPY . .
RUN cargo build --locked --release --package builder && install target/release/builder /usr/local/bin/
ENTRYPOINT ["builder"]
