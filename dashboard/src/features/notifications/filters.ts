/** What is typed into the search box, told from its looks; what the address bar says, as words. */

import type { Filters } from "@/app/router";

export const STATUSES = [
  "scheduled", "queued", "sending", "sent", "delivered", "undelivered", "retrying", "held", "failed", "unknown",
  "cancelled", "expired",
];
export const PRIORITIES = ["high", "normal", "low"];

/** An address, a tag (`tag:` or `#`), a reference; a notification's id is a page of its own. */
export function understood(typed: string): Filters | { id: string } | undefined {
  const word = typed.trim();
  if (!word) return undefined;
  if (/^ntf_[0-9a-z]{26}$/.test(word)) return { id: word };
  const [, name, rest] = /^(tag|reference|ref|recipient|to):\s*(.+)$/i.exec(word) ?? [];
  if (name && rest) return { [NAMES[name.toLowerCase()] ?? "reference"]: rest };
  if (word.startsWith("#") && word.length > 1) return { tag: word.slice(1) };
  if (/^\S+@\S+$/.test(word) || /^\+\d{6,}$/.test(word) || /^[CDGUW][A-Z0-9]{7,}$/.test(word)) return { recipient: word };
  return { reference: word };
}

const NAMES: Record<string, keyof Filters> = { tag: "tag", reference: "reference", ref: "reference", recipient: "recipient", to: "recipient" };

export const RANGES: [label: string, milliseconds: number][] = [
  ["Last 15 minutes", 900_000], ["Last hour", 3_600_000], ["Last 24 hours", 86_400_000], ["Last 7 days", 604_800_000],
  ["Last 30 days", 2_592_000_000],
];

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const told = (at: string) => (Number.isNaN(Date.parse(at)) ? at : moment.format(new Date(at)));

/** Filters that no select shows, as pills: what to take away, and what it says. */
export function pills(filters: Filters): { names: (keyof Filters)[]; label: string }[] {
  const { tag, reference, recipient, since, until } = filters;
  return [
    ...(recipient ? [{ names: ["recipient" as const], label: `to ${recipient}` }] : []),
    ...(reference ? [{ names: ["reference" as const], label: `reference ${reference}` }] : []),
    ...(tag ? [{ names: ["tag" as const], label: `tag ${tag}` }] : []),
    ...(since ?? until ? [{ names: ["since" as const, "until" as const], label: between(since, until) }] : []),
  ];
}

function between(since?: string, until?: string): string {
  if (since && until) return `${told(since)} to ${told(until)}`;
  return since ? `since ${told(since)}` : `before ${told(until ?? "")}`;
}

/** A moment as `<input type="datetime-local">` has it, in the person's own time zone. */
export function local(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
