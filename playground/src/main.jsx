import { explorerPlugin } from "@graphiql/plugin-explorer";
import { useEditorContext } from "@graphiql/react";
import { GraphiQL } from "graphiql";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";

import "graphiql/style.css";
import "@graphiql/plugin-explorer/style.css";
import "./main.css";

import { examples } from "./examples.js";
import { fetcher, logOut } from "./fetcher.js";
import { storage, useSession } from "./session.js";

function Bar() {
  const { token, user, undocumented } = useSession();
  return (
    <header className="bar">
      <h1>taskhold</h1>
      {undocumented && <span>This server does not answer questions about its schema: no docs, no completion.</span>}
      {token ? (
        <>
          <span className="who">
            Signed in{user?.email && <> as <b>{user.email}</b></>}; your token goes with every request.
          </span>
          <button type="button" onClick={logOut}>Log out</button>
        </>
      ) : (
        <span className="who">Not signed in. Run <i>Register</i> or <i>LogIn</i>.</span>
      )}
    </header>
  );
}

/** Inserts the ids of the last task, list and claim into examples that need one. */
function FillIn() {
  const { taskId, listId, claimId } = useSession();
  const { activeTabIndex, variableEditor } = useEditorContext();
  useEffect(() => {
    const text = variableEditor?.getValue() ?? "";
    let filled = text;
    for (const [name, id] of Object.entries({ id: taskId, listId, claimId })) {
      if (id) filled = filled.replace(`"${name}": ""`, `"${name}": "${id}"`);
    }
    if (filled !== text) variableEditor.setValue(filled);
  }, [taskId, listId, claimId, activeTabIndex, variableEditor]);
}

const plugins = [explorerPlugin({ showAttribution: false })];

createRoot(document.getElementById("playground")).render(
  <>
    <Bar />
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      storage={storage}
      defaultTabs={examples}
      defaultQuery=""
      defaultEditorToolsVisibility="variables"
      shouldPersistHeaders={false}
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo><></></GraphiQL.Logo>
      <FillIn />
    </GraphiQL>
  </>,
);
