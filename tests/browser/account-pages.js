// Tests the pages that the links of mails lead to with Chromium: what they send, what they show for each outcome, and
// that the token of a link leaves the browser in the operation only.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { before, test } from "node:test";
import { browser, listen, newPage, pictures, serveUnderPath, start } from "./support.js";

const TOKEN = "0123456789abcdefghijABCDEFGHIJ0123456789abcd";
const LIMIT = { timeout: 60_000 };

let server;
before(async () => (server = await start("--log-format", "json")));

/** Opens the link of a mail. */
async function follow(origin, path, options) {
  const opened = await newPage(origin, options);
  await opened.page.goto(`${origin}/account/${path}`);
  return opened;
}

/** Lets the page get these responses to an operation, one after the other; returns the requests. */
async function respond(page, field, ...responses) {
  const sent = [];
  await page.route("**/graphql", async (route) => {
    const body = route.request().postDataJSON();
    if (!body.query.includes(field)) return route.continue();
    sent.push(body);
    const response = responses.shift();
    if (response === "no connection") return route.abort();
    if (typeof response === "string") return route.fulfill({ status: 502, body: response });
    return route.fulfill({ json: response });
  });
  return sent;
}

const refusal = (message, extensions) => ({ data: null, errors: [{ message, extensions }] });
const NOT_VALID = "This link is not valid any more. Ask for a new one.";
const notValid = refusal(NOT_VALID, { code: "INVALID_CREDENTIALS", status: 401 });

const password = (page) => page.getByLabel("New password", { exact: true });
const repetition = (page) => page.getByLabel("New password again");

async function setPassword(page, first, second = first) {
  await password(page).fill(first);
  await repetition(page).fill(second);
  await page.getByRole("button", { name: "Set password" }).click();
}

/** The description that assistive technology reads for an input. */
const description = (locator) =>
  locator.evaluate((input) =>
    input.getAttribute("aria-describedby").split(" ").map((id) => document.getElementById(id).textContent).join(" "),
  );

