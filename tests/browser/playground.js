// Tests the playground with Chromium: registers, creates, lists and completes a task, reads the documentation and logs
// out. The page must not send requests to other hosts or violate its content security policy.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { browser, listen, newPage, pictures, serveUnderPath, start, until } from "./support.js";

/** Opens the playground in a fresh profile. */
async function open(origin, options) {
  const opened = await newPage(origin, options);
  await opened.page.goto(`${origin}/graphql`);
  await opened.page.locator(".graphiql-query-editor .CodeMirror-code").waitFor();
  return opened;
}

/** Opens the tab of an example and runs it; returns the response that the page shows, and the request. */
async function run(page, example) {
  await page.locator(".graphiql-tab-button").getByText(example, { exact: true }).click();
  const sent = page.waitForRequest(
    (request) => request.method() === "POST" && request.postDataJSON().query.includes(` ${example}`),
  );
  await page.getByRole("button", { name: /^Execute query/ }).click();
  const request = await sent;
  const { data, errors } = await (await request.response()).json();
  assert.equal(errors, undefined, `${example}: ${JSON.stringify(errors)} ${request.postData()}`);
  const [field] = Object.keys(data);
  await page.locator(".result-window").getByText(`"${field}"`).waitFor();
  return { data, request };
}

const authorization = async (request) => (await request.allHeaders()).authorization;

test("a first session in the playground", { timeout: 120_000 }, async () => {
  const { origin } = await start();
  const { page, faults, requests } = await open(origin, { colorScheme: "light" });
  const bar = page.locator("header.bar");
  await bar.getByText("Not signed in").waitFor();

  const registered = await run(page, "Register");
  assert.equal(await authorization(registered.request), undefined);
  const token = registered.data.register.accessToken;
  await bar.getByText("Signed in as ann@example.com").waitFor();
  await page.screenshot({ path: join(pictures, "registered.png") });

  const { data, request } = await run(page, "CreateTask");
  assert.equal(await authorization(request), `Bearer ${token}`);
  const plants = data.createTask.task;
  assert.equal(plants.title, "Water the plants");

  const document = await run(page, "CreateDocument");
  assert.equal(document.data.createTask.task.progress.total, 4);
  // The page is high enough for a task with all its parts.
  const size = page.viewportSize();
  await page.setViewportSize({ width: 1400, height: 2100 });
  const one = await run(page, "OneTask");
  await page.getByText('"percent"').waitFor();
  await page.screenshot({ path: join(pictures, "one-task.png") });
  await page.setViewportSize(size);
  assert.equal(one.data.task.id, document.data.createTask.task.id);
  assert.equal(one.data.task.risks.length, 1);

  const listed = await run(page, "ListTasks");
  assert.equal(listed.data.tasks.totalCount, 2);
  await page.screenshot({ path: join(pictures, "tasks.png") });
  const completed = await run(page, "CompleteTask");
  assert.equal(completed.data.completeTask.task.completed, true);
  assert.equal((await run(page, "ListTasks")).data.tasks.totalCount, 1);
  await run(page, "Server");

  // A task of a list is claimed and completed, and another one becomes ready. The page inserts the ids.
  await run(page, "ImportTaskList");
  const keys = ({ data }) => data.taskList.readyTasks.nodes.map(({ key }) => key);
  assert.deepEqual(keys(await run(page, "ReadyTasks")), ["T002"]);
  const claimed = (await run(page, "ClaimNextTask")).data.claimNextTask.claim;
  assert.equal(claimed.task.key, "T002");
  await page.screenshot({ path: join(pictures, "claim.png") });
  assert.equal((await run(page, "CompleteClaim")).data.completeClaim.task.status, "COMPLETED");
  assert.deepEqual(keys(await run(page, "ReadyTasks")), ["T003"]);

  // A subscription runs over a WebSocket until it is stopped.
  await page.locator(".graphiql-tab-button").getByText("Follow", { exact: true }).click();
  await page.getByRole("button", { name: /^Execute query/ }).click();
  await page.locator(".result-window").getByText('"cursor"').waitFor();
  const body = JSON.stringify({ query: 'mutation { createTask(input: { title: "Feed the cat" }) { task { id } } }' });
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  await fetch(`${origin}/graphql`, { method: "POST", headers, body });
  await page.locator(".result-window").getByText("Feed the cat").waitFor();
  await page.getByRole("button", { name: /^Stop query/ }).click();
  await page.getByRole("button", { name: /^Execute query/ }).waitFor();

  // The token is stored only for this tab.
  await page.reload();
  await bar.getByText("Signed in as ann@example.com").waitFor();
  assert.equal((await run(page, "WhoAmI")).data.me.email, "ann@example.com");
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);

  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const docs = page.locator(".graphiql-doc-explorer");
  await docs.locator("input").fill("completeTask");
  await docs.getByRole("option", { name: "Mutation.completeTask", exact: true }).click();
  await docs.getByText("UpdateTaskPayload").click();
  await docs.getByText("task", { exact: true }).waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: join(pictures, "docs-dark.png") });
  await page.getByRole("button", { name: "Show GraphiQL Explorer" }).click();
  await page.getByText("WhoAmI").first().waitFor();
  await page.locator(".docExplorerWrap").getByText("username", { exact: true }).first().waitFor();
  await page.getByRole("button", { name: "Show History" }).click();
  await page.locator(".graphiql-history").getByText("CreateDocument").waitFor();
  for (const dialog of ["Open short keys dialog", "Open settings dialog"]) {
    await page.getByRole("button", { name: dialog }).click();
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
  }

  // The editor completes words and underlines mistakes during typing.
  await page.getByRole("button", { name: /New tab/i }).click();
  await page.locator(".graphiql-query-editor .CodeMirror").click();
  await page.keyboard.type("{ serverInfo { ver");
  await page.locator(".CodeMirror-hints").getByText("version").first().waitFor();
  await page.screenshot({ path: join(pictures, "completion.png") });
  await page.keyboard.press("Escape");

  await bar.getByRole("button", { name: "Log out" }).click();
  await bar.getByText("Not signed in").waitFor();
  const old = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ query: "{ me { email } }" }),
  });
  assert.match(JSON.stringify(await old.json()), /Invalid token/, "the session is over on the server too");

  const login = await run(page, "LogIn");
  await bar.getByText("Signed in as ann@example.com").waitFor();
  assert.notEqual(login.data.login.accessToken, token);
  assert.equal((await run(page, "LogOut")).data.logout.success, true);
  await bar.getByText("Not signed in").waitFor();

  assert.ok(requests.some((request) => request.url() === `${origin}/playground/playground.js`));
  assert.deepEqual(faults, []);
  // Proof that violations are detected: a style and a host that the policy forbids.
  await page.evaluate(() => {
    document.head.append(Object.assign(document.createElement("style"), { textContent: "a {}" }));
    return fetch("http://127.0.0.1:9/").catch(() => undefined);
  });
  const found = (directive) => faults.some((fault) => fault.startsWith(`policy: ${directive}`));
  await until(() => found("style-src") && found("connect-src"), "the two reports");
  await page.context().close();
});

