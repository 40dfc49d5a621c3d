// The recipes of docs/clients.md against the program: each client keeps its tasks in step with the changes of another client,
// through cut connections, a restart, expired cursors and a restored backup. generated/web has code of examples/web.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { createApolloClient, follow as followWithApollo } from '../generated/web/apollo/client.js';
import { TaskListDocument } from '../generated/web/generated/graphql.js';
import { Failure } from '../generated/web/shared/failure.js';
import { createFreshen } from '../generated/web/shared/freshen.js';
import { authorizedFetch, untilAnswered } from '../generated/web/shared/request.js';
import { createSocket } from '../generated/web/shared/socket.js';
import { Api, eventually, Server } from '../generated/web/tests/server.js';
import { createUrqlClient, follow as followWithUrql } from '../generated/web/urql/client.js';
import { createMultipartClient } from './recipes/apollo-multipart.js';
import { synchronise, type Copy, type Row } from './recipes/copy.js';
import { follow as followWithGraphqlSse } from './recipes/graphql-sse.js';
import { follow as followWithGraphqlWs } from './recipes/graphql-ws.js';
import { createRelayEnvironment, follow as followWithRelay, tasks as tasksOfRelay } from './recipes/relay.js';

// Node 20 has no WebSocket of its own.
globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket;

interface Task {
  id: string;
  version: number;
}

interface Running {
  /** The tasks that the client has. */
  tasks(): Iterable<Task>;
  end(): void;
}

type Setting = ReturnType<typeof settingOf>;

/** Fails if a change comes twice. */
class Rows extends Map<string, Row> {
  override set(id: string, row: Row) {
    const known = this.get(id);
    assert.ok(!known || known.version < row.version, `version ${row.version} after ${known?.version}`);
    return super.set(id, row);
  }
}

/** What an application has: the address, a session, and what is made anew for each user. */
function settingOf(server: Server, api: Api, onError: (error: unknown) => void) {
  const url = `${server.origin}/graphql`;
  const session = { token: async () => api.token, isSignedIn: () => true, refused: async () => assert.fail('a valid token was refused') };
  const position: Copy = { tasks: new Rows() };
  const connect = () => createSocket(url.replace('http', 'ws'), session, position);
  return { url, session, position, connect, fetch: authorizedFetch(session), freshen: createFreshen(), onError };
}

/** Tests a client. `ordered` is whether it has a list and not only a set. */
function keepsInStep(name: string, ordered: boolean, run: (setting: Setting) => Running) {
  test(`${name}: follows changes through cuts, a restart, CURSOR_EXPIRED and a restored backup`, { timeout: 60_000 }, async () => {
    const server = await Server.start();
    const errors: unknown[] = [];
    let running: Running | undefined;
    try {
      const api = await Api.register(server, 'ann@example.com');
      await api.change(8);
      running = run(settingOf(server, api, error => errors.push(error)));
      const { tasks } = running;
      const inStep = () => eventually(15_000, async () => {
        const rows = (all: Iterable<Task>) => Array.from(all, ({ id, version }) => `${id} ${version}`);
        const expected = rows((await api.ask('{ tasks(first: 100) { nodes { id version } } }')).tasks.nodes);
        const found = rows(tasks());
        assert.deepEqual(ordered ? found : found.sort(), ordered ? expected : expected.sort());
      });
      await inStep();
      const changing = api.change(40, 25);
      for (let cuts = 0; cuts < 5; cuts += 1) {
        await new Promise(done => setTimeout(done, 200));
        server.proxy.cut();
      }
      await changing;
      await inStep();
      await server.stop();
      await server.run();
      await api.change(16);
      await inStep();
      await server.command('resync');
      await api.change(8);
      await inStep();
      // After a backup was restored, the client knows more than the server.
      await server.stop();
      await server.copyDatabase('to backup');
      await server.run();
      await api.rename(await api.idOf('Added'), 'Lost with the restored backup');
      await api.add('Lost, too');
      await inStep();
      await server.stop();
      await server.copyDatabase('from backup');
      await server.command('resync');
      await server.run();
      await inStep();
      assert.deepEqual(errors, []);
    } finally {
      running?.end();
      await server.close();
    }
  });
}

/** Reads everything since the cursor, as soon as the server answers. */
const reader = ({ url, session, position }: Setting) => () => untilAnswered(() => false, async () => {
  const token = await session.token();
  await synchronise(url, token, position).catch(() => { throw Failure.of(null); });
});

keepsInStep('graphql-ws', false, setting => {
  const socket = setting.connect();
  const end = followWithGraphqlWs(socket, setting.position, reader(setting), setting.onError);
  return { tasks: () => setting.position.tasks.values(), end };
});

keepsInStep('graphql-sse', false, setting => {
  const end = followWithGraphqlSse(setting.url, setting.session, setting.position, reader(setting), setting.onError);
  return { tasks: () => setting.position.tasks.values(), end };
});

keepsInStep('copy', false, ({ url, session, position }) => {
  let timer: NodeJS.Timeout;
  const repeat = async () => {
    await synchronise(url, await session.token(), position).catch(() => {});
    timer = setTimeout(repeat, 200);
  };
  void repeat();
  return { tasks: () => position.tasks.values(), end: () => clearTimeout(timer) };
});

const shown = (data: { tasks: { edges: { node: Task & { deletedAt: string | null } }[] } } | null | undefined) =>
  (data?.tasks.edges ?? []).map(({ node }) => node).filter(({ deletedAt }) => deletedAt === null);

for (const transport of ['WebSocket', 'multipart'] as const) {
  keepsInStep(transport === 'WebSocket' ? 'apollo' : 'apollo-multipart', true, setting => {
    const client = transport === 'WebSocket'
      ? createApolloClient({ ...setting, socket: setting.connect() })
      : createMultipartClient(setting.url, setting.session, setting.freshen);
    const end = followWithApollo(client, setting, setting.onError);
    return { tasks: () => shown(client.readQuery({ query: TaskListDocument, variables: { first: 20 } })), end };
  });
}

keepsInStep('urql', true, setting => {
  const client = createUrqlClient({ ...setting, socket: setting.connect() });
  const end = followWithUrql(client, setting, setting.onError);
  return { tasks: () => shown(client.readQuery(TaskListDocument, { first: 20 })?.data), end };
});

keepsInStep('relay', true, setting => {
  const environment = createRelayEnvironment({ ...setting, socket: setting.connect() });
  const end = followWithRelay(environment, setting.position, setting.freshen, setting.onError);
  return { tasks: () => tasksOfRelay(environment), end };
});
