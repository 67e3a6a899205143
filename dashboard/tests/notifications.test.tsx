import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import type { components } from "@/api/schema";
import { understood } from "@/features/notifications/filters";
import { inert, remotes } from "@/features/notifications/mail";

import { callsTo, MAY, never, type Options, problem, PROJECT_ID, renderAt } from "./harness";

type Notification = components["schemas"]["Notification"];
type Whole = components["schemas"]["NotificationWithTimeline"];
type Delivery = components["schemas"]["DeliveryWithContent"];

const LIST = `/p/${PROJECT_ID}/notifications`;
const ID = "ntf_01h455vb4pex5vsknk084sn02q";
const AT = "2026-05-01T09:00:00.000+00:00";

function notification(id: string, more: Partial<Notification> = {}): Notification {
  return {
    id, status: "sent", class: "transactional", priority: "normal", mode: "live", to: { email: "ada@example.com" },
    content: { subject: `About ${id}`, text: "Hello" }, send_at: AT, expires_at: AT, delivery_mode: "at_least_once",
    reference: null, tags: [], metadata: {}, created_at: AT, deliveries: [delivery()], links: { self: `/v1/notifications/${id}` }, ...more,
  };
}

function delivery(more: Partial<Delivery> = {}): Delivery {
  return {
    id: "dlv_1", channel: "email", provider: "brevo", status: "sent", destination: "ada@example.com", due_at: AT, reason: null,
    provider_message_id: null, attempts: [], content: { subject: "Deploy finished", html: "<p>Build 42</p>" }, ...more,
  };
}

function whole(more: Partial<Whole> = {}): Whole {
  return {
    ...notification(ID), content: { subject: "Deploy finished" }, deliveries: [delivery()],
    timeline: [{ at: AT, event: "accepted", channel: null, detail: "transactional, normal priority, due at once", waited_ms: null }], ...more,
  };
}

const page = (notifications: Notification[], next_cursor: string | null = null) => ({ notifications, next_cursor });
const atList = (list: object, more: Options = {}, address = LIST) => renderAt(address, { ...more, answers: { "GET /v1/notifications": list, ...more.answers } });
const atOne = (seen: object, more: Options = {}) => renderAt(`${LIST}/${ID}`, { ...more, answers: { "GET /v1/notifications/*": seen, ...more.answers } });
const rows = () => screen.findAllByRole("link", { name: /About/ });

