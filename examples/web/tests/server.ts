// The program in an empty folder, behind the proxy, and a client that changes tasks.
import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Proxy } from './proxy.js';

const PROGRAM = resolve(process.env.TASKHOLD_BIN ?? '../../target/debug/taskhold');
export const PASSWORD = 'correct-horse-1';
const START_TIME_MS = 20_000;
const MAIL_TIME_MS = 20_000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise(done => server.close(done));
  return port;
}

export class Server {
  /** The options with which the program is started. */
  options: Record<string, string> = {};
  #child: ChildProcess | undefined;

  private constructor(
    readonly folder: string, readonly port: number, readonly proxy: Proxy,
    /** The address of the server, through the proxy. */
    readonly origin: string,
  ) {}

  /** A server that has an address and was not started yet. */
  static async create(): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'taskhold-example-'));
    const port = await freePort();
    const proxy = new Proxy(port);
    return new Server(folder, port, proxy, `http://127.0.0.1:${await proxy.listen()}`);
  }

  static async start(options: Record<string, string> = {}): Promise<Server> {
    const server = await Server.create();
    server.options = options;
    await server.run().catch(async (error: unknown) => {
      await server.close();
      throw error;
    });
    return server;
  }

  /** Starts the program. It keeps its port and its database. */
  async run() {
    this.#child = this.#spawn();
    const limit = Date.now() + START_TIME_MS;
    while (!(await fetch(`http://127.0.0.1:${this.port}/readyz`).catch(() => null))?.ok) {
      if (Date.now() > limit || this.#child.exitCode !== null) throw new Error('the program does not get ready');
      await new Promise(done => setTimeout(done, 50));
    }
  }

  /** Stops the program as an operator would. */
  async stop() {
    const child = this.#child;
    const ended = new Promise(done => child?.once('exit', done));
    if (child?.kill('SIGTERM')) await ended;
  }

  /** Runs a command of the program beside the server. */
  async command(...words: string[]) {
    const code = await new Promise(done => this.#spawn(words).once('exit', done));
    if (code !== 0) throw new Error(`taskhold ${words.join(' ')}: exit code ${code}`);
  }

  /** Copies the database of the stopped program to a backup, or the backup back. */
  async copyDatabase(direction: 'to backup' | 'from backup') {
    const folders = ['data', 'backup'].map(name => join(this.folder, name));
    const [from, to] = direction === 'to backup' ? folders : folders.toReversed();
    await rm(to, { recursive: true, force: true });
    await cp(from, to, { recursive: true });
  }

  /** Waits for so many mails of a kind to an address, and returns their links, the oldest first. */
  async links(kind: string, email: string, count = 1): Promise<string[]> {
    const folder = join(this.folder, 'data', 'mail');
    let links: string[] = [];
    await eventually(MAIL_TIME_MS, async () => {
      const names = (await readdir(folder)).filter(name => name.includes(`-${kind}-`) && name.endsWith('.eml')).sort();
      const mails = await Promise.all(names.map(name => readFile(join(folder, name), 'utf8')));
      links = mails.filter(mail => mail.includes(`To: ${email}\r\n`)).map(mail => mail.match(/^http.*$/m)![0]);
      if (links.length < count) throw new Error(`${links.length} mails ${kind} to ${email}`);
    });
    return links;
  }

  async close() {
    await this.stop();
    this.proxy.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  #spawn(words: string[] = []) {
    return spawn(PROGRAM, words, {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH, PORT: String(this.port), SHUTDOWN_GRACE: '0s', STREAM_KEEPALIVE: '1s', LIMIT_CREDENTIALS_PER_MINUTE: '0',
        ...this.options,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
}

/** A client without a browser: changes the tasks of a user, and knows what the server has. */
export class Api {
  /** The tasks that `change` has added and not deleted. */
  ids: string[] = [];
  token = '';

  private constructor(readonly port: number, readonly email: string) {}

  static signIn(server: Server, email: string): Promise<Api> {
    return new Api(server.port, email).#signIn();
  }

  static register(server: Server, email: string): Promise<Api> {
    return new Api(server.port, email).#authenticate('register(input: { email: $email, password: $password }) { accessToken }');
  }

  #signIn() {
    return this.#authenticate('login(input: { usernameOrEmail: $email, password: $password }) { accessToken }');
  }

  async #authenticate(field: string) {
    this.token = '';
    const variables = { email: this.email, password: PASSWORD };
    const { answer } = await this.ask(`mutation($email: String!, $password: String!) { answer: ${field} }`, variables);
    this.token = answer.accessToken;
    return this;
  }

  async ask(query: string, variables: object = {}): Promise<any> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    const response = await fetch(`http://127.0.0.1:${this.port}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
    const { data, errors } = await response.json() as { data: any; errors?: { message: string }[] };
    if (this.token && errors?.[0].message === 'Token has expired') return (await this.#signIn()).ask(query, variables);
    if (errors) throw new Error(errors[0].message);
    return data;
  }

  async add(title: string): Promise<string> {
    return (await this.ask('mutation($title: String!) { createTask(input: { title: $title }) { task { id } } }', { title })).createTask.task.id;
  }

  async rename(id: string, title: string) {
    await this.ask('mutation($id: ID!, $title: String!) { updateTask(id: $id, input: { title: $title }) { task { id } } }', { id, title });
  }

  async remove(id: string) {
    await this.ask('mutation($id: ID!) { deleteTask(id: $id) { deletedTaskId } }', { id });
  }

  async restore(id: string) {
    await this.ask('mutation($id: ID!) { restoreTask(id: $id) { task { id } } }', { id });
  }

  /** Adds, renames and deletes tasks, one after the other. At most 18 remain. */
  async change(count: number, pauseMs = 0) {
    const { ids } = this;
    for (let number = 0; number < count; number += 1) {
      if (number % 4 === 3 || ids.length === 18) await this.remove(ids.splice(number % ids.length, 1)[0]);
      else if (number % 4 === 2) await this.rename(ids[number % ids.length], `Renamed by change ${number}`);
      else ids.push(await this.add(`Added by change ${number}`));
      await new Promise(done => setTimeout(done, pauseMs));
    }
  }

  async idOf(title: string): Promise<string> {
    const { tasks } = await this.ask('query($text: String!) { tasks(filter: { text: $text }) { nodes { id } } }', { text: title });
    return tasks.nodes[0].id;
  }

  /** The titles of the newest tasks, newest first. */
  async titles(first = 100): Promise<string[]> {
    const { tasks } = await this.ask('query($first: Int!) { tasks(first: $first) { edges { node { title } } } }', { first });
    return tasks.edges.map((edge: any) => edge.node.title);
  }
}

/** Repeats a check until it passes. */
export async function eventually(within: number, check: () => Promise<void>) {
  const limit = Date.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > limit) throw error;
      await new Promise(done => setTimeout(done, 20));
    }
  }
}
