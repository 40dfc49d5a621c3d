// Task lists, with urql. Their tasks are in the cache like all others, so that each is kept in step by itself.
import type { AnyVariables, Client, TypedDocumentNode } from '@urql/core';
import { ImportListDocument, ListMarkdownDocument, ListPageDocument, ListsDocument, OneListDocument } from '../generated/graphql.js';
import { toFailure } from './client.js';

export async function read<Data, Variables extends AnyVariables>(client: Client, query: TypedDocumentNode<Data, Variables>, variables: Variables) {
  const { data, error } = await client.query(query, variables, { requestPolicy: 'network-only' });
  if (!data || error) throw toFailure(error);
  return data;
}

export const readLists = (client: Client) => read(client, ListsDocument, {});

/** Reads a list with all its tasks, page by page, unless it is no longer needed. */
export async function readList(client: Client, id: string, isOver = () => false) {
  let page = (await read(client, OneListDocument, { id })).taskList!.tasks.pageInfo;
  while (page.hasNextPage && !isOver()) {
    page = (await read(client, ListPageDocument, { id, after: page.endCursor })).taskList!.tasks.pageInfo;
  }
}

/** The client chooses the id: a request that is sent again adds no second list. */
export async function importList(client: Client, id: string, markdown: string) {
  const { error } = await client.mutation(ImportListDocument, { input: { id, markdown } });
  if (error) throw toFailure(error);
  await readLists(client);
}

export const readMarkdown = async (client: Client, id: string) => (await read(client, ListMarkdownDocument, { id })).taskList!.markdown;
