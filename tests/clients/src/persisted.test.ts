// Automatic persisted queries, as Apollo Client and urql use them: the hash first, the text once, then the hash alone.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { CreateTaskDocument, RegisterDocument, ServerInfoDocument, TasksDocument } from '../generated/graphql.js';
import { PASSWORD, withServer, type Exchange, type Server } from './server.js';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const UNKNOWN = { code: 'PERSISTED_QUERY_NOT_FOUND', message: 'PersistedQueryNotFound' };

/** Whether the text or only the hash was sent, the status, and the first error of the response. */
function seen({ method, url, body, status, answer }: Exchange) {
  const sent = method === 'GET' ? Object.fromEntries(new URL(url).searchParams) : JSON.parse(body);
  const extensions = typeof sent.extensions === 'string' ? JSON.parse(sent.extensions) : sent.extensions;
  assert.equal(extensions?.persistedQuery?.version, 1);
  assert.match(extensions.persistedQuery.sha256Hash, /^[0-9a-f]{64}$/);
  const error = JSON.parse(answer).errors?.[0];
  return [method, sent.query ? 'text and hash' : 'hash', status, error ? { code: error.extensions.code, message: error.message } : 'data'];
}

function apollo(server: Server, get: boolean, headers: Record<string, string> = {}) {
  return new ApolloClient({
    link: ApolloLink.from([
      new PersistedQueryLink({ sha256, useGETForHashedQueries: get }),
      new HttpLink({ uri: server.url, headers }),
    ]),
    cache: new InMemoryCache(),
  });
}

function urql(server: Server, get: boolean) {
  return new Client({
    url: server.url,
    preferGetMethod: false,
    exchanges: [persistedExchange({ preferGetForPersistedQueries: get }), fetchExchange],
  });
}

for (const get of [false, true]) {
  const method = get ? 'GET' : 'POST';

  withServer(`persisted: Apollo, the hash by ${method} is unknown once, then it is enough for everybody`, {}, async server => {
    const first = await apollo(server, get).query({ query: ServerInfoDocument });
    assert.ok(first.data?.serverInfo.version);
    const second = await apollo(server, get).query({ query: ServerInfoDocument });
    assert.deepEqual(second.data, first.data);
    assert.deepEqual(server.exchanges.map(seen), [
      [method, 'hash', 200, UNKNOWN], ['POST', 'text and hash', 200, 'data'], [method, 'hash', 200, 'data'],
    ]);
  });

  withServer(`persisted: urql, the hash by ${method} is unknown once, then it is enough for everybody`, {}, async server => {
    const first = await urql(server, get).query(ServerInfoDocument, {});
    assert.ok(first.data?.serverInfo.version, String(first.error));
    const second = await urql(server, get).query(ServerInfoDocument, {});
    assert.deepEqual(second.data, first.data);
    assert.deepEqual(server.exchanges.map(seen).map(([, ...rest]) => rest), [
      ['hash', 200, UNKNOWN], ['text and hash', 200, 'data'], ['hash', 200, 'data'],
    ]);
    assert.equal(server.exchanges[2].method, method);
  });
}

withServer('persisted: a document that one user made known gives another nothing but their own', {}, async server => {
  const signUp = async (email: string) => {
    const { data } = await apollo(server, false).mutate({ mutation: RegisterDocument, variables: { input: { email, password: PASSWORD } } });
    assert.ok(data?.register);
    const { accessToken } = JSON.parse(server.exchanges.at(-1)?.answer ?? '').data.register;
    return apollo(server, true, { authorization: `Bearer ${accessToken}` });
  };
  const ann = await signUp('ann@example.com');
  const bob = await signUp('bob@example.com');
  await ann.mutate({ mutation: CreateTaskDocument, variables: { input: { title: 'Of Ann' } } });
  assert.equal((await ann.query({ query: TasksDocument, variables: { first: 3 } })).data?.tasks.totalCount, 1);
  assert.equal((await bob.query({ query: TasksDocument, variables: { first: 3 } })).data?.tasks.totalCount, 0);
  assert.equal(seen(server.exchanges.at(-1)!)[1], 'hash');
  await assert.rejects(apollo(server, true).query({ query: TasksDocument, variables: { first: 3 } }), { message: 'Authentication required' });
});

withServer('persisted: a text under the hash of another one is refused and not kept', {}, async server => {
  const ask = async (query: string | undefined, hash: string) => {
    const body = JSON.stringify({ query, extensions: { persistedQuery: { version: 1, sha256Hash: hash } } });
    const response = await fetch(server.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return await response.json() as { data?: unknown; errors?: { message: string; extensions: { code: string } }[] };
  };
  const hash = sha256('{ serverInfo { version } }');
  const refused = await ask('{ serverInfo { registrationOpen } }', hash);
  assert.equal(refused.data, undefined);
  assert.equal(refused.errors?.length, 1);
  const after = await ask(undefined, hash);
  assert.deepEqual(after.errors?.map(({ message, extensions }) => ({ code: extensions.code, message })), [UNKNOWN]);
});
