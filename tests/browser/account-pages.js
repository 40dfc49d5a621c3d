// Tests the pages that the links of mails lead to with Chromium: follows the links of real mails, presses the buttons, and
// checks what the server has done. The token of a link leaves the browser in the operation only.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import { before, test } from "node:test";
import { ask, browser, listen, mail, newPage, pictures, serveUnderPath, start, until } from "./support.js";

const PATHS = ["reset-password", "verify-email"];
const OLD = "correct-horse-1";
const NEW = "correct-horse-2";
const UNKNOWN = "0123456789abcdefghijABCDEFGHIJ0123456789abcd";
const NOT_VALID = "This link is not valid any more. Ask for a new one.";
const LIMIT = { timeout: 120_000 };

let server;
before(async () => {
  server = await start("--log-format", "json", "--limit-credentials-per-minute", "0", "--limit-mails-per-hour", "0");
});

let users = 0;

/** Registers a user; returns the address and the access token. */
async function register() {
  const email = `user${(users += 1)}@example.com`;
  const mutation = "mutation($input: RegisterInput!) { register(input: $input) { accessToken } }";
  const { register: session } = await ask(server, mutation, { input: { email, password: OLD } });
  return { email, token: session.accessToken };
}

const signIn = (usernameOrEmail, password) =>
  ask(server, "mutation($input: LoginInput!) { login(input: $input) { accessToken } }", { input: { usernameOrEmail, password } });

/** The link of a mail. */
const link = async (...which) => (await mail(server, ...which)).match(/^http.*$/m)[0];

const tokenOf = (url) => url.split("#token=")[1];

/** Requests a mail for a new password, the user's mail with this number, and returns its link. */
async function resetLink(email, number = 1) {
  await ask(server, "mutation($email: String!) { requestPasswordReset(usernameOrEmail: $email) { message } }", { email });
  return link("reset-password", email, number);
}

/** Opens a link; the page takes the token out of the address bar. */
async function follow(url, options) {
  const opened = await newPage(new URL(url).origin, options);
  await opened.page.goto(url);
  return opened;
}

const pageUrl = (path, fragment = `#token=${UNKNOWN}`) => `${server.origin}/account/${path}${fragment}`;

const password = (page) => page.getByLabel("New password", { exact: true });
const repetition = (page) => page.getByLabel("New password again");
const verifyButton = (page) => page.getByRole("button", { name: "Verify address" });

async function setPassword(page, first, second = first) {
  await password(page).fill(first);
  await repetition(page).fill(second);
  await page.getByRole("button", { name: "Set password" }).click();
}

const passwordIsSet = (page, email) => page.getByText(`Now sign in as ${email} with the new password.`).waitFor();

/** Waits until the focus is on an element, which the page moves there after it has changed. */
const hasFocus = (page, id) => page.waitForFunction((id) => document.activeElement.id === id, id);

/** The description that assistive technology reads for an input. */
const description = (locator) =>
  locator.evaluate((input) =>
    input.getAttribute("aria-describedby").split(" ").map((id) => document.getElementById(id).textContent).join(" "),
  );

test("the link of a mail sets a new password, once", LIMIT, async () => {
  const { email, token } = await register();
  const url = await resetLink(email);
  const { page, faults } = await follow(url, { colorScheme: "light" });
  await page.getByText("At least 8 and at most 128 characters.").waitFor();
  assert.equal(page.url(), pageUrl("reset-password", ""));
  await hasFocus(page, "newPassword");
  await page.screenshot({ path: join(pictures, "reset-password.png") });
  await setPassword(page, NEW);
  await passwordIsSet(page, email);
  await hasFocus(page, "done");
  await page.screenshot({ path: join(pictures, "reset-password-done.png") });
  assert.equal(await page.locator("form").count(), 0);
  assert.deepEqual(faults, []);
  await assert.rejects(signIn(email, OLD), /INVALID_CREDENTIALS/);
  await assert.rejects(ask(server, "{ me { id } }", {}, token), /UNAUTHENTICATED/);
  await signIn(email, NEW);
  // A reload and the history do not have the token any more.
  await page.reload();
  await page.getByText("This page works only with the link of a mail.").waitFor();
  assert.equal(await page.evaluate(() => history.length), 2);
  const again = (await follow(url)).page;
  await setPassword(again, "correct-horse-3");
  await again.getByRole("alert").getByText(NOT_VALID).waitFor();
  assert.equal(await again.locator("form").count(), 0);
  await signIn(email, NEW);
});

