import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";

import { callsTo, never, problem, PROJECT, renderAt } from "./harness";

const { permissions: _, ...MINE } = { ...PROJECT, role: "owner" };

it("lists where one belongs, with one's role, and what is archived", async () => {
  const projects = [MINE, { ...MINE, id: "prj_old", name: "Old", role: "viewer", archived_at: "2026-02-01T00:00:00Z" }];
  renderAt("/", { answers: { "GET /v1/projects": { projects } } });
  const [first, second] = await screen.findAllByRole("listitem");
  expect(within(first!).getByRole("link")).toHaveAttribute("href", "/p/prj_demo");
  expect(first).toHaveTextContent("owner");
  expect(second).toHaveTextContent("archived");
});

it("offers the first project where there is none, and goes on to its first steps", async () => {
  const { user, calls, at } = renderAt("/", { answers: { "GET /v1/projects": { projects: [] }, "POST /v1/projects": MINE } });
  expect(await screen.findByText("Make your first project")).toBeVisible();
  await user.type(screen.getByLabelText("Name"), "  Demo ");
  await user.click(screen.getByRole("button", { name: "Create project" }));
  await waitFor(() => expect(at()).toBe("/p/prj_demo/start"));
  expect(callsTo(calls, "POST /v1/projects")[0]?.body).toEqual({ name: "Demo" });
});

it("says at the field what is wrong with a name", async () => {
  const refusal = problem(422, "invalid_request", "The request cannot be accepted as it is", { "/name": "one line, please" });
  const { user } = renderAt("/", { answers: { "GET /v1/projects": { projects: [MINE] }, "POST /v1/projects": refusal } });
  await user.click(await screen.findByRole("button", { name: "New project" }));
  await user.type(screen.getByLabelText("Name"), "x");
  await user.click(screen.getByRole("button", { name: "Create project" }));
  expect(await screen.findByText("one line, please")).toBeVisible();
});

it("shows that it loads, and what to do when that fails", async () => {
  renderAt("/", { answers: { "GET /v1/projects": never } }).unmount();
  renderAt("/", { answers: { "GET /v1/projects": problem(503, "temporarily_unavailable", "Nothing was accepted; try again shortly") } });
  expect(await screen.findByRole("alert")).toHaveTextContent("Nothing was accepted");
  expect(screen.getByRole("button", { name: "Try again" })).toBeVisible();
});

it("signs out from the account menu", async () => {
  const { user, at } = renderAt("/", { answers: { "GET /v1/projects": { projects: [MINE] } } });
  await user.click(await screen.findByRole("button", { name: "Ada Lovelace, your account" }));
  await user.click(await screen.findByRole("menuitem", { name: "Sign out" }));
  await waitFor(() => expect(at()).toContain("/sign-in"));
});
