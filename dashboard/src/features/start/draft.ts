/** The first notification, as the form holds it and as the API takes it. */

import type { components } from "@/api/schema";
import type { Channel, Integration } from "@/components/integration/queries";

export interface Draft {
  channel: Channel;
  to: string;
  subject: string;
  text: string;
}

/** How a channel's recipients are named: in the request, and to people. */
export const RECIPIENTS: Record<Channel, { field: "email" | "phone" | "slack_channel"; label: string; example: string; hint?: string }> = {
  slack: { field: "slack_channel", label: "Slack channel", example: "C0123456789", hint: "Its id; the bot has to be in it" },
  email: { field: "email", label: "E-mail address", example: "ada@example.com" },
  whatsapp: { field: "phone", label: "Phone number", example: "+15550100" },
};

/** Where the API says that a field is wrong. */
export const POINTERS = {
  chosen: "/channels/0",
  "recipients.slack": "/to/slack_channel",
  "recipients.email": "/to/email",
  "recipients.whatsapp": "/to/phone",
  subject: "/content/subject",
  text: "/content/text",
};

export interface FirstRequest {
  to: components["schemas"]["To"];
  channels: { channel: Channel }[];
  content: { subject?: string; text: string };
}

export function requestOf({ channel, to, subject, text }: Draft): FirstRequest {
  return {
    to: to.trim() ? { [RECIPIENTS[channel].field]: to.trim() } : {},
    channels: [{ channel }],
    content: { ...(channel === "email" && { subject }), text },
  };
}

/** An incoming webhook posts into one channel, whatever is asked. */
export function isFixed(channel: Channel, integrations: Integration[]): boolean {
  const used = integrations.find((each) => each.channel === channel && each.default);
  return channel === "slack" && used?.settings.kind === "webhook";
}
