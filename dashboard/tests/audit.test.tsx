import { screen, waitFor } from "@testing-library/react";
import { expect, it } from "vitest";

import { ACTIONS, sentence } from "@/features/audit/sentences";

import { callsTo, MAY, never, problem, renderAt } from "./harness";

const AT = "/p/prj_demo/audit-log";
const LIST = "GET /v1/projects/*/audit-log";
const entry = (id: string, action: string, target: string, details: object = {}) => ({
  id, at: "2026-01-01T00:00:00Z", actor: { kind: "user", id: "usr_ada", name: "Ada Lovelace" }, action, target, details, request_id: `req_${id}`,
});

it("tells what was done in sentences, by the names of whom it was done to", async () => {
  const members = [{ id: "usr_grace", email: "grace@example.com", name: "Grace Hopper", role: "viewer", joined_at: "2026-01-01T00:00:00Z" }];
  const entries = [
    entry("1", "member.role_changed", "usr_grace", { from: "developer", to: "viewer" }),
    entry("2", "notification.cancelled", "ntf_1"),
  ];
  renderAt(AT, { answers: { [LIST]: { entries, next_cursor: null }, "GET /v1/projects/*/members": { members } } });
  expect(await screen.findByText(/changed the role of Grace Hopper from developer to viewer/)).toBeVisible();
  expect(screen.getByRole("link", { name: "Open the notification" })).toHaveAttribute("href", "/p/prj_demo/notifications/ntf_1");
  expect(screen.queryByRole("button", { name: "Load more" })).toBeNull();
});

it("loads more, from where the page before ended", async () => {
  const { user, calls } = renderAt(AT, { answers: { [LIST]: ({ query }) => query.cursor === "c1"
    ? { entries: [entry("2", "token.revoked", "key_2")], next_cursor: null }
    : { entries: [entry("1", "token.revoked", "key_1")], next_cursor: "c1" } } });
  await user.click(await screen.findByRole("button", { name: "Load more" }));
  expect(await screen.findByText(/revoked the token key_2/)).toBeVisible();
  expect(screen.getByText(/revoked the token key_1/)).toBeVisible();
  expect(callsTo(calls, LIST)).toHaveLength(2);
});

it("filters by an action, which stands in the address", async () => {
  const { user, calls, at } = renderAt(AT, { answers: { [LIST]: { entries: [], next_cursor: null } } });
  await user.click(await screen.findByRole("combobox", { name: "Action" }));
  await user.click(await screen.findByRole("option", { name: "token.created" }));
  await waitFor(() => expect(at()).toBe(`${AT}?action=token.created`));
  expect(await screen.findByText(/Nobody did that in this project/)).toBeVisible();
  expect(callsTo(calls, LIST).at(-1)?.query.action).toBe("token.created");
});

it("says who sees it to somebody who does not", async () => {
  const { calls } = renderAt(AT, { permissions: MAY.developer, answers: { [LIST]: problem(403, "forbidden", "This is not allowed here") } });
  expect(await screen.findByText("Admins and owners see the audit log")).toBeVisible();
  expect(callsTo(calls, LIST).length).toBeLessThanOrEqual(1);
});

it("shows that it loads, and an error with a way on", async () => {
  renderAt(AT, { answers: { [LIST]: never } });
  expect(await screen.findByRole("status", { name: "Loading the audit log" })).toBeVisible();
  renderAt(AT, { answers: { [LIST]: problem(500, "internal_error", "Something went wrong here") } });
  expect(await screen.findByRole("alert")).toHaveTextContent("Something went wrong here");
});

it("has a sentence for every action, and shows one that it does not know as it is", () => {
  for (const action of ACTIONS) expect(sentence({ action, target: "x", details: {} })).not.toContain(action);
  expect(sentence({ action: "thing.done", target: "x", details: {} })).toBe("did thing.done to x");
});
