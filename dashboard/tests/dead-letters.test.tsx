import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import type { components } from "@/api/schema";

import { type Call, callsTo, MAY, type Options, problem, PROJECT_ID, renderAt } from "./harness";

type Group = components["schemas"]["DeadLetterGroup"];
type Letter = components["schemas"]["DeadLetter"];

const PAGE = `/p/${PROJECT_ID}/dead-letters`;
const AT = "2026-05-01T09:00:00.000+00:00";

const group = (more: Partial<Group> = {}): Group => ({
  fingerprint: "fp1", count: 12, open: 7, first_seen: AT, last_seen: AT,
  sample: { id: "dlt_1", reason: "rejected_recipient: no such mailbox", channel: "email" }, links: { dead_letters: "" }, ...more,
});

const letter = (more: Partial<Letter> = {}): Letter => ({
  id: "dlt_1", status: "open", reason: "no such mailbox", fingerprint: "fp1", channel: "email", destination: "ada@example.com",
  delivery_id: "dlv_1", delivery_status: "failed", notification_id: "ntf_1", attempt_no: 1, redrive_no: 0, previous: null,
  created_at: AT, redriven_at: null, discarded_at: null, discard_reason: null,
  links: { self: "", redrive: "", discard: "", notification: "" }, ...more,
});

const PREVIEW = {
  matching: 9, redrivable: 7, not_redrivable: 2, past_expiry: 3,
  recipients: { count: 6, sample: [{ channel: "email", destination: "ada@example.com" }] },
};

const atGroups = (groups: Group[], more: Options = {}) =>
  renderAt(PAGE, { ...more, answers: { "GET /v1/dead-letters/groups": { groups, next_cursor: null }, ...more.answers } });
const atGroup = (more: Options = {}, letters: Letter[] = [letter()]) =>
  renderAt(`${PAGE}/fp1`, {
    ...more,
    answers: {
      "GET /v1/dead-letters/groups": { groups: [group()], next_cursor: null },
      "GET /v1/dead-letters": { dead_letters: letters, next_cursor: null },
      "POST /v1/dead-letters/redrive/preview": PREVIEW,
      ...more.answers,
    },
  });

describe("Dead letters by cause", () => {
  it("shows each cause with how many are open, and those dealt with on demand", async () => {
    const { user } = atGroups([group(), group({ fingerprint: "fp2", open: 0, sample: { id: "dlt_2", reason: "timed out", channel: "slack" } })]);
    const list = await screen.findByRole("list", { name: "Causes" });
    expect(within(list).getAllByRole("link")).toHaveLength(1);
    expect(within(list).getByRole("link")).toHaveTextContent(/no such mailbox.*Email.*7 open.*of 12/);
    expect(within(list).getByRole("link")).toHaveAttribute("href", `${PAGE}/fp1`);
    await user.click(screen.getByLabelText("All"));
    expect(await screen.findByText("timed out")).toBeInTheDocument();
  });

  it("says what would appear where there is nothing, and that all is dealt with where it is", async () => {
    const { unmount } = atGroups([]);
    expect(await screen.findByText("No dead letters")).toBeInTheDocument();
    unmount();
    atGroups([group({ open: 0 })]);
    expect(await screen.findByText("Nothing is open")).toBeInTheDocument();
  });

  it("shows a problem with a way to try again", async () => {
    atGroups([], { answers: { "GET /v1/dead-letters/groups": problem(503, "store_unavailable", "Nofy cannot be asked now") } });
    expect(await screen.findByRole("button", { name: "Try again" })).toBeInTheDocument();
  });
});

