import { screen, waitFor, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { share } from "@/features/overview/figures";
import { quiet, sample } from "./overview.sample";
import { callsTo, never, problem, renderAt } from "./harness";

const ADDRESS = "/p/prj_demo/overview";
const STATS = "GET /v1/stats";

/** Answers for the range that is asked for. */
const figures = { [STATS]: ({ query }: { query: Record<string, string> }) => sample(query.range as "24h") };

async function section(name: string) {
  return within(await screen.findByRole("region", { name }));
}

describe("the figures", () => {
  it("say at a glance what was sent, how well, how fast, and what waits", async () => {
    const { totals } = sample();
    renderAt(ADDRESS, { answers: figures });
    const glance = await section("At a glance");
    expect(glance.getByText(totals.sent.toLocaleString("en"))).toBeVisible();
    expect(glance.getByText(share(totals.sent / (totals.sent + totals.failed)).replace("\u00a0", " "))).toBeVisible();
    expect(glance.getByText("412 ms")).toBeVisible();
    expect(glance.getByText("p99 3.9 s")).toBeVisible();
    expect(glance.getByText("12,480")).toBeVisible();
    expect(glance.getByText("14 trying again")).toBeVisible();
  });

  it("lead from the dead letters to their page", async () => {
    renderAt(ADDRESS, { answers: figures });
    expect(await screen.findByRole("link", { name: /Dead letters 43/ })).toHaveAttribute("href", "/p/prj_demo/dead-letters");
  });

  it("are of the mode that is looked at", async () => {
    const { calls } = renderAt(`${ADDRESS}?mode=test`, { answers: figures });
    expect(await screen.findByRole("link", { name: /Dead letters 43/ })).toHaveAttribute("href", "/p/prj_demo/dead-letters?mode=test");
    expect(callsTo(calls, STATS)[0]?.headers.get("Nofy-Mode")).toBe("test");
  });

  it.each([[1, "100 %"], [0.99999, "99.99 %"], [0.5, "50.00 %"], [0.00004, "0 %"]])("a share of %d reads %s", (value, text) => {
    expect(share(value)).toBe(text.replace(" ", "\u00a0"));
  });
});

describe("the range", () => {
  it("is what the address bar says", async () => {
    const { calls } = renderAt(`${ADDRESS}?range=7d`, { answers: figures });
    expect(await screen.findByText("The last 7 days, and now")).toBeVisible();
    expect(screen.getByRole("radio", { name: "7d" })).toBeChecked();
    expect(callsTo(calls, STATS)[0]?.query).toEqual({ range: "7d" });
  });

  it("is a day where the address bar says nothing that we know", async () => {
    const { calls } = renderAt(`${ADDRESS}?range=century`, { answers: figures });
    await section("At a glance");
    expect(callsTo(calls, STATS)[0]?.query).toEqual({ range: "24h" });
  });

  it("is put into the address bar, beside the mode, when another is chosen", async () => {
    const { calls, user, at } = renderAt(`${ADDRESS}?mode=test`, { answers: figures });
    await user.click(await screen.findByRole("radio", { name: "1h" }));
    await waitFor(() => expect(callsTo(calls, STATS).at(-1)?.query).toEqual({ range: "1h" }));
    expect(at()).toContain("range=1h");
    expect(at()).toContain("mode=test");
  });

  it("leaves the figures standing while another is loaded", async () => {
    const { user } = renderAt(ADDRESS, { answers: { [STATS]: ({ query }) => (query.range === "24h" ? sample() : never()) } });
    await section("At a glance");
    await user.click(screen.getByRole("radio", { name: "30d" }));
    expect(await screen.findByText("The last 30 days, and now")).toBeVisible();
    expect(screen.getByRole("region", { name: "At a glance" })).toBeVisible();
  });
});

describe("a chart", () => {
  it("says in words what it shows", async () => {
    const { totals } = sample();
    renderAt(ADDRESS, { answers: figures });
    const sent = totals.sent.toLocaleString("en");
    const failed = totals.failed.toLocaleString("en");
    expect(await screen.findByRole("img", { name: `Volume by outcome: ${sent} sent and ${failed} failed in the last 24 hours` })).toBeVisible();
    expect(screen.getByRole("img", { name: /half within 412 ms, 99 % within 3.9 s/ })).toBeVisible();
  });

  it("has a table of the same figures, the latest first", async () => {
    const { user } = renderAt(ADDRESS, { answers: figures });
    await user.click(await screen.findByRole("button", { name: "Sent by channel as a table" }));
    const rows = (await section("Sent by channel")).getAllByRole("row");
    expect(rows).toHaveLength(97);
    const latest = sample().buckets.at(-1)?.channels as Record<string, { sent: number }>;
    const [, first] = rows.map((row) => within(row).queryAllByRole("cell").map((each) => each.textContent));
    expect(first).toEqual([latest.email, latest.slack, latest.whatsapp].map((each) => each?.sent.toLocaleString("en")));
  });

  it("does not count as failed what turned out to be sent", async () => {
    const whole = sample();
    const totals = { ...whole.totals, sent: 10, failed: 3, corrected: 1 };
    renderAt(ADDRESS, { answers: { [STATS]: { ...whole, totals } } });
    expect(await screen.findByText("10 sent and 2 failed in the last 24 hours")).toBeVisible();
  });
});

describe("what sends", () => {
  it("says how late the lanes are", async () => {
    renderAt(ADDRESS, { answers: figures });
    const lanes = await section("Lanes");
    expect(lanes.getByText("1,241 due and waiting; the oldest is 3 min late")).toBeVisible();
    const email = within(lanes.getByRole("row", { name: /Email/ })).getAllByRole("cell").map((each) => each.textContent);
    expect(email).toEqual(["–", "294 s late", "1,2043 min late"]);
  });

  it("says which integration its provider refuses, and how much waits for it", async () => {
    renderAt(ADDRESS, { answers: figures });
    const integrations = await section("Integrations");
    expect(integrations.getByText("1 of 3 refused by their providers")).toBeVisible();
    expect(integrations.getByText("Credential refused, 212 held")).toBeVisible();
    expect(integrations.getAllByText("Can send")).toHaveLength(2);
  });
});

describe("where there is nothing to show", () => {
  it("a range without anything leads to a longer one, and to the first notification", async () => {
    renderAt(`${ADDRESS}?range=1h`, { answers: { [STATS]: quiet("1h") } });
    expect(await screen.findByText("Nothing happened in the last hour")).toBeVisible();
    expect(screen.getByRole("link", { name: "Look at 30 days" })).toHaveAttribute("href", "/p/prj_demo/overview?range=30d");
    const main = within(screen.getByRole("main"));
    expect(main.getByRole("link", { name: "Get started" })).toHaveAttribute("href", "/p/prj_demo/start");
  });

  it("a project that never sent anything leads to Get started alone", async () => {
    renderAt(`${ADDRESS}?range=30d`, { answers: { [STATS]: quiet("30d") } });
    expect(await screen.findByText("Nothing has been sent yet")).toBeVisible();
    expect(screen.queryByRole("link", { name: "Look at 30 days" })).not.toBeInTheDocument();
  });

  it("what only waits is something", async () => {
    renderAt(ADDRESS, { answers: { [STATS]: { ...quiet(), now: { ...quiet().now, scheduled: 3 } } } });
    expect(await screen.findByText("nothing has ended")).toBeVisible();
  });

  it("a failure says so, and can be tried again", async () => {
    let broken = true;
    const stats = () => (broken ? problem(503, "unavailable", "The database cannot be reached") : sample());
    const { user } = renderAt(ADDRESS, { answers: { [STATS]: stats } });
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("The database cannot be reached");
    broken = false;
    await user.click(within(alert).getByRole("button", { name: "Try again" }));
    expect(await section("At a glance")).toBeDefined();
  });
});
