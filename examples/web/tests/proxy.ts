// A TCP proxy that can cut and hold the connections that pass through it.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export class Proxy {
  #pairs = new Set<[Socket, Socket]>();
  #held: Promise<void> = Promise.resolve();
  #release = () => {};
  #server = createServer(client => void this.#accept(client));

  constructor(readonly target: number) {}

  /** Listens on a free port of the loopback interface and returns its number. */
  async listen(): Promise<number> {
    await new Promise<void>(done => this.#server.listen(0, '127.0.0.1', done));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections. */
  cut() {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  /** From now on nothing passes, in either direction. */
  hold() {
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
    this.#held = new Promise(done => { this.#release = done; });
  }

  release() {
    this.#release();
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  close() {
    this.#release();
    this.cut();
    this.#server.close();
  }

  async #accept(client: Socket) {
    client.on('error', () => client.destroy());
    await this.#held;
    if (client.destroyed) return;
    const server = connect(this.target, '127.0.0.1');
    const pair: [Socket, Socket] = [client, server];
    this.#pairs.add(pair);
    for (const [from, to] of [pair, pair.toReversed()]) {
      from.on('data', data => to.write(data));
      from.on('end', () => to.end());
      from.on('error', () => from.destroy());
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }
}
