// Sends operations with the token of the session, and stores values that later examples need.
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
  const isThere = new RegExp(`\\b(query|mutation)\\s+${operationName}\\b`).test(params.query);
  if (isThere) params.operationName = operationName;
  // Relative to the page, so that it also works behind a proxy that serves the instance under a path.
  const response = await fetch("graphql", { method: "POST", headers, body: JSON.stringify(params) });
  const answer = await response.json();
  note(answer, operationName === "IntrospectionQuery");
  return answer;
}

function note({ data }, isIntrospection) {
  if (isIntrospection) return remember({ undocumented: !data });
  const fields = Object.values(data ?? {});
  const signedIn = fields.find((field) => field?.accessToken);
  if (signedIn) remember({ token: signedIn.accessToken, user: signedIn.user ?? current().user });
  if (data?.logout?.success || data?.deleteAccount?.success) forget();
  const task = data?.createTask?.task ?? data?.tasks?.nodes?.[0];
  if (task?.id) remember({ taskId: task.id });
}

export const forget = () => remember({ token: undefined, user: undefined, taskId: undefined });

/** Logs out on the server, and deletes the session in the browser even if that fails. */
export async function logOut() {
  try {
    await fetcher({ query: "mutation { logout { success } }" });
  } finally {
    forget();
  }
}
