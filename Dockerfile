# syntax=docker/dockerfile:1
# One binary on a base without a shell. The build runs on the builder's own platform and compiles
# for the target's, so that a build for arm64 needs no emulation.

FROM --platform=$BUILDPLATFORM node:22-bookworm-slim AS build
ARG TARGETARCH
ARG WATCHLLM_BUILD_COMMIT=""
ARG DENO_VERSION=2.9.6
WORKDIR /build
# Dependencies first: they change less often than the code.
COPY deno.json deno.lock ./
RUN npx --yes deno@${DENO_VERSION} install --frozen
COPY . .
RUN case "${TARGETARCH:-$(dpkg --print-architecture)}" in \
      amd64) target=linux-x64 ;; \
      arm64) target=linux-arm64 ;; \
      *) echo "No build for ${TARGETARCH}." >&2; exit 1 ;; \
    esac \
 && npx --yes deno@${DENO_VERSION} task build --target="$target" --outfile=/out/watchllm \
 && mkdir /out/data

# glibc 2.36, libstdc++ and libgcc, which DuckDB's library needs; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG WATCHLLM_BUILD_COMMIT=""
ARG WATCHLLM_VERSION=""
LABEL org.opencontainers.image.title="WatchLLM" \
      org.opencontainers.image.description="Self-hosted observability for AI programs" \
      org.opencontainers.image.version="${WATCHLLM_VERSION}" \
      org.opencontainers.image.revision="${WATCHLLM_BUILD_COMMIT}"
COPY --from=build /out/watchllm /watchllm
# A new volume takes the owner of the folder that it covers.
COPY --from=build --chown=65532:65532 /out/data /data
ENV WATCHLLM_LISTEN=0.0.0.0:4318 \
    WATCHLLM_DATA_DIR=/data
WORKDIR /data
USER 65532:65532
VOLUME /data
EXPOSE 4318
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/watchllm", "healthcheck"]
ENTRYPOINT ["/watchllm"]
