// The tabs that GraphiQL opens with, in the order of a first session.

/** The fields of a task that a list shows, at the depth of a selection. */
const task = (depth) => `id title status completed\n${"  ".repeat(depth)}priority labels dueAt version`;

const example = (query, variables) => ({
  query,
  variables: variables && JSON.stringify(variables, null, 2),
});

export const examples = [
  example(`# Welcome. Press the pink button: it registers
# you and signs you in. Then go through the tabs;
# each is an example that works as it is.
#
# From then on the token goes with each request,
# until this browser tab is closed. To send one of
# your own, put it into Headers, below:
# { "authorization": "Bearer …" }

mutation Register {
  register(input: {
    email: "ann@example.com"
    password: "correct-horse-1"
  }) {
    accessToken
    expiresAt
    user { id email username name }
  }
}
`),
  example(`mutation LogIn {
  login(input: {
    usernameOrEmail: "ann@example.com"
    password: "correct-horse-1"
  }) {
    accessToken
    expiresAt
    user { id email username name }
  }
}
`),
  example(
    `mutation CreateTask($input: CreateTaskInput!) {
  createTask(input: $input) {
    task {
      ${task(3)}
    }
  }
}
`,
    { input: { title: "Water the plants", priority: "HIGH", dueAt: "2027-01-31T18:00:00Z" } },
  ),
  example(
    `mutation CreateDocument($input: CreateTaskInput!) {
  createTask(input: $input) {
    task {
      ${task(3)}
      progress { done total percent }
    }
  }
}
`,
    {
      input: {
        title: "Show the tides on the board",
        status: "IN_PROGRESS",
        labels: ["harbour"],
        objective: "To show the tides of the coming week without anybody typing them.",
        rationale: "Twice this year a figure was wrong.",
        checklist: [
          { section: "IN_SCOPE", text: "Figures of the gauge", done: true },
          { section: "ACTION", text: "Phase 1: data", children: [{ section: "ACTION", text: "Write the reader" }] },
          { section: "ACCEPTANCE", text: "The board is never older than an hour" },
        ],
        risks: [
          {
            description: "The gauge is silent",
            likelihood: "LOW",
            impact: "HIGH",
            mitigation: "Show the age of the figures.",
          },
        ],
        files: [{ path: "src/tides.rs", kind: "CREATED" }],
      },
    },
  ),
  example(
    `# A list of tasks in Markdown becomes tasks. The
# diagnostics say where the document is wrong.
mutation ImportTaskList($input: ImportTaskListInput!) {
  importTaskList(input: $input) {
    taskList {
      id title
      progress { done total percent }
    }
    diagnostics { code line message }
  }
}
`,
    {
      input: {
        markdown: [
          "# Tasks: Harbour map",
          "",
          "Total tasks: 4",
          "",
          "## Phase 1: Setup",
          "",
          "- [x] T001 Create the project in src/main.rs",
          "- [ ] T002 [P] Add the linter in .lint.toml",
          "",
          "## Phase 2: User Story 1 - Ships (Priority: P1)",
          "",
          "- [ ] T003 [US1] Draw the ships in src/ships.rs",
          "",
        ].join("\n"),
      },
    },
  ),
  example(`# markdown is the document with all changes since
# its import: complete a task, and one box changes.
query TaskLists {
  taskLists(first: 3) {
    nodes {
      id title
      progress { done total percent }
      phases {
        number title
        progress { done total percent }
      }
      tasks(first: 20) {
        nodes { id key text status parallel }
      }
      markdown
    }
  }
}
`),
  example(
    `# What can begin now, and what the other tasks
# wait for. The listId becomes that of the list
# that was imported or listed last.
query ReadyTasks($listId: ID!) {
  taskList(id: $listId) {
    readyTasks(first: 20) {
      nodes { key text }
    }
    tasks(first: 20) {
      nodes {
        key status ready
        waitsFor { key }
      }
    }
    claims {
      worker expiresAt
      task { key }
    }
  }
}
`,
    { listId: "" },
  ),
  example(
    `# Reserves the first ready task, and the files that
# it names, for a worker. Run it again: the next
# task has to wait until the first is completed.
mutation ClaimNextTask($input: ClaimNextTaskInput!) {
  claimNextTask(input: $input) {
    claim {
      id paths expiresAt
      task { key text }
    }
    reason
    retryAt
  }
}
`,
    { input: { listId: "", worker: "Ann", ttlSeconds: 600 } },
  ),
  example(
    `# The claimId becomes that of the claim that was
# made last. Look at ReadyTasks again after this.
mutation CompleteClaim($claimId: ID!) {
  completeClaim(id: $claimId) {
    task { key text status }
  }
}
`,
    { claimId: "" },
  ),
  example(
    `query ListTasks(
  $first: Int
  $after: String
  $filter: TaskFilter
) {
  tasks(
    first: $first
    after: $after
    filter: $filter
    orderBy: [{ field: DUE_AT }]
  ) {
    nodes {
      ${task(3)}
    }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
}
`,
    { first: 20, filter: { completed: false } },
  ),
  example(
    `# The id becomes that of the task that was
# made or listed last.
query OneTask($id: ID!) {
  task(id: $id) {
    ${task(2)}
    date ownerLabel
    objective rationale description
    checklist {
      id section text done
      children { id text done }
    }
    risks {
      id description
      likelihood impact mitigation
    }
    files { id path kind }
    progress { done total percent }
  }
}
`,
    { id: "" },
  ),
  example(
    `mutation CompleteTask($id: ID!) {
  completeTask(id: $id) {
    task {
      ${task(3)}
      completedAt
    }
  }
}
`,
    { id: "" },
  ),
  example(`# Runs until you stop it. Create or complete a task
# in another tab of the browser: it appears here.

subscription Follow {
  taskChanges {
    changes {
      kind
      task {
        ${task(4)}
      }
    }
    cursor
  }
}
`),
  example(`query WhoAmI {
  me {
    id email username name
    createdAt
    tasks { totalCount }
  }
}
`),
  example(`query Server {
  serverInfo {
    version
    registrationOpen
    passwordRules
    errorCodes {
      code status retryable description
    }
  }
}
`),
  example(`mutation LogOut {
  logout { success message }
}
`),
];
