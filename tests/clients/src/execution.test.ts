// Compares the program with graphql-js, the reference implementation, on the same schema and data: it must return the
// same data with the same order of keys and the same error paths, and refuse the same documents.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import {
  type GraphQLFieldResolver, GraphQLError, GraphQLObjectType, GraphQLScalarType, buildSchema, defaultFieldResolver,
  execute, getNamedType, getOperationAST, isLeafType, parse, specifiedRules, validate,
} from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { PASSWORD, type Server, withServer } from './server.js';

type Thing = Record<string, unknown> & { id: string; __typename: string };
type World = { me: Thing; tasks: Thing[] };
type Answer = { data?: Record<string, unknown> | null; errors?: { path?: unknown; message: string; extensions: { code: string } }[] };

const schema = buildSchema(await readFile('../../schema.graphql', 'utf8'));
const dates: Record<string, RegExp> = { DateTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/i, Date: /^\d{4}-\d\d-\d\d$/ };
for (const [name, form] of Object.entries(dates)) {
  const scalar = schema.getType(name) as GraphQLScalarType;
  scalar.parseValue = value => {
    if (typeof value !== 'string' || !form.test(value)) throw new GraphQLError(`no ${name}`);
    return value;
  };
  scalar.parseLiteral = node => scalar.parseValue('value' in node && node.kind === 'StringValue' ? node.value : undefined);
}

async function ask(server: Server, token: string, body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(server.url, { method: 'POST', headers, body: JSON.stringify(body) });
  server.exchanges.length = 0;
  return await response.json() as Answer;
}

/** All leaf fields of a type that need no arguments. */
function leaves(type: string): string {
  const fields = Object.values((schema.getType(type) as GraphQLObjectType).getFields());
  return fields.filter(field => isLeafType(getNamedType(field.type)) && field.args.every(each => each.defaultValue !== undefined || each.type.toString().at(-1) !== '!')).map(field => field.name).join(' ');
}

const connection = (world: World, { first, after }: { first?: number; after?: string }) => {
  if (after !== undefined || (first ?? 20) < 1 || (first ?? 20) > 100) throw new GraphQLError('no such page');
  const nodes = world.tasks.slice(0, first ?? 20);
  return { nodes, edges: nodes.map(node => ({ node })), totalCount: world.tasks.length, pageInfo: { hasNextPage: world.tasks.length > nodes.length, hasPreviousPage: false } };
};

const resolver: GraphQLFieldResolver<unknown, World> = (source, args, world, info) => {
  const find = (id: string) => [world.me, ...world.tasks].find(thing => thing.id === id);
  switch (`${info.parentType.name}.${info.fieldName}`) {
    case 'Query.me': case 'Task.owner': return world.me;
    case 'Query.tasks': case 'User.tasks': return connection(world, args);
    case 'Query.task': {
      const task = find(args.id);
      if (task?.__typename !== 'Task') throw new GraphQLError('no such task');
      return task;
    }
    case 'Query.node': return find(args.id) ?? null;
    case 'Query.nodes': return args.ids.map((id: string) => find(id) ?? null);
    case 'Task.checklist': return (source as { checklist: { section: string }[] }).checklist.filter(item => args.section == null || item.section === args.section);
    default: return defaultFieldResolver(source, args, world, info);
  }
};

