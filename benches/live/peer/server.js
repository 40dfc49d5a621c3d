// A WebSocket server on LISTEN and NOTIFY, as it is often written by hand, with few means and fast. It tells the
// sockets of a user each changed row. It keeps no order: a change that is committed late has an earlier
// `updated_at` than changes that a client may have read. It has no resumption, no sessions that end, no limits,
// no protection from slow clients, and a row of more than 8,000 bytes cannot be changed.
//
//     ws   /?token=…                          first {"ready":true}, then each changed row
//     POST /tasks/ID?token=…  {"title":"…"}   changes a row
//     GET  /changes?token=…&after=CURSOR      the next 100 rows in the order of their last changes

import { createServer } from 'node:http';
import pg from 'pg';
import { WebSocketServer } from 'ws';

const KEEPALIVE_MS = 20_000;
const PAGE_SIZE = 100;

const connectionString = process.env.DATABASE_URL;
const pool = new pg.Pool({ connectionString, max: 10 });
const sockets = new Map();

async function ownerOf(url) {
  const { rows } = await pool.query({
    name: 'owner',
    text: 'SELECT owner_id FROM peer_tokens WHERE token = $1',
    values: [url.searchParams.get('token')],
  });
  return rows[0]?.owner_id;
}

/** Changes a row and announces it in the same transaction. */
async function change(owner, id, title) {
  const { rows } = await pool.query({
    name: 'change',
    text: `WITH changed AS (
             UPDATE peer_tasks SET title = $3, version = version + 1, updated_at = clock_timestamp()
             WHERE id = $2 AND owner_id = $1 RETURNING id, owner_id, title, status, version, updated_at)
           SELECT id, version, pg_notify('changes', row_to_json(changed)::text) FROM changed`,
    values: [owner, id, title],
  });
  return rows[0] && { id: rows[0].id, version: rows[0].version };
}

async function page(owner, after) {
  const [time, id] = after ? after.split('_') : ['-infinity', '00000000-0000-0000-0000-000000000000'];
  const { rows } = await pool.query({
    name: 'page',
    text: `SELECT id, title, status, version, updated_at::text AS updated_at FROM peer_tasks
           WHERE owner_id = $1 AND (updated_at, id) > ($2, $3) ORDER BY updated_at, id LIMIT $4`,
    values: [owner, time, id, PAGE_SIZE + 1],
  });
  const hasMore = rows.length > PAGE_SIZE;
  const changes = rows.slice(0, PAGE_SIZE);
  const last = changes.at(-1);
  return { changes, cursor: last ? `${last.updated_at}_${last.id}` : after, hasMore };
}

async function respond(request) {
  const url = new URL(request.url, 'http://peer');
  const owner = await ownerOf(url);
  if (!owner) return [401, { error: 'Unauthorized' }];
  if (request.method === 'GET') return [200, await page(owner, url.searchParams.get('after'))];
  let body = '';
  for await (const chunk of request) body += chunk;
  const changed = await change(owner, url.pathname.slice('/tasks/'.length), JSON.parse(body).title);
  return changed ? [200, changed] : [404, { error: 'Not found' }];
}

const server = createServer(async (request, response) => {
  const [status, value] = await respond(request).catch((error) => [500, { error: error.message }]);
  const body = JSON.stringify(value);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
});

const webSockets = new WebSocketServer({ noServer: true });
server.on('upgrade', async (request, connection, head) => {
  const owner = await ownerOf(new URL(request.url, 'http://peer')).catch(() => undefined);
  if (!owner) return connection.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
  webSockets.handleUpgrade(request, connection, head, (socket) => {
    const ofOwner = sockets.get(owner) ?? new Set();
    sockets.set(owner, ofOwner.add(socket));
    socket.on('close', () => ofOwner.delete(socket));
    socket.on('error', () => socket.terminate());
    socket.send('{"ready":true}');
  });
});
setInterval(() => webSockets.clients.forEach((socket) => socket.ping()), KEEPALIVE_MS);

const listener = new pg.Client({ connectionString });
await listener.connect();
listener.on('notification', ({ payload }) => {
  for (const socket of sockets.get(JSON.parse(payload).owner_id) ?? []) socket.send(payload);
});
await listener.query('LISTEN changes');
server.listen({ port: 0, host: '127.0.0.1', backlog: 1024 }, () => console.log(`127.0.0.1:${server.address().port}`));
