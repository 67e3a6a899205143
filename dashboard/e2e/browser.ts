/** A real Chromium on the local stack. What the stack is, the environment says (tests/e2e/test_dashboard.py). */

import axe from "axe-core";
import { mkdirSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";

function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

export const dashboardUrl = given("DASHBOARD_URL");
export const inboxUrl = given("INBOX_URL");
export const demoProject = given("PROJECT_ID");
export const demoToken = given("API_TOKEN");
export const credential = {
  slack: given("SLACK_CREDENTIAL"),
  brevo: given("BREVO_CREDENTIAL"),
  whatsapp: given("WHATSAPP_CREDENTIAL"),
  whatsappNumber: given("WHATSAPP_PHONE_NUMBER_ID"),
};

export interface Person {
  email: string;
  password: string;
}

export const ada: Person = { email: "ada@example.com", password: "nofy-local-ada" };
export const grace: Person = { email: "grace@example.com", password: "nofy-local-grace" };

let browser: Browser | undefined;

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: given("CHROMIUM"), args: ["--no-sandbox", "--disable-dev-shm-usage"] });
});

afterAll(async () => {
  await browser?.close();
});

export interface Look {
  width?: number;
  height?: number;
  scheme?: "light" | "dark";
}

/** A page of a browser that nobody has used before; what it complains of fails the test (`complaints`). */
export async function freshPage({ width = 1280, height = 800, scheme = "light" }: Look = {}): Promise<Page> {
  if (!browser) throw new Error("the browser has not started");
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, baseURL: dashboardUrl });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: dashboardUrl });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // What the API refuses on purpose shows as a failed load; what the page's policy refuses is a bug.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(message.text());
  });
  return page;
}

/** Errors of scripts, and what the Content-Security-Policy refused. */
export const complaints: string[] = [];

export async function signIn(page: Page, person: Person, to = "/"): Promise<void> {
  await page.goto(`/sign-in?to=${encodeURIComponent(to)}`);
  await page.getByLabel("E-mail address").fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}

/** WCAG 2.2 A and AA, by axe, of what is on the page now. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.waitForTimeout(400); // what fades in has its full contrast afterwards
  await page.evaluate(axe.source);
  const found = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    }),
  );
  const told = found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ")).join(", ")}`);
  expect.soft(told, page.url()).toEqual([]);
}

/** Nothing may be wider than the screen. */
export async function expectNoSideways(page: Page): Promise<void> {
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect.soft(wider, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(0);
}

/** For people who want to look: SHOTS=folder keeps what the tests saw. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.SHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png` });
}

/** Before a test's own polling may be used: what the stack does by itself takes a second or two. */
export async function until(done: () => Promise<boolean>, patienceMs = 60_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A call of the API as a server makes it, with the demo project's token. */
export async function asServer(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${dashboardUrl}${path}`, {
    method,
    headers: { Authorization: `Bearer ${demoToken}`, "Content-Type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return (await answer.json()) as Record<string, unknown>;
}