test("API keys are revoked unless the user keeps them", LIMIT, async () => {
  const { email, token } = await register();
  const verify = { token: tokenOf(await link("verify-email", email)) };
  await ask(server, "mutation($token: String!) { verifyEmail(token: $token) { email } }", verify);
  const input = { name: "A script", scopes: ["TASKS_READ"], currentPassword: OLD };
  const created = await ask(server, "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { token } }", { input }, token);
  const key = created.createApiKey.token;
  const kept = (await follow(await resetLink(email))).page;
  await kept.getByLabel("Also revoke my API keys").uncheck();
  await setPassword(kept, NEW);
  await passwordIsSet(kept, email);
  await ask(server, "{ currentApiKey { id } }", {}, key);
  const revoked = (await follow(await resetLink(email, 2))).page;
  await setPassword(revoked, "correct-horse-3");
  await passwordIsSet(revoked, email);
  await assert.rejects(ask(server, "{ currentApiKey { id } }", {}, key), /UNAUTHENTICATED/);
});

test("every fault of a new password is shown at its input, and the link still works", LIMIT, async () => {
  const { email } = await register();
  const { page } = await follow(await resetLink(email), { colorScheme: "dark" });
  await setPassword(page, NEW, "correct-horse-3");
  await hasFocus(page, "repeated");
  assert.match(await description(repetition(page)), /The password is not the same as the first one\./);
  await setPassword(page, "short");
  await page.getByText(/The password must have at least 8 characters and must contain .*digit/).waitFor();
  assert.match(await description(password(page)), /digit/);
  await hasFocus(page, "newPassword");
  await page.screenshot({ path: join(pictures, "reset-password-faults-dark.png") });
  await setPassword(page, NEW);
  await passwordIsSet(page, email);
});

test("a link that is not valid ends the page with the sentence of the server", LIMIT, async () => {
  for (const path of PATHS) {
    for (const token of [UNKNOWN, "%3Cb%3Ex"]) {
      const { page } = await follow(pageUrl(path, `#token=${token}`));
      if (path === "reset-password") await setPassword(page, NEW);
      else await verifyButton(page).click();
      await page.getByRole("alert").getByText(NOT_VALID).waitFor();
      assert.equal(await page.locator("form").count(), 0);
      assert.equal(await page.getByText("Perhaps your earlier attempt").isVisible(), false);
    }
  }
});

test("an attempt without a certain outcome can be repeated, and the page says that it may have worked", LIMIT, async () => {
  const { page } = await follow(pageUrl("reset-password"));
  const limited = { message: "Too many attempts. Try again in 42 seconds.", extensions: { code: "RATE_LIMITED", status: 429 } };
  const responses = [
    (route) => route.fulfill({ json: { data: null, errors: [limited] } }),
    (route) => route.abort(),
    (route) => route.fulfill({ status: 502, body: "<h1>Bad gateway</h1>" }),
  ];
  await page.route("**/graphql", (route) => {
    const isReset = route.request().postDataJSON().query.includes("resetPassword");
    return isReset && responses.length ? responses.shift()(route) : route.continue();
  });
  const alert = page.getByRole("alert");
  await setPassword(page, NEW);
  await alert.getByText("Try again in 42 seconds.").waitFor();
  await page.screenshot({ path: join(pictures, "reset-password-limited.png") });
  for (const remaining of [1, 0]) {
    await page.getByRole("button", { name: "Set password" }).click();
    await alert.getByText("The server did not answer.").waitFor();
    assert.equal(responses.length, remaining);
  }
  await page.getByRole("button", { name: "Set password" }).click();
  await alert.getByText(NOT_VALID).waitFor();
  await page.getByText("Perhaps your earlier attempt has set the password.").waitFor();
});

test("the link of a mail verifies an address by one button, as often as it is pressed", LIMIT, async () => {
  const { email, token } = await register();
  const isVerified = async () => (await ask(server, "{ me { emailVerified } }", {}, token)).me.emailVerified;
  const url = await link("verify-email", email);
  for (let time = 0; time < 2; time += 1) {
    const { page, faults } = await follow(url, { colorScheme: "light" });
    await verifyButton(page).waitFor();
    await page.screenshot({ path: join(pictures, "verify-email.png") });
    assert.equal(page.url(), pageUrl("verify-email", ""));
    assert.equal(await isVerified(), time > 0, "opening the link verifies nothing");
    await verifyButton(page).click();
    await page.getByText(`${email} is the e-mail address of your account.`).waitFor();
    await page.screenshot({ path: join(pictures, "verify-email-done.png") });
    assert.equal(await isVerified(), true);
    assert.deepEqual(faults, []);
  }
});