describe("The list of notifications", () => {
  it("shows each with its status, recipient and beginning, and links to it", async () => {
    atList(page([notification("a", { status: "failed", priority: "high", tags: ["deploy", "x", "y"] })]));
    const [row] = await rows();
    expect(row).toHaveAttribute("href", `${LIST}/a`);
    expect(row).toHaveTextContent(/failed.*ada@example.com.*About a.*high.*deploy.*\+1.*Email/);
  });

  it("asks for what the address says, and no more", async () => {
    const { calls } = atList(page([]), {}, `${LIST}?status=failed&tag=weekly&recipient=a%40b.io&colour=red&mode=test`);
    await screen.findByText("Nothing is like this");
    expect(callsTo(calls, "GET /v1/notifications")[0]?.query).toEqual({ status: "failed", tag: "weekly", recipient: "a@b.io", limit: "50" });
    expect(callsTo(calls, "GET /v1/notifications")[0]?.headers.get("Nofy-Mode")).toBe("test");
  });

  it("puts what is typed into the address, by its looks, and takes it away again", async () => {
    const { user, at } = atList(page([notification("a")]));
    await rows();
    await user.type(screen.getByLabelText(/Find by/), "tag:weekly{Enter}");
    await waitFor(() => expect(at()).toBe(`${LIST}?tag=weekly`));
    await user.type(screen.getByLabelText(/Find by/), "ada@example.com{Enter}");
    await waitFor(() => expect(at()).toBe(`${LIST}?tag=weekly&recipient=ada%40example.com`));
    await user.click(screen.getByLabelText("Remove filter: tag weekly"));
    await waitFor(() => expect(at()).toBe(`${LIST}?recipient=ada%40example.com`));
  });

  it("opens an id that is pasted", async () => {
    const { user, at } = atList(page([]), { answers: { "GET /v1/notifications/*": whole() } });
    await user.type(await screen.findByLabelText(/Find by/), `${ID}{Enter}`);
    await waitFor(() => expect(at()).toBe(`${LIST}/${ID}`));
  });

  it("is walked with j and k, and / goes to the search", async () => {
    const { user } = atList(page([notification("a"), notification("b")]));
    const [first, second] = await rows();
    await user.keyboard("j");
    expect(first).toHaveFocus();
    await user.keyboard("jj");
    expect(second).toHaveFocus();
    await user.keyboard("k");
    expect(first).toHaveFocus();
    await user.keyboard("/");
    expect(screen.getByLabelText(/Find by/)).toHaveFocus();
    await user.keyboard("jj");
    expect(screen.getByLabelText(/Find by/)).toHaveValue("jj");
  });

  it("follows what happens, and keeps still while somebody has scrolled", async () => {
    let seen = [notification("a", { status: "queued" })];
    const { queries } = atList(() => page(seen));
    await rows();
    seen = [notification("b"), notification("a")];
    await act(() => queries.invalidateQueries());
    await waitFor(async () => expect(await rows()).toHaveLength(2));
    scrollTo(500);
    seen = [notification("c"), notification("b", { status: "failed" }), notification("a")];
    await act(() => queries.invalidateQueries());
    const button = await screen.findByRole("button", { name: /1 new/ });
    expect((await rows()).map((each) => each.getAttribute("href"))).toEqual([`${LIST}/b`, `${LIST}/a`]);
    expect((await rows())[0]).toHaveTextContent("failed");
    scrollTo(0);
    await waitFor(async () => expect(await rows()).toHaveLength(3));
    expect(button).not.toBeInTheDocument();
  });

  it("shows what is new on demand", async () => {
    let seen = [notification("a")];
    const { queries, user } = atList(() => page(seen));
    await rows();
    await user.click(screen.getByLabelText("Pause live updates"));
    seen = [notification("b"), notification("a")];
    await act(() => queries.invalidateQueries());
    await user.click(await screen.findByRole("button", { name: /1 new/ }));
    expect(await rows()).toHaveLength(2);
    expect(screen.getByLabelText("Resume live updates")).toBeInTheDocument();
  });

  it("goes back page by page, and says where a search has stopped", async () => {
    const pages: Record<string, object> = { "": page([notification("a")], "c1"), c1: page([notification("b")], "c2"), c2: page([]) };
    const { user } = atList(({ query }: { query: Record<string, string> }) => pages[query.cursor ?? ""] ?? {});
    await rows();
    expect(screen.getByText(/among the ten thousand looked at/)).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: "Show older" }));
    await waitFor(async () => expect(await rows()).toHaveLength(2));
    await user.click(screen.getByRole("button", { name: "Show older" }));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Show older" })).not.toBeInTheDocument());
  });

  it("says what to do when there is nothing, and when something is wrong", async () => {
    const { unmount } = atList(page([]));
    expect(await screen.findByText("Send a first one")).toHaveAttribute("href", `/p/${PROJECT_ID}/start`);
    unmount();
    atList(problem(422, "invalid_request", "The request cannot be accepted", { "?/since": "must be a time" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("must be a time");
  });

  it("has a state for loading", async () => {
    atList(never);
    expect(await screen.findByRole("status", { name: "Loading notifications" })).toBeInTheDocument();
  });
});

function scrollTo(y: number) {
  Object.defineProperty(window, "scrollY", { value: y, configurable: true });
  fireEvent.scroll(window);
}

describe("What is typed", () => {
  it.each([
    ["ada@example.com", { recipient: "ada@example.com" }], ["+15550100001", { recipient: "+15550100001" }],
    ["C0DEPLOYS", { recipient: "C0DEPLOYS" }], ["#weekly", { tag: "weekly" }], ["tag: weekly report", { tag: "weekly report" }],
    ["order-7", { reference: "order-7" }], ["to:anything", { recipient: "anything" }], [ID, { id: ID }], ["  ", undefined],
  ])("%s is understood", (typed, found) => expect(understood(typed)).toEqual(found));
});

describe("One notification", () => {
  it("tells every step with its reason and its wait", async () => {
    const timeline: Whole["timeline"] = [
      { at: AT, event: "accepted", channel: null, detail: "due at once", waited_ms: null },
      { at: AT, event: "transient", channel: "email", detail: `HTTP 503 -> try again at ${AT}`, waited_ms: 1400 },
    ];
    atOne(whole({ timeline }));
    expect(await screen.findByText("accepted by Nofy")).toBeInTheDocument();
    expect(screen.getByText("failed for now")).toBeInTheDocument();
    expect(screen.getByText(/HTTP 503 → try again at/)).toBeInTheDocument();
    expect(screen.getByText(/\+1\.4 s/)).toBeInTheDocument();
  });

  it("shows what was asked of the provider, what it answered and what follows", async () => {
    const attempt = {
      attempt_no: 1, dispatched_at: AT, started_at: AT, finished_at: AT, outcome: "throttled" as const, reason: "too_many: slow down",
      decision: "park" as const, next_at: AT, provider_message_id: null,
      exchange: { method: "POST", path: "/smtp/email", http_status: 429, provider_code: "too_many", duration_ms: 87 },
    };
    atOne(whole({ deliveries: [delivery({ attempts: [attempt] })] }));
    const table = await screen.findByRole("table", { name: "Attempts" });
    for (const each of [/POST \/smtp\/email/, /HTTP 429 · too_many · in 87 ms/, /no attempt spent/]) {
      expect(within(table).getAllByText(each)[0]).toBeInTheDocument();
    }
  });

  it("shows an e-mail in a frame that may do nothing", async () => {
    atOne(whole({ deliveries: [delivery({ content: { subject: "Hi", html: "<p>Hi</p><script>alert(1)</script><img src='https://t.example/p.gif'>" } })] }));
    const frame = await screen.findByTitle("Email: Hi");
    expect(frame).toHaveAttribute("sandbox", "");
    expect(frame.getAttribute("srcdoc")).not.toMatch(/alert|t\.example/);
    expect(screen.getByText(/One remote picture or file is not loaded/)).toBeInTheDocument();
  });

  it("shows Slack's blocks and marks, and WhatsApp's template", async () => {
    const slack = delivery({ id: "dlv_2", channel: "slack", destination: "C0X", content: { text: "*Bold* <https://x.io|a link>" } });
    const template = { name: "order_shipped", language: { code: "de" }, components: [{ type: "body", parameters: [{ type: "text", text: "Ada" }] }] };
    atOne(whole({ deliveries: [slack, delivery({ id: "dlv_3", channel: "whatsapp", content: { template } })] }));
    expect((await screen.findByText("Bold")).tagName).toBe("STRONG");
    expect(screen.getByText("a link")).not.toHaveAttribute("href");
    expect(screen.getByText("order_shipped")).toBeInTheDocument();
    expect(screen.getByText("{{1}} = Ada")).toBeInTheDocument();
  });

  it("is cancelled after a question", async () => {
    const { user, calls } = atOne(whole({ status: "scheduled", deliveries: [delivery({ status: "scheduled" })] }), {
      answers: { "POST /v1/notifications/*/cancel": whole({ status: "cancelled" }) },
    });
    await user.click(await screen.findByRole("button", { name: "Cancel" }));
    await user.click(await screen.findByRole("button", { name: "Cancel it" }));
    await waitFor(() => expect(callsTo(calls, "POST /v1/notifications/*/cancel")).toHaveLength(1));
    expect(await screen.findByText("Cancelled what had not begun")).toBeInTheDocument();
  });

  it("is moved, and a time that cannot be is told at the field", async () => {
    const { user, calls } = atOne(whole({ deliveries: [delivery({ status: "scheduled" })] }), {
      answers: { "PATCH /v1/notifications/*": problem(422, "invalid_request", "No", { "/send_at": "too far ahead" }) },
    });
    await user.click(await screen.findByRole("button", { name: "Move" }));
    fireEvent.change(await screen.findByLabelText(/Send at/), { target: { value: "2027-01-01T10:30" } });
    await user.click(screen.getByRole("button", { name: "Move it" }));
    expect(await screen.findByText("too far ahead")).toBeInTheDocument();
    expect(callsTo(calls, "PATCH /v1/notifications/*")[0]?.body).toEqual({ send_at: new Date("2027-01-01T10:30").toISOString() });
  });

  it("is sent again under one key, and its successor is shown", async () => {
    let tries = 0;
    const made = () => (tries++ ? notification("ntf_new") : problem(503, "store_unavailable", "Later"));
    const { user, calls, at } = atOne(whole(), { answers: { "POST /v1/notifications/*/send-again": made } });
    await user.click(await screen.findByRole("button", { name: "Send again" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Send again" }));
    await within(dialog).findByText("Later");
    await user.click(within(dialog).getByRole("button", { name: "Send again" }));
    await waitFor(() => expect(at()).toBe(`${LIST}/ntf_new`));
    const keys = callsTo(calls, "POST /v1/notifications/*/send-again").map((each) => each.headers.get("Idempotency-Key"));
    expect(keys).toHaveLength(2);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  it("offers what its state allows, and refuses what a viewer may not", async () => {
    const { user, calls } = atOne(whole(), { permissions: MAY.viewer });
    const again = await screen.findByRole("button", { name: "Send again" });
    expect(screen.queryByRole("button", { name: "Cancel" })).not.toBeInTheDocument();
    expect(screen.queryByRole("button", { name: "Move" })).not.toBeInTheDocument();
    expect(again).toHaveAttribute("aria-disabled", "true");
    await user.click(again);
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(callsTo(calls, "POST /v1/notifications/*/send-again")).toHaveLength(0);
  });

  it("says that its content was erased, and cannot be sent again", async () => {
    atOne(whole({ content: {}, to: {}, deliveries: [delivery({ content: {}, destination: "erased" })] }));
    expect(await screen.findByText(/The content was erased/)).toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Send again" })).toHaveAttribute("aria-disabled", "true");
  });

  it("that failed is redriven from here, by its dead letter", async () => {
    const letter = { id: "dlt_1", delivery_id: "dlv_1", notification_id: ID, channel: "email", destination: "ada@example.com", reason: "no such mailbox", status: "open" };
    const { user, calls } = atOne(whole({ status: "failed", deliveries: [delivery({ status: "failed" })] }), {
      answers: { "GET /v1/dead-letters": { dead_letters: [letter], next_cursor: null }, "POST /v1/dead-letters/*/redrive": letter },
    });
    await user.click(await screen.findByRole("button", { name: "Redrive" }));
    await user.click(await screen.findByRole("button", { name: "Send it again" }));
    await waitFor(() => expect(callsTo(calls, "POST /v1/dead-letters/*/redrive")[0]?.path).toContain("dlt_1"));
    expect(callsTo(calls, "GET /v1/dead-letters")[0]?.query).toEqual({ notification: ID, status: "open" });
  });

  it("that does not exist says so", async () => {
    atOne(problem(404, "not_found", "There is no such thing in this project"));
    expect(await screen.findByRole("alert")).toHaveTextContent("belongs to another project");
  });
});

describe("An e-mail's HTML", () => {
  it.each([
    "<script>x()</script>", "<img src=https://t.example/a.png onerror=x()>", "<link rel=preconnect href=https://t.example>",
    "<meta http-equiv=refresh content='0;url=https://t.example'>", "<iframe src=https://t.example></iframe>", "<base href=https://t.example>",
    "<a href=https://t.example ping=https://t.example onclick=x()>x</a>", "<table background=https://t.example><tr><td></table>",
    "<form action=https://t.example><input></form>", "<svg><image xlink:href=https://t.example /></svg>", "<video poster=https://t.example></video>",
  ])("%s can ask nobody for anything", (html) => {
    const shown = new DOMParser().parseFromString(inert(html), "text/html");
    expect(shown.querySelector("meta[http-equiv]")?.getAttribute("content")).toContain("default-src 'none'");
    expect(shown.querySelectorAll("script, link, base, iframe, form[action], [src], [href], [ping], [background], [poster], [onclick], [onerror]")).toHaveLength(0);
    expect(shown.querySelectorAll("meta[http-equiv]")).toHaveLength(1);
  });

  it("keeps its looks and the pictures within it", () => {
    const shown = inert("<style>p{color:red}</style><p style='margin:0'>Hi</p><img src='data:image/png;base64,AAAA'>");
    expect(shown).toContain("p{color:red}");
    expect(shown).toContain("data:image/png");
    expect(remotes("<img src='data:image/png;base64,AAAA'>")).toBe(0);
  });
});