test("the page sets a new password", LIMIT, async () => {
  const { page, faults } = await follow(server.origin, `reset-password#token=${TOKEN}`, { colorScheme: "light" });
  const sent = await respond(page, "resetPassword", { data: { resetPassword: { email: "ann@example.com" } } });
  await page.getByText("At least 8 and at most 128 characters.").waitFor();
  assert.equal(page.url(), `${server.origin}/account/reset-password`);
  assert.ok(await password(page).evaluate((input) => input === document.activeElement));
  await page.screenshot({ path: join(pictures, "reset-password.png") });
  await setPassword(page, "correct-horse-2");
  await page.getByText("Now sign in as ann@example.com with the new password.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), "done");
  await page.screenshot({ path: join(pictures, "reset-password-done.png") });
  assert.equal(await page.locator("form").count(), 0);
  const input = { token: TOKEN, newPassword: "correct-horse-2", revokeApiKeys: true };
  assert.deepEqual(sent.map(({ variables }) => variables), [{ input }]);
  assert.deepEqual(faults, []);
  // A reload and the history do not have the token any more.
  await page.reload();
  await page.getByText("This page works only with the link of a mail.").waitFor();
  assert.equal(await page.evaluate(() => history.length), 2);
});

test("API keys are kept if the user chooses so", LIMIT, async () => {
  const { page } = await follow(server.origin, `reset-password#token=${TOKEN}`);
  const sent = await respond(page, "resetPassword", { data: { resetPassword: { email: "ann@example.com" } } });
  await page.getByLabel("Also revoke my API keys").uncheck();
  await setPassword(page, "correct-horse-2");
  await page.getByText("Your password is set").waitFor();
  assert.equal(sent[0].variables.input.revokeApiKeys, false);
});

test("every fault of a new password is shown at its input", LIMIT, async () => {
  const { page } = await follow(server.origin, `reset-password#token=${TOKEN}`, { colorScheme: "dark" });
  const fault = (message, rule) => ({ path: ["input", "newPassword"], message, rule });
  const fields = [fault("must have at least 8 characters", "too_short"), fault("must contain a digit", "weak")];
  const bad = refusal("2 values are invalid.", { code: "BAD_USER_INPUT", status: 400, fields });
  const sent = await respond(page, "resetPassword", bad, { data: { resetPassword: { email: "ann@example.com" } } });
  await setPassword(page, "correct-horse-2", "correct-horse-3");
  assert.match(await description(repetition(page)), /The password is not the same as the first one\./);
  assert.equal(await page.evaluate(() => document.activeElement.id), "repeated");
  assert.equal(sent.length, 0);
  await setPassword(page, "short");
  await page.getByText("The password must have at least 8 characters and must contain a digit.").waitFor();
  assert.match(await description(password(page)), /must contain a digit/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "newPassword");
  await page.screenshot({ path: join(pictures, "reset-password-faults-dark.png") });
  await setPassword(page, "correct-horse-2");
  await page.getByText("Your password is set").waitFor();
});

test("a link that is not valid ends the page with the sentence of the server", LIMIT, async () => {
  for (const path of ["reset-password", "verify-email"]) {
    const { page } = await follow(server.origin, `${path}#token=%3Cb%3Ex`);
    await respond(page, path === "verify-email" ? "verifyEmail" : "resetPassword", notValid);
    if (path === "reset-password") await setPassword(page, "correct-horse-2");
    else await page.getByRole("button", { name: "Verify address" }).click();
    await page.getByRole("alert").getByText(NOT_VALID).waitFor();
    assert.equal(await page.locator("form").count(), 0);
    assert.equal(await page.getByText("Perhaps your earlier attempt").isVisible(), false);
  }
});

test("an attempt without a certain outcome can be repeated, and the page says that it may have worked", LIMIT, async () => {
  const { page } = await follow(server.origin, `reset-password#token=${TOKEN}`);
  const limited = refusal("Too many attempts. Try again in 42 seconds.", { code: "RATE_LIMITED", status: 429, retryAfter: 42 });
  await respond(page, "resetPassword", limited, "no connection", "<h1>Bad gateway</h1>", notValid);
  await setPassword(page, "correct-horse-2");
  await page.getByRole("alert").getByText("Try again in 42 seconds.").waitFor();
  await page.screenshot({ path: join(pictures, "reset-password-limited.png") });
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await page.getByRole("button", { name: "Set password" }).click();
    await page.getByRole("alert").getByText("The server did not answer.").waitFor();
  }
  await page.getByRole("button", { name: "Set password" }).click();
  await page.getByText(NOT_VALID).waitFor();
  await page.getByText("Perhaps your earlier attempt has set the password.").waitFor();
});

test("the page verifies an address by one button", LIMIT, async () => {
  const { page, faults } = await follow(server.origin, `verify-email#token=${TOKEN}`, { colorScheme: "light" });
  const taken = refusal("This e-mail address belongs to another account.", {
    code: "CONFLICT",
    status: 409,
    fields: [{ path: ["token"], message: "belongs to another account", rule: "taken" }],
  });
  const sent = await respond(page, "verifyEmail", taken, { data: { verifyEmail: { email: "ann@example.com" } } });
  await page.screenshot({ path: join(pictures, "verify-email.png") });
  assert.equal(page.url(), `${server.origin}/account/verify-email`);
  const button = page.getByRole("button", { name: "Verify address" });
  await button.click();
  await page.getByRole("alert").getByText("This e-mail address belongs to another account.").waitFor();
  await button.click();
  await page.getByText("ann@example.com is the e-mail address of your account.").waitFor();
  await page.screenshot({ path: join(pictures, "verify-email-done.png") });
  assert.deepEqual(sent.map(({ variables }) => variables), [{ token: TOKEN }, { token: TOKEN }]);
  assert.deepEqual(faults, []);
});

