import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";

import { callsTo, MAY, never, problem, renderAt } from "./harness";

const AT = "/p/prj_demo/integrations";
const LIST = "GET /v1/projects/*/integrations";
const ADD = "POST /v1/projects/*/integrations";
const CHANGE = "PATCH /v1/projects/*/integrations/*";
const SLACK = {
  id: "int_1", channel: "slack", provider: "slack", name: "Acme", settings: { kind: "bot", limits: { destination: null } },
  credential: { hint: "xoxb-…ab12", version: 1, checked: { team: "Acme Inc", user: "nofy" } }, default: true, held: false,
  created_at: "2026-01-01T00:00:00Z", changed_at: "2026-01-01T00:00:00Z",
};

it("shows what each integration is set to, what its provider said, and whether it works", async () => {
  const held = { ...SLACK, id: "int_2", name: "Second", default: false, held: true };
  renderAt(AT, { answers: { [LIST]: { integrations: [SLACK, held] } } });
  const card = await screen.findByRole("article", { name: "Acme" });
  for (const each of ["Acme Inc", "xoxb-…ab12", "default", "working"]) expect(card).toHaveTextContent(each);
  const other = screen.getByRole("article", { name: "Second" });
  expect(other).toHaveTextContent("held");
  expect(within(other).getByRole("button", { name: "Replace credential" })).toBeVisible();
  expect(screen.getByText(/Nothing can be sent by WhatsApp yet/)).toBeVisible();
});

it("adds one: the first of a channel is its default", async () => {
  const { user, calls } = renderAt(AT, { answers: { [LIST]: { integrations: [] }, [ADD]: { ...SLACK, name: "Email" } } });
  await user.click(await screen.findByRole("button", { name: "Add Email" }));
  await user.type(await screen.findByLabelText("From address"), "hello@example.com");
  await user.type(screen.getByLabelText("From name"), "Example");
  await user.type(screen.getByLabelText("Brevo API key"), "xkeysib-1");
  await user.click(screen.getByRole("button", { name: "Check and add" }));
  await waitFor(() => expect(callsTo(calls, ADD)[0]?.body).toEqual({
    channel: "email", name: "Email", settings: { sender: { email: "hello@example.com", name: "Example" } }, credential: "xkeysib-1", default: true,
  }));
  expect(await screen.findByText("Email is added")).toBeVisible();
});

it("says at the field what the provider refuses, and takes it back when the field changes", async () => {
  const refusal = problem(422, "invalid_request", "The request cannot be accepted as it is", { "/credential": "Slack says invalid_auth" });
  const { user } = renderAt(AT, { answers: { [LIST]: { integrations: [] }, [ADD]: refusal } });
  await user.click(await screen.findByRole("button", { name: "Add Slack" }));
  const token = await screen.findByLabelText("Bot token");
  await user.type(token, "xoxb-1");
  await user.click(screen.getByRole("button", { name: "Check and add" }));
  expect(await screen.findByText("Slack says invalid_auth")).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
  await user.type(token, "2");
  expect(screen.queryByText("Slack says invalid_auth")).toBeNull();
});

it("says that nothing was saved where the provider cannot be asked", async () => {
  const refusal = problem(503, "provider_unavailable", "The provider cannot be asked now; nothing was saved");
  const { user } = renderAt(AT, { answers: { [LIST]: { integrations: [SLACK] }, [CHANGE]: refusal } });
  await user.click(await screen.findByRole("button", { name: "Actions for Acme" }));
  await user.click(await screen.findByRole("menuitem", { name: "Replace credential" }));
  await user.type(await screen.findByLabelText("Bot token"), "xoxb-2");
  await user.click(screen.getByRole("button", { name: "Check and replace" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("nothing was saved");
});

it("changes settings without losing those that the form does not show", async () => {
  const { user, calls } = renderAt(AT, { answers: { [LIST]: { integrations: [SLACK] }, [CHANGE]: SLACK } });
  await user.click(await screen.findByRole("button", { name: "Actions for Acme" }));
  await user.click(await screen.findByRole("menuitem", { name: "Edit settings" }));
  await user.type(await screen.findByLabelText("Name"), " 2");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(callsTo(calls, CHANGE)[0]?.body).toEqual({ name: "Acme 2", settings: SLACK.settings }));
});

it("asks before it removes one, and says why it could not", async () => {
  const route = "DELETE /v1/projects/*/integrations/*";
  const refusal = problem(409, "deliveries_waiting", "deliveries are still to be sent with this integration");
  const { user, calls } = renderAt(AT, { answers: { [LIST]: { integrations: [SLACK] }, [route]: refusal } });
  await user.click(await screen.findByRole("button", { name: "Actions for Acme" }));
  await user.click(await screen.findByRole("menuitem", { name: "Remove" }));
  expect(await screen.findByText(/It is the default for Slack/)).toBeVisible();
  expect(callsTo(calls, route)).toHaveLength(0);
  await user.click(screen.getByRole("button", { name: "Remove it" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("deliveries are still to be sent");
});

it("lets a developer look, and says who changes them", async () => {
  renderAt(AT, { permissions: MAY.developer, answers: { [LIST]: { integrations: [SLACK] } } });
  await screen.findByRole("article", { name: "Acme" });
  await waitFor(() => expect(screen.getByRole("button", { name: "Add Slack" })).toHaveAttribute("aria-disabled", "true"));
  expect(screen.queryByRole("button", { name: "Actions for Acme" })).toBeNull();
});

it("shows that it loads, and an error with a way on", async () => {
  renderAt(AT, { answers: { [LIST]: never } });
  expect(await screen.findByRole("status", { name: "Loading integrations" })).toBeVisible();
  renderAt(AT, { answers: { [LIST]: problem(500, "internal_error", "Something went wrong here") } });
  expect(await screen.findByRole("alert")).toHaveTextContent("Something went wrong here");
});