/** A user with three tasks, and a task of another user. */
async function meet(server: Server) {
  const register = async (name: string) => {
    const input = { email: `${name}@example.com`, password: PASSWORD };
    const { data } = await ask(server, '', { query: 'mutation($input: RegisterInput!) { register(input: $input) { accessToken } }', variables: { input } });
    return (data?.register as { accessToken: string }).accessToken;
  };
  const create = async (token: string, input: object) => {
    const { data, errors } = await ask(server, token, { query: 'mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } } }', variables: { input } });
    assert.equal(errors, undefined);
    return (data?.createTask as { task: { id: string } }).task.id;
  };
  const [token, other] = [await register('ann'), await register('bob')];
  const foreign = await create(other, { title: 'not hers' });
  await create(token, { title: 'first', labels: ['a', 'b'], dueAt: '2027-01-01T00:00:00Z' });
  await create(token, { title: 'second', checklist: [{ section: 'ACTION', text: 'one', children: [{ section: 'ACTION', text: 'two', done: true }] }, { section: 'IN_SCOPE', text: 'three' }] });
  await create(token, { title: 'third', description: 'text', risks: [{ description: 'rain', likelihood: 'LOW', impact: 'HIGH' }], files: [{ path: 'src/a.rs', kind: 'CREATED' }] });
  const item = leaves('ChecklistItem');
  const { data, errors } = await ask(server, token, { query: `{
    me { __typename ${leaves('User')} }
    tasks { nodes { __typename ${leaves('Task')} progress { ${leaves('Progress')} } checklist { ${item} children { ${item} } } risks { ${leaves('Risk')} } files { ${leaves('FileChange')} } } } }` });
  assert.ok(data, JSON.stringify(errors));
  return { token, foreign, world: { me: data.me, tasks: (data.tasks as { nodes: unknown }).nodes } as World };
}

const OPERATIONS = [
  '{ me { id name } }', '{ b: me { id } a: me { name } __typename }', '{ me { x: id y: id id } }',
  '{ me { id } me { name id } }', '{ tasks { nodes { id } } tasks { totalCount nodes { title } } }',
  '{ task(id: $foreign) { id } me { id } }', '{ me { id } task(id: $foreign) { id } }', '{ a: task(id: $foreign) { id } b: task(id: "x") { id } me { name } }',
  '{ a: task(id: $foreign) { id } a: task(id: $foreign) { title } }', '{ a: task(id: $task) { id } a: task(id: $task) { title labels } }',
  '{ me { id tasks(first: 0) { totalCount } name } }', '{ me { tasks(first: 0) { totalCount } } me { id } }', '{ me { a: tasks(first: 0) { totalCount } b: tasks(first: 101) { totalCount } } tasks { totalCount } }',
  '{ tasks { nodes { id owner { id tasks(first: 0) { totalCount } } } } }', '{ tasks { totalCount nodes { owner { tasks(first: 0) { totalCount } } } } me { id } }',
  '{ tasks(first: 2) { edges { node { id owner { x: tasks(first: -1) { totalCount } } } } } }', '{ task(id: $task) { title owner { tasks(first: 0) { totalCount } } } }',
  '{ a: task(id: $task) { owner { tasks(first: 0) { totalCount } } } b: task(id: $task) { owner { tasks(first: 1) { totalCount } } } }',
  '{ node(id: $task) { id ... on Task { title owner { tasks(first: 0) { nodes { id } } } } } }', '{ nodes(ids: [$task, $foreign, $me, "x"]) { id __typename } }',
  '{ nodes(ids: [$task, $me]) { ... on Task { x: title owner { id } } ... on User { x: email tasks(first: 0) { totalCount } } } }',
  '{ nodes(ids: [$me, $task]) { __typename ... on User { tasks(first: 1) { nodes { title } } } } }',
  '{ tasks { nodes { title checklist { text children { text done } } risks { description likelihood mitigation } files { path kind } progress { done total percent } } } }',
  '{ tasks { nodes { checklist(section: ACTION) { section text } } pageInfo { hasNextPage hasPreviousPage } } }', '{ tasks(first: 1) { nodes { labels dueAt description objective } pageInfo { hasNextPage } } }',
  '{ ...A ...B } fragment A on Query { me { id } } fragment B on Query { me { name ...C } tasks { totalCount } } fragment C on User { email }',
  '{ me { ...A id } } fragment A on User { name ... on Node { id } ... @skip(if: true) { email } }', '{ me { id @skip(if: true) name @include(if: false) email } }',
  '{ me { __typename @skip(if: true) id } }', '{ me @skip(if: true) { id } }', '{ ... on Query { b: __typename } a: __typename }', '{ me @include(if: true) @skip(if: false) { id } serverInfo @skip(if: true) { version } }',
  '{ tasks { ...A } } fragment A on TaskConnection { nodes { ...B id } totalCount } fragment B on Task { title id version }',
  '{ tasks(after: "nonsense") { totalCount } me { id } }', '{ task(id: $task) { owner { x: tasks(first: 0) { totalCount } } } me { id y: tasks(first: 1) { totalCount } } }',
];

