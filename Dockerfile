# The GitHub app. Build: docker build -t shootdown . ; run it with docker compose, see compose.yaml.
FROM node:20-bookworm-slim AS build
# A compiler, for the case that no prebuilt parser fits this platform.
RUN apt-get update && apt-get install -y --no-install-recommends g++ make python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY . .
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
# git, for pull requests that are too large for the API.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates git && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY rules ./rules
RUN mkdir /var/lib/shootdown && chown node:node /var/lib/shootdown
USER node
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 SHOOTDOWN_CLONES=/var/lib/shootdown
VOLUME /var/lib/shootdown
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node as the first process gets the signals itself.
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["bot"]
