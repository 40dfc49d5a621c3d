// Whether the list is in step with the server, for the banner. It follows the messages of the socket and the events of the
// browser, and knows no GraphQL client.
import type { Client, Message } from 'graphql-ws';

export type Phase = 'connecting' | 'live' | 'offline' | 'back';

export interface ConnectionState {
  phase: Phase;
  /** The last time at which the list was known to be in step, in milliseconds. */
  inStepAt: number | null;
}

/** A break that is shorter is not shown. */
const GRACE_MS = 2_000;
const BACK_MS = 4_000;

export class Connection {
  state: ConnectionState = { phase: 'connecting', inStepAt: null };
  #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #broken = false;

  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => { this.#listeners.delete(listener); };
  };

  /** Follows a socket; returns a function that ends this. */
  follow(socket: Client): () => void {
    const gone = () => {
      this.#offline();
      socket.terminate(); // An open connection may or may not survive; a new one certainly begins with what was missed.
    };
    addEventListener('offline', gone);
    const ends = [
      socket.on('message', message => this.#received(message as Message)),
      socket.on('closed', () => {
        if (this.#broken) return;
        this.#broken = true;
        this.#after(GRACE_MS, () => this.#offline());
      }),
      () => removeEventListener('offline', gone),
      () => clearTimeout(this.#timer),
    ];
    return () => ends.forEach(end => end());
  }

  /** Waits, but not longer than until the browser is online again; while it is offline there is nothing to try. */
  wait = async (milliseconds: number) => {
    const end = new AbortController();
    const online = new Promise(done => addEventListener('online', done, { signal: end.signal }));
    const later = new Promise(done => setTimeout(done, milliseconds));
    await (navigator.onLine ? Promise.race([online, later]) : online);
    end.abort();
  };

  #received(message: Message) {
    if (message.type === 'pong' && !this.#broken) this.#set({ ...this.state, inStepAt: Date.now() });
    if (message.type !== 'next') return;
    const changes = message.payload.data?.taskChanges as { hasMore: boolean } | undefined;
    // The first event after a break has everything that was missed, unless more events follow it immediately.
    if (!changes || changes.hasMore) return;
    const phase = this.state.phase === 'offline' || this.state.phase === 'back' ? 'back' : 'live';
    if (this.#broken || phase !== this.state.phase) {
      clearTimeout(this.#timer);
      if (phase === 'back') this.#after(BACK_MS, () => this.#set({ ...this.state, phase: 'live' }));
    }
    this.#broken = false;
    this.#set({ phase, inStepAt: Date.now() });
  }

  #offline() {
    this.#broken = true;
    this.#set({ ...this.state, phase: 'offline' });
  }

  #after(milliseconds: number, then: () => void) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, milliseconds);
  }

  #set(state: ConnectionState) {
    this.state = state;
    for (const listener of this.#listeners) listener();
  }
}
