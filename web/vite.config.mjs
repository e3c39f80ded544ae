import { defineConfig } from 'vite';

// The hub is served by Weft itself; in development Vite serves it and passes the API on.
const weft = process.env.WEFT_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  esbuild: { jsx: 'automatic' },
  server: { host: '127.0.0.1', proxy: { '/api': { target: weft } } },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: false,
    // Inlined data: URLs would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ['src/**/*_test.ts'], reporters: ['default', './dev/closing_total.mjs'] },
});
