# The service as an image. Build: docker build -t sallyport .
# test/tooling/docker.test.ts performs these very steps in an empty directory and starts the result.

FROM node:24.21.0-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image brings Node, so the optional node-* packages stay out. No package runs an install script (.npmrc).
RUN npm ci --omit=dev --omit=optional

FROM node:24.21.0-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY gen ./gen
COPY src ./src

# The only place that is written to: the root file system may be read-only.
RUN install -d -o 1000 -g 1000 -m 0700 /var/lib/sallyport
VOLUME /var/lib/sallyport

# Reachable from outside the container, hence it does not start without TLS (SALLYPORT_TLS_CERT_FILE, SALLYPORT_TLS_KEY_FILE) or
# SALLYPORT_ALLOW_PLAINTEXT=true.
ENV SALLYPORT_DATA_DIR=/var/lib/sallyport
ENV SALLYPORT_GRPC_ADDRESS=0.0.0.0:50051
ENV SALLYPORT_HTTP_ADDRESS=0.0.0.0:8080
ENV SALLYPORT_OPS_ADDRESS=0.0.0.0:9090
EXPOSE 50051 8080 9090

# By number, so that Kubernetes can tell that it is not root.
USER 1000:1000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["node", "bin/healthcheck.js"]
ENTRYPOINT ["node", "bin/sallyport.js"]
