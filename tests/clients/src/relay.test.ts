// The program executes the operations that Relay's compiler generates from relay/ and schema.graphql without an error.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { withServer, PASSWORD } from './server.js';

/** The text of a compiled operation. */
function compiled(name: string): string {
  const code = readFileSync(`generated/relay/${name}.graphql.ts`, 'utf8');
  const text = /"text": ("(?:[^"\\]|\\.)*")/.exec(code);
  assert.ok(text, `${name} has no text`);
  return JSON.parse(text[1]);
}

withServer('relay: the compiled queries, refetches by node and mutations are answered', {}, async server => {
  let token = '';
  const ask = async (query: string, variables: object) => {
    const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
    const response = await fetch(server.url, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    const { data, errors } = await response.json() as { data: any; errors?: unknown };
    assert.equal(errors, undefined);
    return data;
  };
  const register = 'mutation($input: RegisterInput!) { register(input: $input) { accessToken user { id } } }';
  const { accessToken, user } = (await ask(register, { input: { email: 'ann@example.com', password: PASSWORD } })).register;
  token = accessToken;
  const ids: string[] = [];
  for (const title of ['1', '2', '3']) ids.push((await ask(compiled('tasksCreateMutation'), { input: { title } })).createTask.task.id);
  const page = await ask(compiled('tasksPageQuery'), { count: 2 });
  assert.deepEqual(page.tasks.edges.map(({ node }: any) => node.title), ['3', '2']);
  const cursor = page.tasks.pageInfo.endCursor;
  const next = await ask(compiled('tasksListPaginationQuery'), { count: 2, cursor });
  assert.deepEqual(next.tasks.edges.map(({ node }: any) => node.title), ['1']);
  const ofUser = await ask(compiled('tasksOfUserPaginationQuery'), { count: 2, cursor, id: user.id });
  assert.deepEqual(ofUser.node.tasks.edges.map(({ node }: any) => node.title), ['1']);
  const row = await ask(compiled('tasksRowRefetchQuery'), { id: ids[0] });
  assert.equal(row.node.title, '1');
  assert.equal((await ask(compiled('tasksNodeQuery'), { id: user.id })).node.__typename, 'User');
  assert.equal((await ask(compiled('tasksDeleteMutation'), { id: ids[0] })).deleteTask.deletedTaskId, ids[0]);
});
