import { defineConfig, mergeConfig } from 'vitest/config';
import shared from './vitest.config.js';

/** Tests that need a browser; apart from the others, which need nothing. */
export default mergeConfig(
  { ...shared, test: { ...shared.test, include: [] } },
  defineConfig({
    test: { include: ['test/browser/**/*.browser.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
  }),
);
