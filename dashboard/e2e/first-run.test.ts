import { afterEach, expect, test } from "vitest";

import { ada, complaints, credential, expectAccessible, freshPage, shot, signIn } from "./browser";

afterEach(() => {
  expect(complaints.splice(0)).toEqual([]);
});

const CHANNELS = [
  { label: "Slack", recipient: /channel/i, to: "C0FIRST", fill: { "Bot token": credential.slack } },
  {
    label: "Email",
    recipient: /address/i,
    to: "first@example.com",
    fill: { "From address": "hello@rocket.example", "Brevo API key": credential.brevo },
  },
  {
    label: "WhatsApp",
    recipient: /phone/i,
    to: "+15550107001",
    fill: { "Phone number id": credential.whatsappNumber, "Access token": credential.whatsapp },
  },
];

test("from signing in to a message on all three channels, without reading anything", async () => {
  const began = Date.now();
  const page = await freshPage();
  await page.goto("/");
  await page.waitForURL("**/sign-in**");
  await expectAccessible(page);
  await shot(page, "sign-in");
  await signIn(page, ada);

  await page.getByRole("button", { name: "New project" }).click();
  await page.getByLabel("Name").fill("Rocket");
  await page.getByRole("button", { name: "Create project" }).click();
  await page.waitForURL("**/start");

  await page.getByRole("button", { name: "Make a live token" }).click();
  await page.getByText(/nofy_live_[0-9A-Za-z]{36}/).first().waitFor();

  for (const [index, { label, recipient, to, fill }] of CHANNELS.entries()) {
    if (index > 0) await page.getByRole("button", { name: "Add another" }).click();
    await page.getByText("knows this credential").waitFor({ state: "hidden" });
    await page.getByRole("radiogroup", { name: "Channel", exact: true }).getByText(label, { exact: true }).click();
    for (const [field, value] of Object.entries(fill)) await page.getByLabel(field, { exact: true }).fill(value);
    await page.getByRole("button", { name: "Check and add" }).click();
    await page.getByText("knows this credential").waitFor();

    await page.getByRole("radiogroup", { name: "Channel to send on" }).getByText(label, { exact: true }).click();
    const send = page.locator("form").filter({ has: page.getByRole("button", { name: "Send it" }) });
    await send.getByRole("textbox", { name: recipient }).first().fill(to);
    if (label === "Email") await send.getByLabel("Subject").fill("First light");
    await send.getByLabel("Text", { exact: true }).fill("It works");
    await page.getByRole("button", { name: "Send it" }).click();
    await page.getByRole("status").filter({ hasText: "sent" }).waitFor({ timeout: 60_000 });
  }
  const seconds = (Date.now() - began) / 1000;
  expect(seconds, "two minutes is what a first run may take").toBeLessThan(120);
  await expectAccessible(page);
  await shot(page, "start");

  // What a server would copy from here is whole: the project's own token and values.
  const snippet = await page.getByRole("tabpanel").filter({ visible: true }).last().innerText();
  expect(snippet).toMatch(/nofy_live_/);
});

test("a credential that its provider does not know is refused at its field", async () => {
  const page = await freshPage();
  await signIn(page, ada);
  await page.getByRole("link", { name: /Rocket/ }).first().click();
  await page.getByRole("link", { name: "Integrations" }).click();
  await page.getByRole("button", { name: /add/i }).first().click();
  const token = page.getByLabel("Bot token");
  if (!(await token.isVisible())) await page.getByText("Slack", { exact: true }).last().click();
  await token.fill("xoxb-nobody-has-given-this-out");
  await page.getByRole("button", { name: "Check and add" }).click();
  await page.getByText(/invalid_auth|does not know|refused/i).first().waitFor();
});
