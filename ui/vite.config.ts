import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/",
  plugins: [react()],
  // The server refuses pages of other origins: it is to see the host that the page was loaded from.
  server: { proxy: { "/api": { target: "http://127.0.0.1:4100", changeOrigin: false } } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: "mantine", test: /node_modules\/(@mantine|@floating-ui)\// },
            { name: "tanstack", test: /node_modules\/@tanstack\// },
            {
              name: "plot",
              test: /node_modules\/(@observablehq|d3|d3-[a-z-]+|isoformat|interval-tree-1d|binary-search-bounds)\//,
            },
          ],
        },
      },
    },
  },
});