test("without introspection the page works and reports that the schema is missing", { timeout: 120_000 }, async () => {
  const { origin } = await start("--introspection", "false");
  const { page, faults } = await open(origin);
  await page.locator("header.bar").getByText("does not answer questions about its schema").waitFor();
  await run(page, "Register");
  assert.equal((await run(page, "CreateTask")).data.createTask.task.status, "PENDING");
  await page.screenshot({ path: join(pictures, "without-introspection.png") });
  // The browser itself reports the refused introspection request.
  assert.deepEqual(faults.filter((fault) => !fault.includes("status of 400")), []);
  await page.context().close();
});

test("pages of listed origins may send requests, and pages of other origins may not", { timeout: 120_000 }, async () => {
  const pageServer = () =>
    createServer((_, response) => response.setHeader("content-type", "text/html").end("<title>a page</title>"));
  const listed = await listen(pageServer());
  const other = await listen(pageServer());
  const { origin } = await start("--cors-origins", listed);
  const ask = async (from) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(from);
    const answer = await page.evaluate(async (url) => {
      const headers = { "content-type": "application/json", authorization: "" };
      try {
        const response = await fetch(url, { method: "POST", headers, body: '{"query":"{ __typename }"}' });
        return [(await response.json()).data.__typename, Boolean(response.headers.get("x-request-id"))];
      } catch (error) {
        return error.name;
      }
    }, `${origin}/graphql`);
    await context.close();
    return answer;
  };
  assert.deepEqual(await ask(listed), ["Query", true]);
  assert.equal(await ask(other), "TypeError");
});

test("the playground works behind a proxy that serves it under a path", { timeout: 120_000 }, async () => {
  const address = await serveUnderPath((await start()).origin);
  const { page, faults } = await open(address);
  const { data } = await run(page, "Register");
  assert.ok(data.register.accessToken);
  for (const path of ["/", "/graphql/"]) {
    await page.goto(address + path);
    assert.equal(page.url(), `${address}/graphql`, path);
  }
  assert.deepEqual(faults, []);
});
