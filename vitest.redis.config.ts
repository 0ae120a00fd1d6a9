import { defineConfig, mergeConfig } from 'vitest/config';
import shared from './vitest.config.js';

/** Tests that need redis-server; apart from the others, which need nothing. */
export default mergeConfig(
  { ...shared, test: { ...shared.test, include: [] } },
  defineConfig({ test: { include: ['test/bot/**/*.redis.ts'], testTimeout: 60_000, hookTimeout: 120_000 } }),
);
