// What the tests with Chromium share: the browser, programs in empty folders, and pages that report what their content
// security policy forbids. TASKHOLD_BIN is the program, PICTURES the folder for screenshots, CHROMIUM the browser.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, request as forward } from "node:http";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

const program = resolve(process.env.TASKHOLD_BIN ?? "../../target/debug/taskhold");
export const pictures = resolve(process.env.PICTURES ?? "../../target/browser");
const FLAGS =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

export let browser;
const folders = [];
const running = [];

before(async () => {
  mkdirSync(pictures, { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS.split(" "),
  });
});

after(async () => {
  await browser?.close();
  for (const child of running) {
    const gone = new Promise((done) => child.once("exit", done));
    if (child.kill("SIGTERM")) await gone;
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Listens on a free loopback port and returns the origin. */
export async function listen(server) {
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}

async function freePort() {
  const server = createServer();
  const { port } = new URL(await listen(server));
  await new Promise((done) => server.close(done));
  return port;
}

/** Starts a proxy that serves an origin under /tasks/ and strips this prefix; returns the address. */
export async function serveUnderPath(origin) {
  const server = createServer((request, response) => {
    if (!request.url.startsWith("/tasks/")) return response.writeHead(404).end();
    const { method, headers } = request;
    const forwarded = forward(`${origin}${request.url.slice("/tasks".length)}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    request.pipe(forwarded);
  });
  return `${await listen(server)}/tasks`;
}

/** Starts the program in an empty folder; returns its origin, the folder and a function that returns its output. */
export async function start(...options) {
  const folder = mkdtempSync(join(tmpdir(), "taskhold-browser-"));
  folders.push(folder);
  const port = await freePort();
  const child = spawn(program, ["--port", port, "--shutdown-grace", "0s", ...options], {
    cwd: folder,
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.push(child);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  const origin = `http://127.0.0.1:${port}`;
  await until(async () => {
    assert.equal(child.exitCode, null, "the program ended");
    return (await fetch(`${origin}/readyz`).catch(() => undefined))?.ok;
  }, "the program is ready");
  return { origin, folder, log: () => output };
}

/** Repeats a check until its result is true, and returns that. */
export async function until(check, what) {
  for (let tries = 0; tries < 300; tries += 1) {
    const result = await check();
    if (result) return result;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`not within 30 s: ${what}`);
}

/** The mail of a kind to an address with this number, a file in the folder of the program; waits for it. */
export function mail({ folder }, kind, email, number = 1) {
  const mails = join(folder, "data", "mail");
  return until(() => {
    const names = existsSync(mails) ? readdirSync(mails).filter((name) => name.endsWith(".eml") && name.includes(`-${kind}-`)) : [];
    const texts = names.sort().map((name) => readFileSync(join(mails, name), "utf8"));
    return texts.filter((text) => text.includes(`To: ${email}\r\n`))[number - 1];
  }, `a mail ${kind} to ${email}`);
}

/** Sends an operation without a browser; returns the data. An error of the response is thrown as its code. */
export async function ask({ origin }, query, variables, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${origin}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].extensions.code);
  return data;
}

/** An empty page in a fresh profile, with the list of its errors and forbidden requests. */
export async function newPage(origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const faults = [];
  const requests = [];
  await page.exposeFunction("reportViolation", (what) => faults.push(`policy: ${what}`));
  await page.addInitScript(() =>
    addEventListener("securitypolicyviolation", (event) =>
      window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`),
    ),
  );
  page.on("console", (message) => {
    if (message.type() === "error" || /content security policy/i.test(message.text())) faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("worker", (worker) => faults.push(`worker: ${worker.url()}`));
  context.on("request", (request) => {
    requests.push(request);
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith("data:")) faults.push(`asks elsewhere: ${url}`);
  });
  return { page, faults, requests };
}
