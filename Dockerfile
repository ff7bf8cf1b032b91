# The image that `make image` builds without Docker, for those who build with it:
#
#   docker build --build-arg VERSION=$(git describe --tags --always) --build-arg COMMIT=$(git rev-parse HEAD) \
#     --build-arg DATE=$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ) -t sluice .
#
# A test in tools/image compares this file with what `make image` makes.

FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS=linux
ARG TARGETARCH=amd64
ARG VERSION=devel
ARG COMMIT=
ARG DATE=
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
      -ldflags "-s -w -buildid= -X main.version=$VERSION -X main.commit=$COMMIT -X main.date=$DATE" \
      -o /out/usr/local/bin/consumer ./cmd/consumer
# The clouds are reached over TLS: the authorities to trust. No shell, no package manager, no time zones (all is UTC).
RUN mkdir -p /out/etc/ssl/certs /out/tmp /own/var/lib/sluice \
 && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ca-certificates.crt \
 && echo 'nonroot:x:65532:65532:nonroot:/var/lib/sluice:/sbin/nologin' > /out/etc/passwd \
 && echo 'nonroot:x:65532:' > /out/etc/group \
 && chmod 1777 /out/tmp && chmod 0750 /own/var/lib/sluice

FROM scratch
ARG VERSION=devel
ARG COMMIT=
ARG DATE=
COPY --from=build /out/ /
COPY --from=build --chown=65532:65532 /own/var/lib/ /var/lib/
LABEL org.opencontainers.image.title="sluice" \
      org.opencontainers.image.description="Carries out commands for managed Redis instances on several clouds, once, in time and inside the quota" \
      org.opencontainers.image.source="https://github.com/seed-7b870224/sluice" \
      org.opencontainers.image.documentation="https://github.com/seed-7b870224/sluice/blob/main/README.md" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.created="$DATE"
ENV PATH=/usr/local/bin
WORKDIR /var/lib/sluice
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/consumer"]
