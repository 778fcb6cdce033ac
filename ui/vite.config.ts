import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/",
  plugins: [react()],
  server: { proxy: { "/api": "http://127.0.0.1:4100" } },
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
