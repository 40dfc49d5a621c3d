// Starts the program in an empty folder for one test and records the requests of its clients. If the test fails, it
// shows the last response with an error.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

// The tests run in the folder with package.json.
const PROGRAM = resolve(process.env.TASKHOLD_BIN ?? '../../target/debug/taskhold');
export const PASSWORD = 'correct-horse-1';
const TIME_LIMIT = 10_000;

export interface Exchange {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
  status: number;
  type: string;
  answer: string;
}

export interface Server {
  /** Address of the GraphQL endpoint. */
  url: string;
  /** All requests so far, in order. */
  exchanges: Exchange[];
}

type Options = Record<string, string>;

/** A test with its own server. */
export function withServer(name: string, options: Options, body: (server: Server, context: TestContext) => Promise<void>) {
  test(name, { timeout: 60_000 }, async context => {
    const { url, stop } = await start(options);
    const exchanges: Exchange[] = [];
    const real = globalThis.fetch;
    // The applications use the global fetch, as in a browser.
    globalThis.fetch = (input, init) => recorded(real, exchanges, input, init);
    try {
      await body({ url, exchanges }, context);
    } catch (error) {
      const disliked = exchanges.findLast(({ status, answer }) => status >= 400 || answer.includes('"errors"'));
      for (const [what, exchange] of Object.entries({ 'last answer with an error': disliked, 'last answer': exchanges.at(-1) })) {
        context.diagnostic(`${what}: ${JSON.stringify(exchange) ?? 'there was none'}`);
      }
      throw error;
    } finally {
      globalThis.fetch = real;
      await stop();
    }
  });
}

/** Waits for an action that a client takes on its own. */
export async function until(what: string, condition: () => boolean) {
  for (let step = 0; step < 500; step += 1) {
    if (condition()) return;
    await sleep(10);
  }
  assert.fail(`${what}: not within 5 s`);
}

async function recorded(real: typeof fetch, exchanges: Exchange[], input: string | URL | Request, init?: RequestInit) {
  const request = new Request(input, init);
  const body = await request.clone().text();
  const response = await real(request);
  exchanges.push({
    method: request.method,
    url: request.url,
    headers: Object.fromEntries(request.headers),
    body,
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    answer: await response.clone().text(),
  });
  return response;
}

async function start(options: Options) {
  const folder = await mkdtemp(join(tmpdir(), 'taskhold-clients-'));
  const child = spawn(PROGRAM, [], {
    cwd: folder,
    env: { PATH: process.env.PATH, PORT: '0', SHUTDOWN_GRACE: '0s', ...options },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<string>(done => {
    child.once('error', error => done(String(error)));
    child.once('exit', (code, signal) => done(`exit ${code ?? signal}`));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT);
    const how = await ended;
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
    if (how !== 'exit 0') throw new Error(`the server did not stop cleanly: ${how}`);
  };
  let log = '';
  const ready = new Promise<string>(found => {
    const read = (piece: Buffer) => {
      log += piece;
      const address = /open (http:\/\/\S+?\/graphql)/.exec(log);
      if (address) found(address[1]);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`the server is not ready:\n${log}`)), TIME_LIMIT);
    void ended.then(how => fail(new Error(`the server did not start: ${how}\n${log}`)));
  });
  late.catch(() => {});
  try {
    return { url: await Promise.race([ready, late]), stop };
  } catch (error) {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
