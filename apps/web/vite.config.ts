import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** No data: addresses and no inline scripts, so that the served policy can stay strict. */
export default defineConfig({
  root: `${import.meta.dirname}/client`,
  publicDir: `${import.meta.dirname}/client/public`,
  plugins: [react()],
  build: {
    outDir: `${import.meta.dirname}/dist`,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    chunkSizeWarningLimit: 1_000,
  },
  clearScreen: false,
});
