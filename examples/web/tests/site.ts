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

/** `options` are those of the program. The links of its mails lead to the page of this site. */
export async function startSite(options: Record<string, string> = {}): Promise<Site> {
  const server = await Server.create();
  process.env.TASKHOLD_URL = server.origin; // vite.config.ts reads it.
  const web = await preview({ logLevel: 'silent', preview: { host: '127.0.0.1' } });
  const close = async () => {
    await web.close();
    await server.close();
  };
  const address = `http://127.0.0.1:${(web.httpServer.address() as AddressInfo).port}`;
  server.options = {
    RESET_URL_TEMPLATE: `${address}/link.html#reset={token}`, VERIFY_URL_TEMPLATE: `${address}/link.html#verify={token}`, ...options,
  };
  await server.run().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { server, address, close };
}
