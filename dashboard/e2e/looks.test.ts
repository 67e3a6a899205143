/** Every screen, in both themes and on a phone: accessible by axe, no wider than the screen, nothing refused by its policy. */

import { gzipSync } from "node:zlib";

import { afterEach, beforeAll, expect, test } from "vitest";

import { ada, asServer, complaints, dashboardUrl, demoProject, expectAccessible, expectNoSideways, freshPage, type Look, shot, signIn, until } from "./browser";

afterEach(() => {
  expect(complaints.splice(0)).toEqual([]);
});

const PAGES = ["overview", "notifications", "dead-letters", "integrations", "tokens", "members", "audit-log", "settings", "start"];
const LOOKS: [string, Look][] = [
  ["light", { scheme: "light" }],
  ["dark", { scheme: "dark" }],
  ["phone", { scheme: "light", width: 390, height: 844 }],
];

let opened = "";

beforeAll(async () => {
  for (const text of ["Deploy finished: build 42 is live", "Nightly backup done in 14 min", "Invoice 2041 was paid"]) {
    await asServer("POST", "/v1/notifications", {
      to: { email: "grace@example.com", slack_channel: "C0DEPLOYS", phone: "+15550107002" },
      channels: ["slack", "email", "whatsapp"],
      content: { subject: text, text, email: { html: `<h1>${text}</h1><p>Details in the <a href="https://example.com">log</a>.</p>` } },
      tags: ["deploy"],
      reference: "order-1",
    });
  }
  await asServer("POST", "/v1/notifications", {
    to: { email: "nobody+reject@example.com" }, channels: ["email"], content: { subject: "Welcome", text: "Hello" },
  });
  const made = await asServer("POST", "/v1/notifications", {
    to: { email: "ada+503x1@example.com", slack_channel: "C0DEPLOYS" },
    channels: ["slack", "email"],
    content: { subject: "Your order is on its way", text: "It arrives on Tuesday between 9 and 12." },
    priority: "high",
  });
  opened = String(made.id);
  await until(async () => (await asServer("GET", `/v1/notifications/${opened}`)).status === "sent");
  await until(async () => ((await asServer("GET", "/v1/dead-letters/groups")).groups as unknown[]).length > 0);
});

for (const [name, look] of LOOKS) {
  test(`every page in ${name}`, async () => {
    const page = await freshPage(look);
    await signIn(page, ada);
    await page.getByRole("heading", { name: "Your projects" }).waitFor();
    await expectAccessible(page);
    await expectNoSideways(page);
    await shot(page, `${name}-projects`);
    for (const each of [...PAGES, `notifications/${opened}`]) {
      await page.goto(`/p/${demoProject}/${each}`);
      await page.getByRole("heading", { level: 1 }).first().waitFor();
      await page.waitForLoadState("networkidle").catch(() => undefined); // (a live list is never quite idle)
      await expectAccessible(page);
      await expectNoSideways(page);
      await shot(page, `${name}-${each.replace(/\/.*/, "-one")}`);
    }
  });
}

test("an address that is shared shows the same list", async () => {
  const page = await freshPage();
  await signIn(page, ada, `/p/${demoProject}/notifications?status=failed`);
  await page.waitForURL("**status=failed**");
  const list = page.getByRole("list", { name: "Notifications" });
  await list.getByText("failed").first().waitFor();
  expect(await list.getByText("sent", { exact: true }).count()).toBe(0);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/notifications/ntf_**");
});

// What somebody waits for who opens it for the first time; the charts are not in it.
const FIRST_LOAD = 250 * 1024;

for (const [what, path] of [["signing in", "/sign-in"], ["the list", `/p/${demoProject}/notifications`]] as const) {
  test(`${what} is loaded with little`, async () => {
    const page = await freshPage();
    if (path !== "/sign-in") await signIn(page, ada);
    const fetched = new Set<string>();
    page.on("request", (asked) => {
      const { pathname } = new URL(asked.url());
      if (pathname.startsWith("/assets/")) fetched.add(pathname);
    });
    await page.goto(path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForTimeout(1_000);
    const size = async (name: string) => gzipSync(Buffer.from(await (await fetch(dashboardUrl + name)).arrayBuffer())).length;
    const sizes = await Promise.all([...fetched].map(async (name) => [await size(name), name] as const));
    const sum = sizes.reduce((so, [bytes]) => so + bytes, 0);
    const told = sizes.sort(([a], [b]) => b - a).slice(0, 12).map(([bytes, name]) => `${(bytes / 1024).toFixed(0)} KB ${name}`);
    expect(sum, told.join("\n")).toBeLessThanOrEqual(FIRST_LOAD);
  });
}
