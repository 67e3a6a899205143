import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

// `npm run dev` beside a running stack: DASHBOARD_URL is what `make status` shows, and answers /v1 and /config.json.
const stack = process.env.DASHBOARD_URL ?? "http://127.0.0.1:18080";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    sourcemap: false,
    // Charts are wanted by one page: whoever signs in or looks at a list does not wait for them.
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/v1": stack, "/config.json": stack } },
});
