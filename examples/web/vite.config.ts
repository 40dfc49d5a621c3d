// The page with each client, and the page for the links of mails. The server that answers /graphql is TASKHOLD_URL; its WebSockets pass through here too.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The Host header stays as the browser sent it. The server then sees a page of its own origin and needs no CORS option.
const proxy = {
  '/graphql': { target: process.env.TASKHOLD_URL ?? 'http://127.0.0.1:8000', ws: true, changeOrigin: false },
};

export default defineConfig({
  plugins: [react()],
  build: { rollupOptions: { input: ['index.html', 'urql.html', 'link.html'] } },
  server: { proxy },
  preview: { proxy },
});
