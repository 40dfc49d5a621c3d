// Relay with a list that follows the server. Its compiler makes the operations from relay/live.ts.
import relay from 'relay-runtime';
import type { Client } from 'graphql-ws';
import list from '../../generated/relay/liveListQuery.graphql.js';
import changesOperation from '../../generated/relay/liveChangesSubscription.graphql.js';
import { Failure } from '../../generated/web/shared/failure.js';
import type { Freshen } from '../../generated/web/shared/freshen.js';
import { untilAnswered } from '../../generated/web/shared/request.js';
import { isOlder, type Task } from '../../generated/web/shared/tasks.js';

const { ConnectionHandler, createOperationDescriptor, Environment, fetchQuery, Network, Observable, RecordSource, requestSubscription, Store } = relay;
const LIST = { first: 20 };

interface Parts {
  url: string;
  /** Sends requests with the token of the session. */
  fetch: typeof fetch;
  socket: Client;
  freshen: Freshen;
}

export function createRelayEnvironment({ url, fetch, socket, freshen }: Parts) {
  const ask: relay.FetchFunction = async ({ text, name }, variables) => {
    const body = JSON.stringify({ query: text, operationName: name, variables });
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      .then(answer => answer.json())
      .catch(() => { throw Failure.of(null); });
    if (!response.data) throw Failure.of(response.errors);
    return freshen(response);
  };
  const subscribe: relay.SubscribeFunction = ({ text, name }, variables) => Observable.create(sink =>
    socket.subscribe({ query: text!, operationName: name, variables }, {
      next: result => sink.next(freshen(result) as relay.GraphQLResponse),
      error: error => sink.error(Array.isArray(error) ? Failure.of(error) : error as Error),
      complete: () => sink.complete(),
    }));
  return new Environment({ store: new Store(new RecordSource()), network: Network.create(ask, subscribe) });
}

/** Relay stores the tasks of every result by itself. This adds the new ones to the list, newest first. */
function addToList(store: relay.RecordSourceSelectorProxy, changes: readonly { taskId: string; task: Task | null }[]) {
  const connection = ConnectionHandler.getConnection(store.getRoot(), 'TaskList_tasks');
  for (const { taskId, task } of connection ? changes : []) {
    const edges = connection!.getLinkedRecords('edges') ?? [];
    const node = (edge: relay.RecordProxy) => edge.getLinkedRecord('node')!;
    // A deleted task keeps its place in case it is restored; the list is shown without it.
    if (!task || task.deletedAt || edges.some(edge => node(edge).getDataID() === taskId)) continue;
    const edge = ConnectionHandler.createEdge(store, connection!, store.get(taskId)!, 'TaskEdge');
    const older = edges.findIndex(other => isOlder({ id: node(other).getDataID(), createdAt: node(other).getValue('createdAt') as string }, task));
    if (older >= 0) connection!.setLinkedRecords(edges.toSpliced(older, 0, edge), 'edges');
    // Otherwise the task belongs to a page that has not been loaded.
    else if (!connection!.getLinkedRecord('pageInfo')?.getValue('hasNextPage')) ConnectionHandler.insertEdgeAfter(connection!, edge);
  }
}

/** Reads the list and follows its changes. Returns a function that ends this. */
export function follow(environment: relay.Environment, position: { cursor?: string }, freshen: Freshen, onError: (error: unknown) => void) {
  let live: { dispose(): void } | undefined;
  let ended = false;
  // Without this, Relay may discard the list.
  const kept = environment.retain(createOperationDescriptor(list, LIST));
  const readList = () => fetchQuery(environment, list, LIST, { fetchPolicy: 'network-only' }).toPromise() as Promise<{ tasks: { syncCursor: string } }>;

  const start = async () => {
    position.cursor = (await untilAnswered(() => ended, readList)).tasks.syncCursor;
    if (ended) return;
    live = requestSubscription<any>(environment, {
      subscription: changesOperation,
      variables: { after: position.cursor },
      updater: (store, data) => {
        addToList(store, data.taskChanges.changes);
        position.cursor = data.taskChanges.cursor;
      },
      onError: error => {
        if (!(error instanceof Failure) || error.code !== 'CURSOR_EXPIRED') return onError(error);
        freshen.forget();
        start().catch(onError);
      },
    });
  };
  start().catch(onError);
  return () => {
    ended = true;
    live?.dispose();
    kept.dispose();
  };
}

/** The tasks in the list. */
export function tasks(environment: relay.Environment): Task[] {
  const { data } = environment.lookup(createOperationDescriptor(list, LIST).fragment);
  return (data as any).tasks.edges.map((edge: any) => edge.node).filter(({ deletedAt }: Task) => deletedAt === null);
}
