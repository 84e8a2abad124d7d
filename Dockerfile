# The same `builder build` in a container, for Google Cloud Build and for whoever prefers one. The digest does not depend on
# this file: compiler, linker and C library come from the lock, not from this base.
FROM rust:1.95-bookworm AS programs
RUN apt-get update && apt-get install -y --no-install-recommends gpgv
WORKDIR /countersign
COPY . .
RUN cargo build --locked --release --package builder

# Run with: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --cap-add SYS_ADMIN \
#             -v "$PWD:/source:ro" -v "$PWD/out:/out" IMAGE build /source/workload -o /out/layout
FROM programs
ENTRYPOINT ["/countersign/target/release/builder"]
CMD ["build", "workload", "-o", "/out/layout"]