test("a second press during an attempt sends nothing", LIMIT, async () => {
  const { page } = await follow(server.origin, `verify-email#token=${TOKEN}`);
  let sent = 0;
  let finish;
  const finished = new Promise((done) => (finish = done));
  await page.route("**/graphql", async (route) => {
    sent += 1;
    await finished;
    await route.fulfill({ json: { data: { verifyEmail: { email: "ann@example.com" } } } });
  });
  const button = page.getByRole("button", { name: "Verify address" });
  for (let press = 0; press < 3; press += 1) await button.click();
  finish();
  await page.getByText("Your address is verified").waitFor();
  assert.equal(sent, 1);
});

test("a page without a token says so, and a link that is opened in its place works", LIMIT, async () => {
  for (const path of ["reset-password", "verify-email"]) {
    for (const fragment of ["", "#", "#token=", "#other=x"]) {
      const { page } = await follow(server.origin, path + fragment);
      await page.getByText("This page works only with the link of a mail.").waitFor();
      assert.equal(await page.getByRole("button").count(), 0, path + fragment);
      await page.goto(`${server.origin}/account/${path}#token=${TOKEN}`);
      await page.getByRole("button").waitFor();
      assert.equal(page.url(), `${server.origin}/account/${path}`);
      await page.context().close();
    }
  }
});

test("without JavaScript the pages say that they need it", LIMIT, async () => {
  for (const path of ["reset-password", "verify-email"]) {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${server.origin}/account/${path}#token=${TOKEN}`);
    const hint = page.locator("noscript p");
    await hint.waitFor();
    assert.match(await hint.innerText(), /^This page needs JavaScript\./);
    assert.equal(await page.getByRole("button").count(), 0);
    await page.screenshot({ path: join(pictures, `${path}-without-script.png`) });
    await context.close();
  }
});

test("the pages fit a narrow window", LIMIT, async () => {
  for (const path of ["reset-password", "verify-email"]) {
    const { page } = await follow(server.origin, `${path}#token=${TOKEN}`, { viewport: { width: 320, height: 640 } });
    await page.getByRole("button").waitFor();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 320, `${path} is ${width} pixels wide`);
    await page.screenshot({ path: join(pictures, `${path}-narrow.png`), fullPage: true });
  }
});

test("the pages work behind a proxy that serves them under a path, with a slash at the end too", LIMIT, async () => {
  const address = await serveUnderPath(server.origin);
  for (const path of ["reset-password", "verify-email", "reset-password/"]) {
    const { page, faults } = await follow(address, `${path}#token=${TOKEN}`);
    const field = path === "verify-email" ? "verifyEmail" : "resetPassword";
    await respond(page, field, { data: { [field]: { email: "ann@example.com" } } });
    if (field === "resetPassword") {
      await page.getByText("At least one digit.").waitFor();
      await setPassword(page, "correct-horse-2");
    } else {
      await page.getByRole("button").click();
    }
    await page.locator("#done").waitFor();
    assert.equal(page.url(), `${address}/account/${path.replace("/", "")}`);
    assert.deepEqual(faults, []);
  }
});

test("the token is in no address that the browser asks for, and in no line of the log", LIMIT, async () => {
  const elsewhere = [];
  const other = await listen(
    createServer((request, response) => {
      elsewhere.push(request.url, request.headers.referer);
      response.end();
    }),
  );
  const { page, requests } = await follow(server.origin, `reset-password?from=mail#token=${TOKEN}`);
  await page.getByText("At least one digit.").waitFor();
  await page.evaluate((url) => (location.href = url), other);
  await page.waitForURL(`${other}/`);
  const seen = await Promise.all(requests.map(async (request) => [request.url(), (await request.allHeaders()).referer]));
  assert.equal(seen[0][0], `${server.origin}/account/reset-password?from=mail`);
  assert.ok(!JSON.stringify(seen).includes(TOKEN), JSON.stringify(seen));
  assert.deepEqual(elsewhere.slice(0, 2), ["/", undefined]);
  assert.match(server.log(), /"path":"\/account\/reset-password"/);
  assert.ok(!server.log().includes(TOKEN));
});