describe("One cause", () => {
  it("shows its letters, what became of them, and links to their notifications", async () => {
    const { calls, user } = atGroup({}, [letter(), letter({ id: "dlt_2", destination: "bob@example.com", status: "discarded", discarded_at: AT, discard_reason: "gone" })]);
    expect(await screen.findByRole("link", { name: "ada@example.com" })).toHaveAttribute("href", `/p/${PROJECT_ID}/notifications/ntf_1`);
    expect(screen.getByText(/: gone/)).toBeInTheDocument();
    await user.click(screen.getByLabelText("Redriven"));
    await waitFor(() => expect(callsTo(calls, "GET /v1/dead-letters").at(-1)?.query).toEqual({ fingerprint: "fp1", limit: "50", status: "redriven" }));
  });

  it("previews a redrive, then does it at the wished pace and shows how far it is", async () => {
    const { user, calls } = atGroup({ answers: { "POST /v1/dead-letters/redrive": ({ body }: Call) => ({ redriven: (body as { max: number }).max, remaining: 0, last_due_at: AT }) } });
    await user.click(await screen.findByRole("button", { name: "Redrive…" }));
    const dialog = await screen.findByRole("dialog");
    expect(await within(dialog).findByText(/can be sent again/)).toHaveTextContent("7 of 9 open dead letters can be sent again, to 6 addresses");
    expect(within(dialog).getByText(/2 cannot/)).toBeInTheDocument();
    expect(within(dialog).getByText(/ada@example.com \(Email\) and 5 more/)).toBeInTheDocument();
    await user.click(within(dialog).getByLabelText(/Leave out 3 past their expiry/));
    const pace = within(dialog).getByLabelText("A second, at most");
    await user.clear(pace);
    await user.type(pace, "100");
    await user.click(within(dialog).getByRole("button", { name: "Send 4 again" }));
    expect(await within(dialog).findByText(/on their way/)).toHaveTextContent("4 of 4");
    const [asked, ...others] = callsTo(calls, "POST /v1/dead-letters/redrive").map((each) => each.body as Record<string, unknown>);
    expect(others).toHaveLength(0);
    expect(asked).toMatchObject({ fingerprint: "fp1", max: 4, per_second: 100, skip_expired: true });
    expect(asked?.created_before).toEqual(expect.any(String));
  });

  it("goes on a few seconds' worth at a time, and stops where one says so", async () => {
    const { user, calls } = atGroup({ answers: { "POST /v1/dead-letters/redrive": ({ body }: Call) => ({ redriven: (body as { max: number }).max, remaining: 5, last_due_at: AT }) } });
    await user.click(await screen.findByRole("button", { name: "Redrive…" }));
    const dialog = await screen.findByRole("dialog");
    const pace = await within(dialog).findByLabelText("A second, at most");
    await user.clear(pace);
    await user.type(pace, "0.2");
    await user.click(within(dialog).getByRole("button", { name: "Send 7 again" }));
    await within(dialog).findByText("1");
    await user.click(within(dialog).getByRole("button", { name: "Stop here" }));
    expect(await within(dialog).findByText(/Stopped/)).toHaveTextContent("1 of 7");
    expect(callsTo(calls, "POST /v1/dead-letters/redrive")).toHaveLength(1);
  });

  it("says when fewer were left than it began with", async () => {
    const { user } = atGroup({ answers: { "POST /v1/dead-letters/redrive": { redriven: 3, remaining: 0, last_due_at: AT } } });
    await user.click(await screen.findByRole("button", { name: "Redrive…" }));
    await user.click(await screen.findByRole("button", { name: "Send 7 again" }));
    expect(await screen.findByText(/the others had moved on/)).toHaveTextContent("3 of 7");
  });

  it("is not worked through any further when a request fails", async () => {
    const { user } = atGroup({ answers: { "POST /v1/dead-letters/redrive": problem(503, "store_unavailable", "Nofy cannot be asked now") } });
    await user.click(await screen.findByRole("button", { name: "Redrive…" }));
    await user.click(await screen.findByRole("button", { name: "Send 7 again" }));
    expect(await screen.findByText(/stopped at a problem/)).toHaveTextContent("0 of 7");
  });

  it("redrives one letter to another address, with other words", async () => {
    const content = { subject: "Deploy finished", text: "Build 42", html: '<div style="white-space:pre-wrap">Build 42</div>' };
    const { user, calls } = atGroup({
      answers: { "GET /v1/notifications/*": { id: "ntf_1", deliveries: [{ id: "dlv_1", content }] }, "POST /v1/dead-letters/*/redrive": letter({ status: "redriven" }) },
    });
    await user.click(await screen.findByRole("button", { name: "Redrive ada@example.com" }));
    const address = await screen.findByLabelText(/Send it by Email to/);
    await user.clear(address);
    await user.type(address, "ada@example.org");
    await user.click(screen.getByLabelText("Change what it says"));
    const words = await screen.findByLabelText("Text");
    expect(words).toHaveValue("Build 42");
    await user.type(words, "!");
    await user.click(screen.getByRole("button", { name: "Send it again" }));
    await waitFor(() => expect(callsTo(calls, "POST /v1/dead-letters/*/redrive")[0]?.body).toEqual({
      to: { email: "ada@example.org" }, content: { subject: "Deploy finished", text: "Build 42!" },
    }));
    expect(await screen.findByText("It is on its way again")).toBeInTheDocument();
  });

  it("redrives one letter as it is, without a body, and shows a wrong address at its field", async () => {
    const { user, calls } = atGroup({ answers: { "POST /v1/dead-letters/*/redrive": problem(422, "invalid_request", "No", { "/to/email": "not an e-mail address" }) } });
    await user.click(await screen.findByRole("button", { name: "Redrive ada@example.com" }));
    await user.click(await screen.findByRole("button", { name: "Send it again" }));
    expect(await screen.findByText("not an e-mail address")).toBeInTheDocument();
    expect(callsTo(calls, "POST /v1/dead-letters/*/redrive")[0]?.body).toBeUndefined();
  });

  it("discards one, or all, and only with a reason", async () => {
    const { user, calls } = atGroup({ answers: { "POST /v1/dead-letters/*/discard": letter({ status: "discarded" }), "POST /v1/dead-letters/discard": { discarded: 7, remaining: 0 } } });
    await user.click(await screen.findByRole("button", { name: "Discard ada@example.com" }));
    expect(await screen.findByRole("button", { name: "Discard" })).toBeDisabled();
    await user.type(screen.getByLabelText(/Why/), "  left the company ");
    await user.click(screen.getByRole("button", { name: "Discard" }));
    await waitFor(() => expect(callsTo(calls, "POST /v1/dead-letters/*/discard")[0]?.body).toEqual({ reason: "left the company" }));
    await user.click(screen.getByRole("button", { name: "Discard all" }));
    await user.type(await screen.findByLabelText(/Why/), "old");
    await user.click(screen.getByRole("button", { name: "Discard" }));
    await waitFor(() => expect(callsTo(calls, "POST /v1/dead-letters/discard")[0]?.body).toEqual({ fingerprint: "fp1", reason: "old", max: 1000 }));
    expect(await screen.findByText("7 discarded")).toBeInTheDocument();
  });

  it("shows a viewer everything and lets them change nothing", async () => {
    const { user } = atGroup({ permissions: MAY.viewer });
    for (const name of ["Redrive…", "Discard all", "Redrive ada@example.com", "Discard ada@example.com"]) {
      const button = await screen.findByRole("button", { name });
      expect(button).toHaveAttribute("aria-disabled", "true");
      await user.click(button);
    }
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  });
});
