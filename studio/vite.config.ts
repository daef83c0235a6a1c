import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.MODELWRIGHT_URL ?? "http://127.0.0.1:8765";

export default defineConfig({
  plugins: [react()],
  build: {
    // Built into the Python package, which serves it.
    outDir: "../src/modelwright/studio_dist",
    emptyOutDir: true,
    target: "es2023",
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { "/api": { target: server, changeOrigin: true } } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"] },
});
