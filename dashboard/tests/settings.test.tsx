import { screen, waitFor, within } from "@testing-library/react";
import { expect, it } from "vitest";

import { callsTo, MAY, never, problem, PROJECT, renderAt } from "./harness";

const AT = "/p/prj_demo/settings";
const CHANGE = "PATCH /v1/projects/*";
const ERASE = "DELETE /v1/recipients";

it("renames the project, and sends what changed alone", async () => {
  const { user, calls } = renderAt(AT, { answers: { [CHANGE]: { ...PROJECT, name: "Demo 2" } } });
  await user.type(await screen.findByLabelText("Name"), " 2");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(callsTo(calls, CHANGE)[0]?.body).toEqual({ name: "Demo 2" }));
  expect(await screen.findByText("Saved")).toBeVisible();
});

it("says at the field that content cannot be kept for so long", async () => {
  const refusal = problem(422, "invalid_request", "The request cannot be accepted as it is", { "/retention_days": "at most 365 days" });
  const { user } = renderAt(AT, { answers: { [CHANGE]: refusal } });
  const days = await screen.findByLabelText("Content is kept for");
  await user.clear(days);
  await user.type(days, "9999");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("at most 365 days")).toBeVisible();
});

it("erases a recipient's data when asked twice, and tells what was erased and what remains", async () => {
  const report = { erased: { notifications: 12, deliveries: 15, cancelled: 2, in_flight: 0 }, remains: ["What was sent is with the providers."] };
  const { user, calls } = renderAt(AT, { answers: { [ERASE]: report } });
  await user.type(await screen.findByLabelText("Address"), "+15550100");
  await user.click(screen.getByRole("button", { name: "Erase data" }));
  expect(callsTo(calls, ERASE)).toHaveLength(0);
  await user.click(await screen.findByRole("button", { name: "Erase for good" }));
  expect(await screen.findByText("What was sent is with the providers.")).toBeVisible();
  expect(screen.getByText("notifications blanked", { exact: false })).toHaveTextContent("12 notifications blanked");
  expect(callsTo(calls, ERASE)[0]?.query).toEqual({ address: "+15550100" });
});

it("says at the field that something is no address", async () => {
  const refusal = problem(422, "invalid_request", "The request cannot be accepted as it is", { "?/address": "neither an address nor a number" });
  const { user } = renderAt(AT, { answers: { [ERASE]: refusal } });
  await user.type(await screen.findByLabelText("Address"), "x y");
  await user.click(screen.getByRole("button", { name: "Erase data" }));
  await user.click(await screen.findByRole("button", { name: "Erase for good" }));
  expect(await screen.findByText("neither an address nor a number")).toBeVisible();
});

it("archives the project for whoever types its name, and for nobody else", async () => {
  const route = "POST /v1/projects/*/archive";
  const { user, calls, at } = renderAt(AT, { answers: { [route]: PROJECT, "GET /v1/projects": { projects: [] } } });
  await user.click(await screen.findByRole("button", { name: "Archive project" }));
  const dialog = await screen.findByRole("dialog");
  const archive = await within(dialog).findByRole("button", { name: "Archive it" });
  expect(archive).toBeDisabled();
  await user.type(within(dialog).getByLabelText("Type Demo to confirm"), "Demo");
  await user.click(archive);
  await waitFor(() => expect(callsTo(calls, route)[0]?.body).toEqual({ name: "Demo" }));
  await waitFor(() => expect(at()).toBe("/"));
});

it("lets a developer read it, and says who changes it", async () => {
  renderAt(AT, { permissions: MAY.developer });
  expect(await screen.findByLabelText("Name")).toBeDisabled();
  expect(screen.getByText("Admins and owners change these.")).toBeVisible();
  for (const name of ["Save", "Erase data", "Archive project"]) expect(screen.getByRole("button", { name })).toHaveAttribute("aria-disabled", "true");
});

it("shows that it loads, and that the project cannot be had", async () => {
  renderAt(AT, { answers: { "GET /v1/projects/*": never } });
  expect(await screen.findByRole("status", { name: "Loading settings" })).toBeVisible();
  renderAt(AT, { answers: { "GET /v1/projects/*": problem(404, "not_found", "There is no such thing in this project") } });
  expect(await screen.findByRole("alert")).toHaveTextContent("There is no such thing");
});
