import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";

import { callsTo, MAY, never, problem, renderAt } from "./harness";

const AT = "/p/prj_demo/tokens";
const LIST = "GET /v1/projects/*/tokens";
const TOKEN = {
  id: "key_1", name: "Checkout", mode: "live", scopes: ["send", "read"], hint: "nofy_live_abcd…wxyz", created_at: "2026-01-01T00:00:00Z",
  expires_at: null, last_used_at: null, revoked_at: null,
};

it("shows each token's mode, scopes, use and end, and no secret", async () => {
  const old = { ...TOKEN, id: "key_2", name: "Old", mode: "test", revoked_at: "2026-02-01T00:00:00Z" };
  renderAt(AT, { answers: { [LIST]: { tokens: [TOKEN, old] } } });
  const row = (await screen.findByText("Checkout")).closest("tr")!;
  expect(row).toHaveTextContent("nofy_live_abcd…wxyz");
  expect(row).toHaveTextContent("send, read");
  expect(row).toHaveTextContent("never");
  const revoked = screen.getByText("Old").closest("tr")!;
  expect(revoked).toHaveTextContent("revoked");
  expect(within(revoked).queryByRole("button")).toBeNull();
});

it("makes a token and shows its secret once", async () => {
  const made = { ...TOKEN, token: "nofy_test_secretsecretsecret" };
  const { user, calls } = renderAt(`${AT}?mode=test`, { answers: { [LIST]: { tokens: [] }, "POST /v1/projects/*/tokens": made } });
  await screen.findByText("No tokens yet");
  await user.click(screen.getByRole("button", { name: "New token" }));
  await user.type(await screen.findByLabelText("Name"), "Checkout");
  await user.click(screen.getByRole("checkbox", { name: "Read" }));
  await user.click(screen.getByRole("button", { name: "Create token" }));
  expect(await screen.findByText(made.token)).toBeVisible();
  expect(callsTo(calls, "POST /v1/projects/*/tokens")[0]?.body).toEqual({ name: "Checkout", mode: "test", scopes: ["send", "read"] });
  await user.click(screen.getByRole("button", { name: "I have copied it" }));
  await waitFor(() => expect(screen.queryByText(made.token)).toBeNull());
});

it("does not offer a scope that one's own role has not", async () => {
  const { user } = renderAt(AT, { permissions: MAY.developer, answers: { [LIST]: { tokens: [] } } });
  await screen.findByText("Demo");
  await user.click(await screen.findByRole("button", { name: "New token" }));
  expect(await screen.findByRole("checkbox", { name: "Manage" })).toBeDisabled();
  expect(screen.getByRole("checkbox", { name: "Send" })).toBeEnabled();
});

it("asks before it revokes, and says why it could not", async () => {
  const refusal = problem(503, "temporarily_unavailable", "Nothing was accepted; try again shortly");
  const { user, calls } = renderAt(AT, { answers: { [LIST]: { tokens: [TOKEN] }, "DELETE /v1/projects/*/tokens/*": refusal } });
  await user.click(await screen.findByRole("button", { name: "Revoke Checkout" }));
  expect(callsTo(calls, "DELETE /v1/projects/*/tokens/*")).toHaveLength(0);
  await user.click(await screen.findByRole("button", { name: "Revoke it" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Nothing was accepted");
  expect(callsTo(calls, "DELETE /v1/projects/*/tokens/key_1")).toHaveLength(1);
});

it("shows a viewer the list, and why they make none", async () => {
  renderAt(AT, { permissions: MAY.viewer, answers: { [LIST]: { tokens: [TOKEN] } } });
  await screen.findByText("Checkout");
  await waitFor(() => expect(screen.getByRole("button", { name: "New token" })).toHaveAttribute("aria-disabled", "true"));
  expect(screen.queryByRole("button", { name: "Revoke Checkout" })).toBeNull();
});

it("shows that it loads, and an error with a way on", async () => {
  renderAt(AT, { answers: { [LIST]: never } });
  expect(await screen.findByRole("status", { name: "Loading tokens" })).toBeVisible();
  renderAt(AT, { answers: { [LIST]: problem(500, "internal_error", "Something went wrong here") } });
  expect(await screen.findByRole("alert")).toHaveTextContent("Something went wrong here");
});
