// The WebSocket of the subscription. It connects again after every break, with a valid token and the last position.
import { createClient, type Client } from 'graphql-ws';

/** The cursor up to which all changes have been applied. */
export interface Position {
  cursor?: string;
}

export interface Credentials {
  /** A valid access token; an expired one is renewed first. */
  token(): Promise<string>;
  /** False when no valid token can be had any more: the user must sign in. */
  isSignedIn(): boolean;
  /** The server has refused this token: the session has ended. */
  refused(token: string): Promise<unknown>;
}

const SESSION_ENDED = 4401;

const PING_INTERVAL_MS = 10_000;
const ANSWER_TIME_MS = 8_000;
const LONGEST_WAIT_MS = 15_000;

const sleep = (milliseconds: number) => new Promise<void>(done => setTimeout(done, milliseconds));

/** `wait` waits between two attempts to connect. */
export function createSocket(url: string, session: Credentials, position: Position, wait = sleep): Client {
  let token = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const answered = () => clearTimeout(timer);
  // A connection can end without a sign of it. Without an answer in time it is given up, and a new one is opened.
  const expectAnswer = () => {
    clearTimeout(timer);
    timer = setTimeout(() => socket.terminate(), ANSWER_TIME_MS);
  };
  const socket = createClient({
    url,
    // This function is called for each connection.
    connectionParams: async () => {
      token = await session.token();
      return { authorization: `Bearer ${token}`, lastEventId: position.cursor };
    },
    retryAttempts: Infinity,
    shouldRetry: () => session.isSignedIn(),
    // The first wait is short, since most breaks are: a token has expired, or another instance takes over.
    retryWait: retries => wait(Math.min(200 * 2 ** retries, LONGEST_WAIT_MS) * (0.5 + Math.random())),
    keepAlive: PING_INTERVAL_MS,
    on: {
      connecting: expectAnswer,
      connected: answered,
      ping: received => received || expectAnswer(),
      pong: answered,
      closed: event => {
        answered();
        if ((event as CloseEvent).code === SESSION_ENDED) session.refused(token).catch(() => {});
      },
    },
  });
  return socket;
}
