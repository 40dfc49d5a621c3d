// Input of Relay's compiler: the operations of the recipe for Relay. The fragments are not masked, since the recipe reads them.
declare const graphql: (text: TemplateStringsArray) => unknown;

export const row = graphql`
  fragment liveTask_task on Task { id title status version createdAt deletedAt }
`;

export const page = graphql`
  fragment livePage_changes on TaskChanges { changes { taskId task { ...liveTask_task @relay(mask: false) } } cursor hasMore }
`;

export const list = graphql`
  query liveListQuery($first: Int!, $after: String) {
    tasks(first: $first, after: $after) @connection(key: "TaskList_tasks") {
      edges { node { ...liveTask_task @relay(mask: false) } }
      syncCursor
    }
  }
`;

export const changes = graphql`
  subscription liveChangesSubscription($after: String!) { taskChanges(after: $after) { ...livePage_changes @relay(mask: false) } }
`;
