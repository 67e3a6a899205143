import { defineConfig } from "vitest/config";

// One browser, one stack: files run one after another, and what they do to the stack is seen by the next.
export default defineConfig({
  test: {
    environment: "node",
    include: ["e2e/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