withServer('execution: graphql-js gives the same data, order of keys and places of errors', { LIMIT_QUERY_COMPLEXITY: '100000' }, async (server, context) => {
  const { token, foreign, world } = await meet(server);
  const ids: Record<string, string> = { foreign, me: world.me.id, task: world.tasks[1].id };
  for (const operation of OPERATIONS) {
    const query = operation.replace(/\$(foreign|me|task)\b/g, (_, name) => JSON.stringify(ids[name]));
    const document = parse(query);
    assert.deepEqual(validate(schema, document), [], query);
    const expected = await execute({ schema, document, contextValue: world, fieldResolver: resolver, typeResolver: thing => (thing as Thing).__typename });
    const given = await ask(server, token, { query });
    assert.equal(JSON.stringify(given.data), JSON.stringify(expected.data), query);
    assert.deepEqual(given.errors?.map(error => error.path), expected.errors?.map(error => error.path), query);
  }
  context.diagnostic(`${OPERATIONS.length} operations`);
});

/** Marsaglia's xorshift, so that all runs are equal; DOCUMENTS and SEED set the number of documents and the seed. */
function random(seed: number) {
  return (below: number) => {
    seed ^= seed << 13; seed ^= seed >>> 17; seed ^= seed << 5;
    return (seed >>> 0) % below;
  };
}

const TOKENS = /"""(?:\\"""|[^])*?"""|"(?:\\.|[^"\\\n])*"|\.\.\.|[_A-Za-z][_0-9A-Za-z]*|-?\d+(?:\.\d+)?|[{}()[\]:!$@=|&]/g;
const SPARE = ['{', '}', '(', ')', '[', ']', ':', '!', '$', '@', '...', '...', 'on', 'null', 'true', '1', '-1', '0', '1.5', '"x"', '""', '""" a \\""" b"""', '"\\u{41}"', 'id', 'title', 'nodes', 'Task', 'User', 'Query', 'Node', 'first', 'input', 'PENDING', '@skip(if: true)', '@include(if: $x)', 'x: ', '__typename', 'fragment', 'query', 'mutation', '... on Task { id }', '{ id }', '[]', '{}', '$x'];

