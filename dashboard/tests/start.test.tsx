import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";

import { isFixed, requestOf } from "@/features/start/draft";
import { snippets } from "@/features/start/snippets";

import { answer, type Answers, callsTo, MAY, problem, renderAt } from "./harness";

const AT = "/p/prj_demo/start";
const TOKEN = {
  id: "key_1", name: "First steps", mode: "live", scopes: ["send", "read"], hint: "nofy_live_abcd…wxyz", created_at: "2026-01-01T00:00:00Z",
  expires_at: null, last_used_at: null, revoked_at: null,
};
const SLACK = {
  id: "int_1", channel: "slack", provider: "slack", name: "Slack", settings: { kind: "bot" },
  credential: { hint: "xoxb-…ab12", version: 1, checked: { team: "Acme Inc" } }, default: true, held: false,
  created_at: "2026-01-01T00:00:00Z", changed_at: "2026-01-01T00:00:00Z",
};
const SENT = {
  id: "ntf_1", status: "scheduled", created_at: "2026-01-01T00:00:00.000Z", deliveries: [],
  timeline: [{ at: "2026-01-01T00:00:00.000Z", event: "accepted", channel: null, detail: null }],
};
const ARRIVED = {
  ...SENT, status: "sent",
  timeline: [...SENT.timeline, { at: "2026-01-01T00:00:00.520Z", event: "acknowledged", channel: "slack", detail: "after one attempt" }],
};

const nothing = (): Answers => ({
  "GET /v1/projects/*/tokens": { tokens: [] },
  "GET /v1/projects/*/integrations": { integrations: [] },
  "GET /v1/notifications": { notifications: [], next_cursor: null },
});

/** A project that keeps what it is given, as far as the page asks for it again. */
function project(): Answers {
  const have = { tokens: [] as object[], integrations: [] as object[], notifications: [] as object[] };
  let asked = 0;
  return {
    "GET /v1/projects/*/tokens": () => ({ tokens: have.tokens }),
    "GET /v1/projects/*/integrations": () => ({ integrations: have.integrations }),
    "GET /v1/notifications": () => ({ notifications: have.notifications, next_cursor: null }),
    "POST /v1/projects/*/tokens": () => {
      have.tokens.push(TOKEN);
      return { ...TOKEN, token: "nofy_live_secret" };
    },
    "POST /v1/projects/*/integrations": () => {
      have.integrations.push(SLACK);
      return SLACK;
    },
    "POST /v1/notifications": () => {
      have.notifications.push(SENT);
      return answer(SENT, 202);
    },
    "GET /v1/notifications/ntf_1": () => (asked++ === 0 ? SENT : ARRIVED),
  };
}

const isDone = (name: string) => within(screen.getByRole("region", { name })).queryByRole("img", { name: "done" }) !== null;

it("leads from nothing to a message that arrived, and ticks each step off by itself", async () => {
  const { user, calls } = renderAt(AT, { answers: project() });
  await user.click(await screen.findByRole("button", { name: "Make a live token" }));
  await screen.findByText("nofy_live_secret");
  expect(isDone("Make an API token")).toBe(true);

  expect(isDone("Add an account to send with")).toBe(false);
  await user.type(await screen.findByLabelText("Bot token"), "xoxb-1");
  await user.click(screen.getByRole("button", { name: "Check and add" }));
  expect(await screen.findByText("Slack knows this credential")).toBeVisible();
  await waitFor(() => expect(isDone("Add an account to send with")).toBe(true));

  await user.type(screen.getByLabelText("Slack channel"), "C0DEPLOYS");
  await user.click(screen.getByRole("button", { name: "Send it" }));
  expect(await screen.findByText("acknowledged")).toBeVisible();
  expect(screen.getByText("+520 ms")).toBeVisible();
  expect(isDone("Send a notification")).toBe(true);
  const [sent] = callsTo(calls, "POST /v1/notifications");
  expect(sent?.body).toEqual({ to: { slack_channel: "C0DEPLOYS" }, channels: [{ channel: "slack" }], content: { text: "It works." } });
  expect(sent?.headers.get("Nofy-Mode")).toBe("live");
  expect(screen.getByLabelText("curl code")).toHaveTextContent("Bearer nofy_live_secret");
});

it("sends in the mode of the switch, and says what that means", async () => {
  const { user, calls } = renderAt(`${AT}?mode=test`, { answers: { ...project(), "GET /v1/projects/*/integrations": { integrations: [SLACK] } } });
  expect(await screen.findByText(/stops at a simulated provider/)).toBeVisible();
  await user.type(await screen.findByLabelText("Slack channel"), "C0DEPLOYS");
  await user.click(screen.getByRole("button", { name: "Send a test" }));
  await waitFor(() => expect(callsTo(calls, "POST /v1/notifications")[0]?.headers.get("Nofy-Mode")).toBe("test"));
});

it("says at the field what is wrong with a notification", async () => {
  const refusal = problem(422, "invalid_request", "The request cannot be accepted as it is", { "/to/slack_channel": "no such channel id" });
  const { user } = renderAt(AT, { answers: { ...nothing(), "GET /v1/projects/*/integrations": { integrations: [SLACK] }, "POST /v1/notifications": refusal } });
  const to = await screen.findByLabelText("Slack channel");
  await user.click(screen.getByRole("button", { name: "Send it" }));
  expect(screen.getByText("A recipient, like C0123456789")).toBeVisible();
  await user.type(to, "C0");
  await user.click(screen.getByRole("button", { name: "Send it" }));
  expect(await screen.findByText("no such channel id")).toBeVisible();
});

it("does not send on a channel without an account, and says so", async () => {
  renderAt(AT, { answers: nothing() });
  await screen.findByLabelText("Bot token");
  const send = screen.getByRole("button", { name: "Send it" });
  expect(send).toHaveAttribute("aria-disabled", "true");
  expect(send).toHaveAttribute("title", "Add an account for Email above first.");
});

it("shows a viewer the steps, and offers none of them", async () => {
  renderAt(AT, { permissions: MAY.viewer, answers: nothing() });
  expect(await screen.findByRole("button", { name: "Add one" })).toHaveAttribute("aria-disabled", "true");
  expect(screen.getByRole("button", { name: "Make a live token" })).toHaveAttribute("aria-disabled", "true");
});

it("writes code that quotes what it is given", () => {
  const request = requestOf({ channel: "email", to: "ada@example.com", subject: "It's \"on\"", text: "a\nb" });
  const [curl, python, node] = snippets("https://nofy.example", "nofy_live_x", request);
  expect(curl?.code).toContain("It'\\''s \\\"on\\\"");
  expect(python?.code).toContain('"subject": "It\'s \\"on\\""');
  expect(node?.code).toContain('"text": "a\\nb"');
});

it("asks for no recipient where the account is an incoming webhook", () => {
  const webhook = { ...SLACK, settings: { kind: "webhook" } } as unknown as Parameters<typeof isFixed>[1][number];
  expect(isFixed("slack", [webhook])).toBe(true);
  expect(isFixed("email", [webhook])).toBe(false);
});
