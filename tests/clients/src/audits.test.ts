// The audits of graphql-http, which check a server against the GraphQL over HTTP specification.
import assert from 'node:assert/strict';
import { serverAudits } from 'graphql-http';
import { withServer } from './server.js';

withServer('audits: 61 of 61 audits of GraphQL over HTTP are ok, without a warning', {}, async (server, context) => {
  let ok = 0;
  const others: unknown[] = [];
  for (const audit of serverAudits({ url: server.url, fetchFn: fetch })) {
    const result = await audit.fn();
    if (result.status === 'ok') ok += 1;
    else others.push({ id: audit.id, name: audit.name, status: result.status, reason: result.reason, exchange: server.exchanges.at(-1) });
  }
  context.diagnostic(`${ok} audits are ok`);
  assert.deepEqual(others, []);
  assert.equal(ok, 61);
});
