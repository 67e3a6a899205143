import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";

import { callsTo, MAY, never, problem, PROJECT, renderAt } from "./harness";

const AT = "/p/prj_demo/members";
const LIST = "GET /v1/projects/*/members";
const OPEN = "GET /v1/projects/*/invitations";
const INVITE = "POST /v1/projects/*/invitations";
const ADA = { id: "usr_ada", email: "ada@example.com", name: "Ada Lovelace", role: "owner", joined_at: "2026-01-01T00:00:00Z" };
const GRACE = { id: "usr_grace", email: "grace@example.com", name: "Grace Hopper", role: "developer", joined_at: "2026-01-02T00:00:00Z" };
const INVITATION = { id: "inv_1", role: "admin", email: "joan@example.com", created_at: "2026-01-01T00:00:00Z", expires_at: "2026-01-08T00:00:00Z" };
const both = { [LIST]: { members: [ADA, GRACE] }, [OPEN]: { invitations: [] } };

it("gives somebody another role", async () => {
  const route = "PATCH /v1/projects/*/members/*";
  const { user, calls } = renderAt(AT, { answers: { ...both, [route]: { ...GRACE, role: "viewer" } } });
  await user.click(await screen.findByRole("combobox", { name: "Role of Grace Hopper" }));
  await user.click(await screen.findByRole("option", { name: /Viewer/ }));
  await waitFor(() => expect(callsTo(calls, "PATCH /v1/projects/*/members/usr_grace")[0]?.body).toEqual({ role: "viewer" }));
  expect(await screen.findByText("Grace Hopper is viewer now")).toBeVisible();
});

it("lets an admin neither make nor unmake an owner", async () => {
  const { user } = renderAt(AT, { permissions: MAY.admin, answers: both });
  await user.click(await screen.findByRole("combobox", { name: "Role of Grace Hopper" }));
  await screen.findByRole("option", { name: /Admin/ });
  expect(screen.queryByRole("option", { name: /Owner/ })).toBeNull();
  expect(screen.queryByRole("combobox", { name: "Role of Ada Lovelace" })).toBeNull();
});

it("asks before it removes somebody", async () => {
  const route = "DELETE /v1/projects/*/members/*";
  const { user, calls } = renderAt(AT, { answers: { ...both, [route]: { id: GRACE.id, removed: true } } });
  await user.click(await screen.findByRole("button", { name: "Remove Grace Hopper" }));
  expect(callsTo(calls, route)).toHaveLength(0);
  await user.click(await screen.findByRole("button", { name: "Remove" }));
  await waitFor(() => expect(callsTo(calls, "DELETE /v1/projects/*/members/usr_grace")).toHaveLength(1));
});

it("says that the last owner cannot leave", async () => {
  const refusal = problem(409, "last_owner", "a project has at least one owner");
  const { user } = renderAt(AT, { answers: { ...both, "POST /v1/projects/*/leave": refusal } });
  await user.click(await screen.findByRole("button", { name: "Leave" }));
  await user.click(await within(await screen.findByRole("dialog")).findByRole("button", { name: "Leave" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("a project has at least one owner");
});

it("invites somebody and shows the whole link once", async () => {
  const made = { ...INVITATION, link: "/invitations#nfi_secret", sent_by_email: true };
  const { user, calls } = renderAt(AT, { answers: { ...both, [INVITE]: made } });
  await user.click(await screen.findByRole("button", { name: "Invite" }));
  await user.type(await screen.findByLabelText("E-mail address"), "joan@example.com");
  await user.click(screen.getByRole("radio", { name: "Admin" }));
  await user.click(screen.getByRole("button", { name: "Make the invitation" }));
  expect(await screen.findByText(`${window.location.origin}/invitations#nfi_secret`)).toBeVisible();
  expect(screen.getByText(/on its way to joan@example.com/)).toBeVisible();
  expect(callsTo(calls, INVITE)[0]?.body).toEqual({ role: "admin", email: "joan@example.com" });
});

it("closes an open invitation", async () => {
  const route = "DELETE /v1/projects/*/invitations/*";
  const { user, calls } = renderAt(AT, { answers: { ...both, [OPEN]: { invitations: [INVITATION] }, [route]: { id: "inv_1", removed: true } } });
  await user.click(await screen.findByRole("button", { name: "Close the invitation for joan@example.com" }));
  await user.click(await screen.findByRole("button", { name: "Close it" }));
  await waitFor(() => expect(callsTo(calls, "DELETE /v1/projects/*/invitations/inv_1")).toHaveLength(1));
});

it("shows a viewer who is there, and changes nothing", async () => {
  renderAt(AT, { permissions: MAY.viewer, answers: both });
  await screen.findByText("Grace Hopper");
  await waitFor(() => expect(screen.getByRole("button", { name: "Invite" })).toHaveAttribute("aria-disabled", "true"));
  expect(screen.queryByRole("combobox")).toBeNull();
  expect(screen.queryByRole("button", { name: "Remove Grace Hopper" })).toBeNull();
});

it("shows that it loads, and an error with a way on", async () => {
  renderAt(AT, { answers: { [LIST]: never, [OPEN]: { invitations: [] } } });
  expect(await screen.findByRole("status", { name: "Loading members" })).toBeVisible();
  renderAt(AT, { answers: { [LIST]: problem(500, "internal_error", "Something went wrong here"), [OPEN]: { invitations: [] } } });
  expect(await screen.findByRole("alert")).toHaveTextContent("Something went wrong here");
});

it("takes an invitation's token from behind the #, and joins", async () => {
  const { permissions: _, ...joined } = PROJECT;
  const { user, calls, at } = renderAt("/invitations#nfi_secret", { answers: { "POST /v1/invitations/accept": { ...joined, role: "admin" } } });
  await user.click(await screen.findByRole("button", { name: "Join the project" }));
  await waitFor(() => expect(at()).toContain("/p/prj_demo"));
  expect(callsTo(calls, "POST /v1/invitations/accept")[0]?.body).toEqual({ token: "nfi_secret" });
});

it.each([
  ["not_found", 404, /not open any more/],
  ["invitation_for_another_person", 403, /for another e-mail address/],
])("says what is wrong with an invitation: %s", async (code, status, words) => {
  const { user } = renderAt("/invitations#nfi_secret", { answers: { "POST /v1/invitations/accept": problem(status, code, "No") } });
  await user.click(await screen.findByRole("button", { name: "Join the project" }));
  expect(await screen.findByText(words)).toBeVisible();
});

it("says that a link without its token is not whole", async () => {
  renderAt("/invitations");
  expect(await screen.findByText("This link is not whole")).toBeVisible();
});
