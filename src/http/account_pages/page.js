// The script of both pages: it sends the operation that the form names when the user presses the button. The server
// puts the constant OPERATIONS in front, which has the document of each operation by its field.

const MAX_WAIT_MS = 30_000;

const element = (id) => document.getElementById(id);
const form = document.querySelector("form");
const { operation } = form.dataset;
const { newPassword, repeated, revokeApiKeys } = form.elements;

// The token is taken out of the address bar and the history, and stays in this variable only.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
history.replaceState(null, "", location.pathname);
// Another link to this page differs only in its fragment, so the browser would not load the page again.
addEventListener("hashchange", () => location.reload());

/** Sends an operation and returns its result. Throws the first error of the response, or that of the network. */
async function send(field, variables) {
  const response = await fetch("../graphql", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query: OPERATIONS[field], variables }),
    signal: AbortSignal.timeout(MAX_WAIT_MS),
  });
  const { data, errors } = await response.json();
  if (errors) throw errors[0];
  return data[field];
}

/** Shows what is wrong with each password. Returns whether anything is. */
function showFaults(faults) {
  const inputs = [newPassword, repeated].filter(Boolean);
  for (const input of inputs) {
    const messages = faults.filter(({ path }) => path.at(-1) === input.id).map(({ message }) => message);
    element(`${input.id}-fault`).textContent = messages.length ? `The password ${messages.join(" and ")}.` : "";
    input.ariaInvalid = messages.length > 0;
  }
  const faulty = inputs.find((input) => input.ariaInvalid === "true");
  faulty?.focus();
  return Boolean(faulty);
}

/** Replaces the form by an element of the page. */
function endWith(id) {
  form.remove();
  element(id).hidden = false;
  element(id).focus();
}

/** Whether an attempt without a response, or with a fault of the server, may have had its effect. */
let mayBeDone = false;

/** Errors of the server have extensions, those of the network have not. */
function showError({ message, extensions }) {
  if (showFaults(extensions?.fields ?? [])) return;
  element("message").textContent = extensions ? message : "The server did not answer. Check the connection and try again.";
  if (extensions?.code === "INVALID_CREDENTIALS") {
    endWith("message");
    // Only the page for a new password has this hint.
    element("perhaps-done")?.toggleAttribute("hidden", !mayBeDone);
  }
  mayBeDone ||= !extensions || extensions.status >= 500;
}

/** The faults that the server cannot know. */
const ownFaults = () =>
  newPassword?.value === repeated?.value ? [] : [{ path: ["repeated"], message: "is not the same as the first one" }];

const variables = {
  resetPassword: () => ({ input: { token, newPassword: newPassword.value, revokeApiKeys: revokeApiKeys.checked } }),
  verifyEmail: () => ({ token }),
};

async function submit(event) {
  event.preventDefault();
  if (form.ariaBusy === "true" || showFaults(ownFaults())) return;
  element("message").textContent = "";
  form.ariaBusy = true;
  try {
    const { email } = await send(operation, variables[operation]());
    element("email").textContent = email;
    endWith("done");
  } catch (error) {
    showError(error);
  }
  form.ariaBusy = false;
}

async function showRules() {
  const { passwordRules } = await send("serverInfo");
  for (const rule of passwordRules) element("rules").append(Object.assign(document.createElement("li"), { textContent: rule }));
}

if (token) {
  form.addEventListener("submit", submit);
  form.hidden = false;
  // Without the rules the page works too: the server says which ones a password breaks.
  if (newPassword) showRules().catch(() => undefined);
  newPassword?.focus();
} else {
  endWith("without-token");
}
