// Input of Relay's compiler: connections with pagination on Query and on User, and a refetch by Node.
declare const graphql: (text: TemplateStringsArray) => unknown;

export const page = graphql`
  query tasksPageQuery($count: Int!, $cursor: String, $filter: TaskFilter) {
    ...tasksList_query @arguments(count: $count, cursor: $cursor, filter: $filter)
    me { ...tasksOfUser_user }
  }
`;

export const list = graphql`
  fragment tasksList_query on Query
  @refetchable(queryName: "tasksListPaginationQuery")
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
    filter: { type: "TaskFilter" }
  ) {
    tasks(first: $count, after: $cursor, filter: $filter) @connection(key: "tasksList_tasks", filters: ["filter"]) {
      edges { node { id ...tasksRow_task } }
      totalCount
    }
  }
`;

export const ofUser = graphql`
  fragment tasksOfUser_user on User
  @refetchable(queryName: "tasksOfUserPaginationQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" }) {
    name
    tasks(first: $count, after: $cursor) @connection(key: "tasksOfUser_tasks") {
      edges { node { ...tasksRow_task } }
    }
  }
`;

export const row = graphql`
  fragment tasksRow_task on Task @refetchable(queryName: "tasksRowRefetchQuery") {
    title status completed priority labels dueAt version
    progress { done total percent }
    checklist { text done }
  }
`;

export const anything = graphql`
  query tasksNodeQuery($id: ID!) {
    node(id: $id) {
      __typename
      ...tasksRow_task @alias(as: "task")
      ...tasksOfUser_user @alias(as: "user")
      ... on Session { current }
    }
  }
`;

export const create = graphql`
  mutation tasksCreateMutation($input: CreateTaskInput!, $connections: [ID!]!) {
    createTask(input: $input) {
      task @prependNode(connections: $connections, edgeTypeName: "TaskEdge") { id ...tasksRow_task }
    }
  }
`;

export const remove = graphql`
  mutation tasksDeleteMutation($id: ID!, $connections: [ID!]!) {
    deleteTask(id: $id) { deletedTaskId @deleteEdge(connections: $connections) }
  }
`;
