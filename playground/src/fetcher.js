// Sends operations with the token of the session, and stores values that later examples need.
import { createClient } from "graphql-ws";

import { current, remember } from "./session.js";

/** A fetcher for GraphiQL. An authorization in the header editor overrides the token of the session. */
export async function fetcher({ operationName, ...params }, options) {
  const headers = new Headers({
    "content-type": "application/json",
    accept: "application/graphql-response+json, application/json;q=0.9",
  });
  const { token } = current();
  if (token) headers.set("authorization", `Bearer ${token}`);
  for (const [name, value] of Object.entries(options?.headers ?? {})) headers.set(name, value);
  // Shortly after a change of tabs GraphiQL still passes the operation name of the other tab.
  const named = new RegExp(`\\b(query|mutation|subscription)\\s+${operationName}\\b`).exec(params.query);
  if (named) params.operationName = operationName;
  if (named ? named[1] === "subscription" : /^\s*subscription\b/m.test(params.query)) return stream(params, headers);
  // Relative to the page, so that it also works behind a proxy that serves the instance under a path.
  const response = await fetch("graphql", { method: "POST", headers, body: JSON.stringify(params) });
  const answer = await response.json();
  note(answer, operationName === "IntrospectionQuery");
  return answer;
}

/** The results of a subscription, over a WebSocket of its own, until GraphiQL unsubscribes. */
function stream(params, headers) {
  const url = new URL("graphql", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  const subscribe = ({ next, error, complete }) => {
    const connectionParams = { authorization: headers.get("authorization") };
    const client = createClient({ url: url.href, connectionParams });
    // GraphiQL would show the event of a closed connection as an empty object.
    const failed = (cause) => error(cause.code ? new Error(`${cause.code} ${cause.reason}`) : cause);
    return { unsubscribe: client.subscribe(params, { next, error: failed, complete }) };
  };
  return { subscribe };
}

function note({ data }, isIntrospection) {
  if (isIntrospection) return remember({ undocumented: !data });
  const fields = Object.values(data ?? {});
  const signedIn = fields.find((field) => field?.accessToken);
  if (signedIn) remember({ token: signedIn.accessToken, user: signedIn.user ?? current().user });
  if (data?.logout?.success || data?.deleteAccount?.success) forget();
  const task = data?.createTask?.task ?? data?.tasks?.nodes?.[0];
  if (task?.id) remember({ taskId: task.id });
  const list = data?.importTaskList?.taskList ?? data?.taskLists?.nodes?.[0];
  if (list?.id) remember({ listId: list.id });
  const claim = data?.claimNextTask?.claim;
  if (claim?.id) remember({ claimId: claim.id });
}

export const forget = () =>
  remember({ token: undefined, user: undefined, taskId: undefined, listId: undefined, claimId: undefined });

/** Logs out on the server, and deletes the session in the browser even if that fails. */
export async function logOut() {
  try {
    await fetcher({ query: "mutation { logout { success } }" });
  } finally {
    forget();
  }
}
