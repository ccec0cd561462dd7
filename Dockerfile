# The gateway with the embedded provider: functions run as processes inside this container.
FROM docker.io/library/node:26-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
# Without optional packages: they are a Node.js that the image has already, and compilers that a gateway has no use for.
RUN npm run build && npm prune --ignore-scripts --omit=dev --omit=optional

FROM docker.io/library/node:26-bookworm-slim
# What the languages of your functions need besides Node.js and a shell.
ARG PACKAGES="python3"
RUN if [ -n "$PACKAGES" ]; then \
      apt-get update && apt-get install -y --no-install-recommends $PACKAGES && rm -rf /var/lib/apt/lists/*; \
    fi
WORKDIR /opt/sluice
COPY --from=build /src/package.json ./
COPY --from=build /src/bin bin
COPY --from=build /src/dist dist
COPY --from=build /src/templates templates
COPY --from=build /src/node_modules node_modules
# Credentials are mounted into a folder that functions may not enter: they run as other users than the gateway.
RUN ln -s /opt/sluice/bin/sluice.js /usr/local/bin/sluice && install -d -m 0700 /var/lib/sluice /run/credentials
ENV SLUICE_HOST=0.0.0.0 SLUICE_DATA_DIR=/var/lib/sluice
EXPOSE 8080 8082
VOLUME /var/lib/sluice
ENTRYPOINT ["sluice"]
CMD ["gateway"]
