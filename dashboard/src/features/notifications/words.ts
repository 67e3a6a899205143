/** What a person reads of a notification at a glance. */

import type { Notification } from "@/features/notifications/queries";

type Content = Record<string, unknown>;

/** Its subject or the beginning of its text, whichever channel has one. */
export function gist(content: Content): string {
  const parts = [content, ...["email", "slack", "whatsapp"].map((name) => within(content, name))];
  const words = parts.map((each) => text(each, "subject") ?? text(each, "text")).find(Boolean);
  const template = text(within(within(content, "whatsapp"), "template"), "name");
  return words ?? (template ? `Template ${template}` : Object.keys(content).length ? "No text" : "Content erased");
}

export function recipients(of: Notification): string {
  return [...new Set(of.deliveries.map((each) => each.destination))].join(", ");
}

export function within(value: Content | undefined, name: string): Content | undefined {
  const found = value?.[name];
  return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Content) : undefined;
}

export function text(value: Content | undefined, name: string): string | undefined {
  const found = value?.[name];
  return typeof found === "string" && found.trim() ? found : undefined;
}
