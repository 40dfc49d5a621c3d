// The time by the clock of the server. That of this computer may differ from it.

/** Differences below this time count as none: the server states its time in whole seconds, and an answer takes time to arrive. */
const TOLERANCE_MS = 2_000;

export class Clock {
  #difference = 0;

  /** Reads the time of the server from the header `Date` of each answer. */
  watch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
    return async (input, init) => {
      const answer = await fetch(input, init);
      const difference = Date.parse(answer.headers.get('date') ?? '') - Date.now();
      if (!Number.isNaN(difference)) this.#difference = Math.abs(difference) < TOLERANCE_MS ? 0 : difference;
      return answer;
    };
  }

  /** The time of the server, in milliseconds. */
  now = () => Date.now() + this.#difference;
}
