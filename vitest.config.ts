import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['shootdown-source'] },
  ssr: { resolve: { conditions: ['shootdown-source'] } },
  test: { include: ['test/**/*.test.ts'], testTimeout: 30_000 },
});
