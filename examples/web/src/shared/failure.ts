// What went wrong with a request, independent of the GraphQL client.

/** The code of a request that had no answer: it may have taken effect or not. */
export const NOT_ANSWERED = 'NOT_ANSWERED';

/** The same request may succeed later. */
const TEMPORARY = [NOT_ANSWERED, 'SERVICE_UNAVAILABLE', 'TIMEOUT', 'RATE_LIMITED', 'INTERNAL_SERVER_ERROR'];

interface FieldFault {
  path: (string | number)[];
  message: string;
}

interface GraphQLErrorLike {
  message: string;
  extensions?: Record<string, unknown>;
}

/** A request that failed. The message is a sentence for the user: that of the server, if it has answered. */
export class Failure extends Error {
  constructor(message: string, readonly code: string, readonly fields: FieldFault[] = []) {
    super(message);
  }

  get isTemporary(): boolean {
    return TEMPORARY.includes(this.code);
  }

  /** The sentence for an input field, or undefined if the field is not at fault. */
  at(field: string): string | undefined {
    const faults = this.fields.filter(({ path }) => path.at(-1) === field).map(({ message }) => message);
    if (!faults.length) return undefined;
    return this.fields.length === 1 ? this.message : `This value ${faults.join(' and ')}.`;
  }

  /** The sentence, unless one of these input fields shows what is wrong. */
  besides(...fields: string[]): string | undefined {
    return fields.some(field => this.at(field)) ? undefined : this.message;
  }

  /** From the errors of a response, or null for a request without an answer. */
  static of(errors: readonly GraphQLErrorLike[] | null | undefined): Failure {
    if (!errors?.length) return new Failure('The server does not answer. Try again.', NOT_ANSWERED);
    const [{ message, extensions }] = errors;
    return new Failure(message, String(extensions?.code), extensions?.fields as FieldFault[] | undefined);
  }
}
