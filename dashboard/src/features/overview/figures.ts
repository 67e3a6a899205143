/** The API's figures as charts and tables take them. */

import { channelName } from "@/components/badges";
import type { Counts, Range, Statistics } from "@/features/overview/queries";

export interface Series {
  name: string;
  label: string;
  color: string;
}

/** One bucket: when, and a figure for every series; null is "nothing was sent", which is not zero. */
export type Point = Record<string, number | string | null> & { at: string };

export const OUTCOMES: Series[] = [
  { name: "sent", label: "Sent", color: "var(--figure-sent)" },
  { name: "failed", label: "Failed", color: "var(--figure-failed)" },
  { name: "expired", label: "Expired", color: "var(--figure-expired)" },
  { name: "cancelled", label: "Cancelled", color: "var(--figure-cancelled)" },
];
export const CHANNELS: Series[] = ["email", "slack", "whatsapp"].map((name) => ({
  name, label: channelName(name), color: `var(--figure-${name})`,
}));
export const TIMES: Series[] = [
  { name: "p50", label: "Half within", color: "var(--figure-half)" },
  { name: "p99", label: "99 % within", color: "var(--figure-most)" },
];

export function byOutcome({ buckets }: Statistics): Point[] {
  return buckets.map(({ at, channels }) => {
    const all = Object.values(channels);
    const sum = (of: (counts: Counts) => number) => all.reduce((total, each) => total + of(each), 0);
    return {
      at,
      sent: sum((each) => each.sent),
      failed: sum(failures),
      expired: sum((each) => each.expired),
      cancelled: sum((each) => each.cancelled),
    };
  });
}

export function byChannel({ buckets }: Statistics): Point[] {
  return buckets.map(({ at, channels }) => ({
    at, ...Object.fromEntries(CHANNELS.map(({ name }) => [name, (channels as Partial<Record<string, Counts>>)[name]?.sent ?? 0])),
  }));
}

export function timesToProvider({ buckets }: Statistics): Point[] {
  return buckets.map(({ at, time_to_provider: time }) => ({ at, p50: time.p50_ms, p99: time.p99_ms }));
}

/** Failures, without those that turned out to be sent. */
export const failures = (counts: Counts): number => Math.max(0, counts.failed - counts.corrected);

/** Whether there is anything to show at all: something happened, or something waits. */
export function isQuiet({ totals, now, dead_letters_open: letters }: Statistics): boolean {
  return letters === 0 && [...Object.values(totals), ...Object.values(now)].every((each) => each === 0);
}

const number = new Intl.NumberFormat("en");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

/** "12,480", and "1.2M" from a million on. */
export const count = (value: number): string => (value < 1_000_000 ? number.format(value) : compact.format(value));
export const short = (value: number): string => compact.format(value);

/** "99.97 %": never rounded up to a hundred while something failed. */
export function share(value: number): string {
  const floored = Math.floor(value * 10_000) / 100;
  return `${floored === 100 || floored === 0 ? floored.toFixed(0) : floored.toFixed(2)}\u00a0%`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const WHOLE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** A bucket's beginning, as an axis of this range has room for it. */
export function tick(at: string, range: Range): string {
  const form = range === "30d" ? DATE : range === "7d" ? DAY : CLOCK;
  return form.format(new Date(at));
}

const MINUTE = 60_000;
/** How far apart an axis' marks are: round times of where one sits. */
const APART: Record<Range, number> = {
  "15m": 3 * MINUTE, "1h": 10 * MINUTE, "6h": 60 * MINUTE, "24h": 180 * MINUTE, "7d": 1_440 * MINUTE, "30d": 4 * 1_440 * MINUTE,
};

/** The buckets in which a round time begins. */
export function ticks(points: Point[], range: Range): string[] {
  const place = ({ at }: Point) => {
    const moment = new Date(at);
    return Math.floor((moment.getTime() - moment.getTimezoneOffset() * MINUTE) / APART[range]);
  };
  return points.filter((each, index) => index > 0 && place(each) !== place(points[index - 1] ?? each)).map((each) => each.at);
}

const ROUND_MS = [
  1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE, 180 * MINUTE, 1_440 * MINUTE,
];

/** Round times from below the shortest to above the longest. */
export function timeScale(points: Point[]): number[] {
  const found = points.flatMap(({ p50, p99 }) => [p50, p99]).filter((each) => typeof each === "number");
  const below = ROUND_MS.findLastIndex((each) => each <= Math.min(...found));
  const above = ROUND_MS.findIndex((each) => each >= Math.max(...found));
  return found.length ? ROUND_MS.slice(Math.max(0, below), above === -1 ? undefined : above + 1) : [1, 1_000];
}

/** "22 Nov, 14:00" */
export const start = (at: string): string => WHOLE.format(new Date(at));

/** "22 Nov, 14:00 – 14:15" */
export function span(at: string, stepSeconds: number): string {
  return `${start(at)} – ${CLOCK.format(new Date(Date.parse(at) + stepSeconds * 1_000))}`;
}
