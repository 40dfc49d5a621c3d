// Task lists, with Apollo Client. Their tasks are in the cache like all others, so that each is kept in step by itself.
import type { ApolloClient } from '@apollo/client';
import { ImportListDocument, ListMarkdownDocument, ListPageDocument, ListsDocument, OneListDocument } from '../generated/graphql.js';

export const readLists = (client: ApolloClient) => client.query({ query: ListsDocument, fetchPolicy: 'network-only' });

/** Reads a list with all its tasks, page by page, unless it is no longer needed. */
export async function readList(client: ApolloClient, id: string, isOver = () => false) {
  const { data } = await client.query({ query: OneListDocument, variables: { id }, fetchPolicy: 'network-only' });
  let page = data!.taskList!.tasks.pageInfo;
  while (page.hasNextPage && !isOver()) {
    const { data } = await client.query({ query: ListPageDocument, variables: { id, after: page.endCursor }, fetchPolicy: 'network-only' });
    page = data!.taskList!.tasks.pageInfo;
  }
}

/** The client chooses the id: a request that is sent again adds no second list. */
export async function importList(client: ApolloClient, id: string, markdown: string) {
  await client.mutate({ mutation: ImportListDocument, variables: { input: { id, markdown } } });
  await readLists(client);
}

export async function readMarkdown(client: ApolloClient, id: string): Promise<string> {
  const { data } = await client.query({ query: ListMarkdownDocument, variables: { id }, fetchPolicy: 'no-cache' });
  return data!.taskList!.markdown;
}
