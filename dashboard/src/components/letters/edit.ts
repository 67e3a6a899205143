/** From what a letter's channel shows to a form, and from the form to what the API takes: only what was changed. */

import type { Edit, Letter } from "@/components/letters/queries";

export interface Draft {
  address: string;
  subject: string;
  text: string;
  html: string;
}

const FIELD: Record<Letter["channel"], "email" | "phone" | "slack_channel"> = {
  email: "email", whatsapp: "phone", slack: "slack_channel",
};
export const addressPath = (letter: Letter): string => `/to/${FIELD[letter.channel]}`;

/** The plainest HTML is what Nofy makes of a text; it is made anew from another text. */
const MADE = '<div style="white-space:pre-wrap">';

export function draftOf(letter: Letter, content: Record<string, unknown> = {}): Draft {
  const word = (name: string) => (typeof content[name] === "string" ? content[name] : "");
  const html = word("html");
  return { address: letter.destination, subject: word("subject"), text: word("text"), html: html.startsWith(MADE) ? "" : html };
}

export function editOf(letter: Letter, before: Draft, after: Draft): Edit | undefined {
  const address = after.address.trim();
  const to = address !== before.address ? { to: { [FIELD[letter.channel]]: address } } : {};
  const changed = after.subject !== before.subject || after.text !== before.text || after.html !== before.html;
  const edit = { ...to, ...(changed && { content: contentOf(letter, after) }) };
  return Object.keys(edit).length ? edit : undefined;
}

function contentOf(letter: Letter, { subject, text, html }: Draft) {
  if (letter.channel !== "email") return { text };
  return { ...(subject && { subject }), ...(text && { text }), ...(html && { email: { html } }) };
}