test("a new address that another account has taken is refused with the sentence of the server", LIMIT, async () => {
  const ann = await register();
  const newEmail = `user${users + 1}@example.com`;
  const input = { newEmail, currentPassword: OLD };
  await ask(server, "mutation($input: ChangeEmailInput!) { changeEmail(input: $input) { user { id } } }", { input }, ann.token);
  const url = await link("confirm-email", newEmail);
  assert.equal((await register()).email, newEmail);
  const { page } = await follow(url);
  await verifyButton(page).click();
  await page.getByRole("alert").getByText("This e-mail address belongs to another account.").waitFor();
  assert.equal(await verifyButton(page).count(), 1);
});

test("a second press during an attempt sends nothing", LIMIT, async () => {
  const { email } = await register();
  const { page } = await follow(await link("verify-email", email));
  let sent = 0;
  let finish;
  const finished = new Promise((done) => (finish = done));
  await page.route("**/graphql", async (route) => {
    sent += 1;
    await finished;
    await route.continue();
  });
  for (let press = 0; press < 3; press += 1) await verifyButton(page).click();
  finish();
  await page.getByText("Your address is verified").waitFor();
  assert.equal(sent, 1);
});

test("a page without a token says so, and a link that is opened in its place works", LIMIT, async () => {
  for (const path of PATHS) {
    for (const fragment of ["", "#", "#token=", "#other=x"]) {
      const { page } = await follow(pageUrl(path, fragment));
      await page.getByText("This page works only with the link of a mail.").waitFor();
      assert.equal(await page.getByRole("button").count(), 0, path + fragment);
      await page.goto(pageUrl(path));
      await page.getByRole("button").waitFor();
      assert.equal(page.url(), pageUrl(path, ""));
      await page.context().close();
    }
  }
});

test("without JavaScript the pages say that they need it", LIMIT, async () => {
  for (const path of PATHS) {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(pageUrl(path));
    const hint = page.locator("noscript p");
    await hint.waitFor();
    assert.match(await hint.innerText(), /^This page needs JavaScript\./);
    assert.equal(await page.getByRole("button").count(), 0);
    await page.screenshot({ path: join(pictures, `${path}-without-script.png`) });
    await context.close();
  }
});

test("the pages fit a narrow window", LIMIT, async () => {
  for (const path of PATHS) {
    const { page } = await follow(pageUrl(path), { viewport: { width: 320, height: 640 } });
    await page.getByRole("button").waitFor();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 320, `${path} is ${width} pixels wide`);
    await page.screenshot({ path: join(pictures, `${path}-narrow.png`), fullPage: true });
  }
});

test("the pages work behind a proxy that serves them under a path, with a slash at the end too", LIMIT, async () => {
  const address = await serveUnderPath(server.origin);
  const { email } = await register();
  for (const [number, slash] of ["", "/"].entries()) {
    const links = [await link("verify-email", email), await resetLink(email, number + 1)];
    for (const url of links) {
      const { page, faults } = await newPage(address);
      await page.goto(url.replace(server.origin, address).replace("#", `${slash}#`));
      if (url.includes("reset-password")) {
        await page.getByText("At least one digit.").waitFor();
        await setPassword(page, NEW);
      } else {
        await verifyButton(page).click();
      }
      await page.locator("#done").getByText(email).waitFor();
      assert.equal(page.url(), url.replace(server.origin, address).split("#")[0]);
      assert.deepEqual(faults, []);
    }
  }
});

test("the token is in no address that the browser asks for, and in no line of the log", LIMIT, async () => {
  const referers = new Map();
  const other = await listen(
    createServer((request, response) => {
      referers.set(request.url, request.headers.referer);
      response.end();
    }),
  );
  const { email } = await register();
  const tokens = [];
  for (const url of [await link("verify-email", email), await resetLink(email)]) {
    tokens.push(tokenOf(url));
    const { page, requests } = await follow(url.replace("#", "?from=mail#"));
    if (url.includes("reset-password")) {
      await page.getByText("At least one digit.").waitFor();
      await setPassword(page, NEW);
    } else {
      await verifyButton(page).click();
    }
    await page.locator("#done").waitFor();
    const path = new URL(url).pathname;
    await page.evaluate((url) => (location.href = url), other + path);
    await page.waitForURL(other + path);
    const seen = await Promise.all(requests.map(async (request) => [request.url(), (await request.allHeaders()).referer]));
    assert.equal(seen[0][0], url.replace(/#.*/, "?from=mail"));
    assert.ok(!JSON.stringify(seen).includes(tokenOf(url)), JSON.stringify(seen));
    assert.ok(referers.has(path));
    assert.equal(referers.get(path), undefined);
  }
  await until(() => /"operation":"ResetPassword"/.test(server.log()), "the log of the reset");
  for (const path of PATHS) assert.ok(server.log().includes(`"path":"/account/${path}"`));
  for (const token of tokens) assert.ok(!server.log().includes(token));
});
