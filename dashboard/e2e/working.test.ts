/** What people do with it day by day: a failure mended, a token revoked, and what a viewer may not do. */

import { afterEach, expect, test } from "vitest";

import { ada, asServer, complaints, dashboardUrl, demoProject, freshPage, grace, signIn } from "./browser";

afterEach(() => {
  expect(complaints.splice(0)).toEqual([]);
});

test("a dead letter is sent again to the right address, and arrives", async () => {
  const address = `typo${Date.now()}+reject@example.com`;
  const made = await asServer("POST", "/v1/notifications", {
    to: { email: address }, channels: ["email"], content: { subject: "Mend me", text: "Hello" },
  });
  await expect.poll(async () => (await asServer("GET", `/v1/notifications/${String(made.id)}`)).status, { timeout: 60_000 }).toBe("failed");
  const page = await freshPage();
  await signIn(page, ada, `/p/${demoProject}/dead-letters`);
  await page.getByRole("link").filter({ hasText: /rejected|refused|recipient/i }).first().click();
  await page.waitForURL("**/dead-letters/*");
  const letter = page.getByRole("listitem").filter({ hasText: address }).or(page.getByRole("row").filter({ hasText: address }));
  await letter.first().getByRole("button", { name: "Redrive" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/Send it by Email to/).fill("mended@example.com");
  await dialog.getByRole("button", { name: "Send it again" }).click();
  await expect.poll(async () => (await asServer("GET", `/v1/notifications/${String(made.id)}`)).status, { timeout: 60_000 }).toBe("sent");
});

test("a token that is revoked is refused", async () => {
  const page = await freshPage();
  await signIn(page, ada, `/p/${demoProject}/tokens`);
  const name = `Revoked ${Date.now()}`; // a stack may have seen this test before
  await page.getByRole("button", { name: "New token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: /make|create/i }).click();
  const token = await dialog.getByText(/nofy_(live|test)_[0-9A-Za-z]{36}/).first().innerText();
  const ask = () => fetch(`${dashboardUrl}/v1/notifications`, { headers: { Authorization: `Bearer ${token.trim()}` } });
  expect((await ask()).status).toBe(403); // it is known, and may only send
  await dialog.getByRole("button", { name: "I have copied it" }).click();
  await page.getByRole("button", { name: `Revoke ${name}` }).click();
  await page.getByRole("button", { name: "Revoke it" }).click();
  await page.getByText(`${name} is revoked`).waitFor();
  await expect.poll(async () => (await ask()).status, { timeout: 35_000 }).toBe(401);
});

test("somebody who is invited to look on may look, and no more", async () => {
  const owner = await freshPage();
  await signIn(owner, ada, `/p/${demoProject}/members`);
  await owner.getByRole("button", { name: "Invite" }).click();
  const dialog = owner.getByRole("dialog");
  await dialog.getByRole("radio", { name: "Viewer" }).check();
  await dialog.getByRole("button", { name: "Make the invitation" }).click();
  const link = (await dialog.getByText(/\/invitations#nofyinv_/).first().innerText()).trim();
  const viewer = await freshPage();
  await signIn(viewer, grace, link.replace(dashboardUrl, ""));
  await viewer.getByRole("button", { name: /join|accept/i }).click();
  await viewer.waitForURL(`**/p/${demoProject}/**`);
  await viewer.goto(`/p/${demoProject}/tokens`);
  await viewer.getByRole("heading", { name: "API tokens" }).waitFor();
  const make = viewer.getByRole("button", { name: "New token" });
  await expect.poll(async () => make.getAttribute("aria-disabled")).toBe("true");
  await viewer.goto(`/p/${demoProject}/audit-log`);
  await viewer.getByText(/does not allow|admin/i).first().waitFor();
});

test("whoever signs out is out, and comes back to where they were", async () => {
  const page = await freshPage();
  await signIn(page, ada, `/p/${demoProject}/tokens`);
  await page.getByRole("button", { name: /your account/i }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in**");
  await page.goto(`/p/${demoProject}/members`);
  await page.waitForURL("**/sign-in**");
  await page.getByLabel("E-mail address").fill(ada.email);
  await page.getByLabel("Password", { exact: true }).fill(ada.password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL(`**/p/${demoProject}/members**`);
});
