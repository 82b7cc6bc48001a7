# The program as a static binary on Alpine, with a shell for CI systems that need one, and nothing that runs as root.
#   docker build -t ansalint .
#   docker run --rm -v "$PWD:/src:ro" -w /src ansalint scan
FROM rust:1-alpine AS build
RUN apk add --no-cache build-base
WORKDIR /build
COPY . .
RUN cargo build --release --locked && mkdir /out && cp target/release/ansalint /out/

FROM alpine:3
COPY --from=build /out/ansalint /usr/local/bin/ansalint
COPY LICENSE-APACHE LICENSE-MIT /usr/share/licenses/ansalint/
RUN adduser -D -u 10001 ansalint
USER ansalint
ENTRYPOINT ["ansalint"]
CMD ["--help"]
