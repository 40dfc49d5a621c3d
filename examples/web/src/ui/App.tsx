// The whole page: the sign-in form, or the tasks and task lists of the signed-in user.
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Parts } from '../shared/tasks.js';
import type { Backend } from './backend.js';
import { Account } from '../shared/account.js';
import { Clock } from '../shared/clock.js';
import { Connection } from '../shared/connection.js';
import { createFreshen } from '../shared/freshen.js';
import { authorizedFetch } from '../shared/request.js';
import { Session, type User } from '../shared/session.js';
import { createSocket, type Position } from '../shared/socket.js';
import { AccountPanel } from './AccountPanel.js';
import { ConnectionBanner, useConnection } from './ConnectionBanner.js';
import { Lists } from './Lists.js';
import { ListView } from './ListView.js';
import { SignIn } from './SignIn.js';
import { TaskList } from './TaskList.js';
import './app.css';

const ADDRESS = new URL('/graphql', location.href).href;
const session = new Session(ADDRESS);

interface Props {
  /** The name of the GraphQL client. */
  client: string;
  createBackend(parts: Parts): Backend;
}

export function App({ client, createBackend }: Props) {
  const user = useSyncExternalStore(session.subscribe, session.user);
  return (
    <>
      <header>
        <h1>Tasks</h1>
        <span className="client">{client}</span>
        {user && <span className="user">{user.name}</span>}
        {user && <button onClick={() => void session.logout()}>Sign out</button>}
      </header>
      {user ? <Signed key={user.id} user={user} createBackend={createBackend} /> : <SignIn session={session} />}
    </>
  );
}

/** Everything that belongs to one user. For the next user all of it is made anew. */
function start(createBackend: Props['createBackend']) {
  const position: Position = {};
  const freshen = createFreshen();
  const connection = new Connection();
  const socket = createSocket(ADDRESS.replace('http', 'ws'), session, position, connection.wait);
  const clock = new Clock();
  const fetch = clock.watch(authorizedFetch(session));
  const backend = createBackend({ url: ADDRESS, fetch, socket, position, freshen });
  const account = new Account(ADDRESS, fetch);
  const ends = [
    account.follow(),
    connection.follow(socket),
    () => socket.dispose(),
  ];
  return { account, backend, clock, connection, stop: () => ends.forEach(end => end()) };
}

function Signed({ user, createBackend }: { user: User; createBackend: Props['createBackend'] }) {
  const [started, setStarted] = useState<ReturnType<typeof start>>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const next = start(createBackend);
    const unfollow = next.backend.follow(error => setProblem(error instanceof Error ? error.message : 'Live changes have stopped.'));
    setStarted(next);
    return () => {
      unfollow();
      next.stop();
    };
  }, [createBackend]);
  if (!started) return null;
  return started.backend.wrap(
    <main>
      <ConnectionBanner connection={started.connection} />
      <AccountPanel account={started.account} />
      {problem && <p role="alert">{problem} <button onClick={() => location.reload()}>Reload</button></p>}
      <Work user={user} backend={started.backend} clock={started.clock} connection={started.connection} />
    </main>,
  );
}

/** The task list that is open, or the tasks that are in no task list. */
function Work({ user, backend, clock, connection }: { user: User; backend: Backend; clock: Clock; connection: Connection }) {
  const [open, setOpen] = useState<string>();
  const offline = useConnection(connection).phase === 'offline';
  const summary = backend.useLists()?.find(({ id }) => id === open);
  return (
    <>
      <Lists backend={backend} offline={offline} open={summary?.id} onOpen={setOpen} />
      {summary
        ? <ListView key={summary.id} user={user} summary={summary} backend={backend} clock={clock} offline={offline} onClose={() => setOpen(undefined)} />
        : <TaskList user={user} backend={backend} offline={offline} />}
    </>
  );
}
