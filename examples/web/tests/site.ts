// The built pages, on a web server that passes /graphql on to a server.
import type { AddressInfo } from 'node:net';
import { preview } from 'vite';
import { Server } from './server.js';

export interface Site {
  server: Server;
  /** The address of the pages. */
  address: string;
  close(): Promise<void>;
}

/** `options` are those of the program. */
export async function startSite(options: Record<string, string> = {}): Promise<Site> {
  const server = await Server.start(options);
  process.env.TASKHOLD_URL = server.origin; // vite.config.ts reads it.
  const web = await preview({ logLevel: 'silent', preview: { host: '127.0.0.1' } });
  const close = async () => {
    await web.close();
    await server.close();
  };
  return { server, address: `http://127.0.0.1:${(web.httpServer.address() as AddressInfo).port}`, close };
}
