"use strict";

const task = "id title status completed priority labels dueAt version";
const examples = {
  "Register": {
    query: `mutation Register($input: RegisterInput!) {
  register(input: $input) {
    accessToken
    expiresAt
    user { id email username name }
  }
}`,
    variables: { input: { email: "ann@example.com", password: "correct-horse-1" } },
  },
  "Log in": {
    query: `mutation Login($input: LoginInput!) {
  login(input: $input) {
    accessToken
    expiresAt
    user { id email username name }
  }
}`,
    variables: { input: { usernameOrEmail: "ann@example.com", password: "correct-horse-1" } },
  },
  "Create a task": {
    query: `mutation Create($input: CreateTaskInput!) {
  createTask(input: $input) {
    task { ${task} }
  }
}`,
    variables: { input: { title: "Water the plants", priority: "HIGH", dueAt: "2027-01-31T18:00:00Z" } },
  },
  "Create a task document": {
    query: `mutation CreateDocument($input: CreateTaskInput!) {
  createTask(input: $input) {
    task { ${task} progress { done total percent } }
  }
}`,
    variables: {
      input: {
        title: "Show the tides on the board", status: "IN_PROGRESS", labels: ["harbour"],
        objective: "To show the tides of the coming week without anybody typing them.",
        rationale: "Twice this year a figure was wrong.",
        checklist: [
          { section: "IN_SCOPE", text: "Figures of the gauge", done: true },
          { section: "ACTION", text: "Phase 1: data", children: [{ section: "ACTION", text: "Write the reader" }] },
          { section: "ACCEPTANCE", text: "The board is never older than an hour" },
        ],
        risks: [{ description: "The gauge is silent", likelihood: "LOW", impact: "HIGH", mitigation: "Show the age of the figures." }],
        files: [{ path: "src/tides.rs", kind: "CREATED" }],
      },
    },
  },
  "One task with all its parts": {
    query: `query Task($id: ID!) {
  task(id: $id) {
    ${task}
    date ownerLabel objective rationale description
    checklist { id section text done children { id text done } }
    risks { id description likelihood impact mitigation }
    files { id path kind }
    progress { done total percent }
  }
}`,
    variables: { id: "" },
  },
  "List my tasks": {
    query: `query Tasks($first: Int, $after: String, $filter: TaskFilter) {
  tasks(first: $first, after: $after, filter: $filter, orderBy: [{ field: DUE_AT }]) {
    nodes { ${task} }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
}`,
    variables: { first: 20 },
  },
  "Complete a task": {
    query: `mutation Complete($id: ID!) {
  completeTask(id: $id) {
    task { ${task} completedAt }
  }
}`,
    variables: { id: "" },
  },
  "Who am I": { query: "{\n  me { id email username name createdAt tasks { totalCount } }\n}", variables: {} },
  "About the server": {
    query: "{\n  serverInfo {\n    version\n    registrationOpen\n    passwordRules\n    errorCodes { code status retryable description }\n  }\n}",
    variables: {},
  },
  "Log out": { query: "mutation {\n  logout { success message }\n}", variables: {} },
};

const element = (id) => document.getElementById(id);
const pretty = (value) => JSON.stringify(value, null, 2);

async function send(query, variables) {
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
  const token = element("token").value.trim();
  if (token) headers.authorization = `Bearer ${token}`;
  return fetch("/graphql", { method: "POST", headers, body: JSON.stringify({ query, variables }) });
}

/** Keeps what the next step needs: the token of a sign-in, the id of the first task. */
function remember(data) {
  const signedIn = data?.register ?? data?.login;
  if (signedIn?.accessToken) element("token").value = signedIn.accessToken;
  if (data?.logout?.success) element("token").value = "";
  const seen = data?.createTask?.task ?? data?.tasks?.nodes?.[0];
  for (const name of ["Complete a task", "One task with all its parts"]) {
    if (seen) examples[name].variables.id = seen.id;
  }
}

async function run() {
  const answer = element("answer");
  let variables;
  try {
    variables = JSON.parse(element("variables").value.trim() || "{}");
  } catch (error) {
    element("status").textContent = "";
    answer.textContent = `The variables are no JSON: ${error.message}`;
    return;
  }
  const started = performance.now();
  try {
    const response = await send(element("query").value, variables);
    const body = await response.json();
    element("status").textContent = `${response.status} in ${Math.round(performance.now() - started)} ms`;
    answer.textContent = pretty(body);
    remember(body.data);
  } catch (error) {
    element("status").textContent = "";
    answer.textContent = `No answer from the server: ${error.message}`;
  }
}

function show(name) {
  element("query").value = examples[name].query;
  element("variables").value = pretty(examples[name].variables);
}

async function showSchema() {
  const response = await fetch("/playground/schema.graphql");
  element("schema").textContent = await response.text();
}

for (const name of Object.keys(examples)) element("example").append(new Option(name, name));
element("example").addEventListener("change", (event) => show(event.target.value));
element("run").addEventListener("click", run);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
show("Register");
showSchema();