/** The kind of a token. */
const kind = (token: string) => /^[_A-Za-z]/.test(token) ? 'name' : /^["\d-]/.test(token) ? 'value' : token;

/** Makes one change: removes a token, replaces it, or repeats a part of the document. */
function mangle(tokens: string[], pick: (below: number) => number) {
  const at = pick(tokens.length);
  const alike = [...tokens, ...SPARE].filter(token => kind(token) === kind(tokens[at]) || token === 'null');
  switch (pick(6)) {
    case 0: tokens.splice(at, 1); break;
    case 1: tokens.splice(at, 0, SPARE[pick(SPARE.length)]); break;
    case 2: case 3: tokens.splice(at, 1, alike[pick(alike.length)]); break;
    default: {
      let [end, open] = [at, 0];
      do open += { '{': 1, '(': 1, '[': 1, '}': -1, ')': -1, ']': -1 }[tokens[end++]] ?? 0;
      while (end < tokens.length && (open > 0 || ['(', '{', ':', '@', '...'].includes(tokens[end]) || ['@', '...', ':', '$'].includes(tokens[end - 1])));
      tokens.splice(pick(2) ? end : at, 0, ...tokens.slice(at, end));
    }
  }
}

withServer('execution: graphql-js takes and refuses the same mangled documents', { LIMIT_CREDENTIALS_PER_MINUTE: '0', LIMIT_LOGIN_FAILURES: '0', LIMIT_QUERY_ALIASES: '1000', LIMIT_ROOT_FIELDS: '1000', LIMIT_QUERY_COMPLEXITY: '1000000' }, async (server, context) => {
  const documents = OPERATIONS.map(operation => operation.replace(/\$(foreign|me|task)\b/g, '"x"'));
  documents.push(
    'query Q($first: Int = 5, $x: Boolean!, $filter: TaskFilter, $ids: [ID!]) { tasks(first: $first, filter: $filter) { nodes { id @include(if: $x) } } nodes(ids: ["x"]) { id } }',
    'mutation M($input: CreateTaskInput!, $id: ID!) { createTask(input: $input) { task { id } } b: updateTask(id: $id, input: { title: "x", labels: ["a"], dueAt: "2027-01-01T00:00:00Z" }) { task { version } } }',
    'mutation { createTask(input: { title: "x", checklist: [{ section: ACTION, text: "a" }], risks: [{ description: "b", likelihood: LOW }], date: "2027-01-01" }) { task { id } } }',
    '{ tasks(filter: { status: [PENDING], and: [{ not: { completed: true } }], dueAt: { before: null } }, orderBy: [{ field: TITLE, direction: DESC }]) { totalCount } }',
    '{ __schema { queryType { name fields { name args { name type { kind name ofType { name } } } } } } __type(name: "Task") { name } }',
  );
  for (const file of await readdir('operations')) {
    const text = await readFile(`operations/${file}`, 'utf8');
    const fragments = text.split(/^(?=fragment)/m).slice(1).map(each => each.split(/^(?=query|mutation)/m)[0]);
    for (const each of text.split(/^(?=query|mutation|fragment)/m).filter(part => /^(query|mutation)/.test(part))) {
      const used = fragments.filter(fragment => each.includes(`...${/fragment (\w+)/.exec(fragment)?.[1]}`));
      documents.push(each + used.join('\n'));
    }
  }
  const pick = random(Number(process.env.SEED ?? 20261121));
  const differ: unknown[] = [];
  let [refused, compared] = [0, 0];
  for (let round = 0; round < Number(process.env.DOCUMENTS ?? 2000); round += 1) {
    const tokens = documents[pick(documents.length)].replace(/#.*$/gm, '').match(TOKENS) ?? [];
    for (let change = pick(4) ? 1 : 2; change > 0; change -= 1) mangle(tokens, pick);
    const query = tokens.join(' ');
    const expected = verdict(query);
    const { data, errors } = await ask(server, '', { query });
    const codes = errors?.map(error => error.extensions.code) ?? [];
    if (codes.includes('QUERY_TOO_COMPLEX')) continue;
    const isRefused = data === undefined && codes.some(code => code === 'BAD_REQUEST' || code === 'BAD_USER_INPUT');
    compared += 1;
    if (isRefused) refused += 1;
    if (isRefused !== (expected !== undefined)) differ.push({ query, graphqlJs: expected ?? 'takes it', here: errors?.[0]?.message ?? 'takes it' });
  }
  context.diagnostic(`${compared} documents, ${refused} of them refused`);
  assert.deepEqual(differ, []);
});

/** The reason why graphql-js refuses a document without variable values, if it does. */
function verdict(query: string): string | undefined {
  try {
    const document = parse(query);
    const [error] = validate(schema, document, specifiedRules);
    if (error) return error.message;
    const operation = getOperationAST(document);
    if (!operation) return 'several operations';
    return getVariableValues(schema, operation.variableDefinitions ?? [], {}).errors?.[0].message;
  } catch (error) {
    return String(error);
  }
}
