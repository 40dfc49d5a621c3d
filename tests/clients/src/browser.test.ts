// CORS preflight requests that a browser sends for the requests of Apollo Client and urql from another origin.
import assert from 'node:assert/strict';
import { ServerInfoDocument } from '../generated/graphql.js';
import { apolloClient } from './apollo-app.js';
import { urqlClient } from './urql-app.js';
import { withServer } from './server.js';

const ORIGIN = 'http://localhost:5173';

withServer('browser: an app on another origin may send what Apollo Client and urql send', { CORS_ORIGINS: ORIGIN }, async server => {
  const real = { token: 'not.a.token', access: 'not.a.token', refresh: null, signedOut() {} };
  await apolloClient(server.url, real).query({ query: ServerInfoDocument });
  await urqlClient(server.url, real, undefined).query(ServerInfoDocument, {});
  assert.deepEqual(server.exchanges.map(({ method, status }) => [method, status]), [['GET', 200], ['GET', 200]]);
  for (const { url, headers } of [...server.exchanges]) {
    const named = Object.keys(headers).concat('content-type', 'apollo-require-preflight').sort();
    for (const method of ['GET', 'POST']) {
      const response = await fetch(url, {
        method: 'OPTIONS',
        headers: { origin: ORIGIN, 'access-control-request-method': method, 'access-control-request-headers': named.join(',') },
      });
      const list = (name: string) => (response.headers.get(name) ?? '').toLowerCase().split(/\s*,\s*/);
      assert.ok(response.ok, `${response.status}`);
      assert.equal(response.headers.get('access-control-allow-origin'), ORIGIN);
      assert.ok(list('access-control-allow-methods').includes(method.toLowerCase()));
      for (const header of named) assert.ok(list('access-control-allow-headers').includes(header), header);
    }
  }
});
