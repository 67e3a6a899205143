/** A status always has a word and a shape beside its colour: nobody has to see red and green. */

import { Badge, Group, type MantineColor, Text } from "@mantine/core";

export type Status =
  | "scheduled" | "queued" | "sending" | "sent" | "delivered" | "undelivered"
  | "retrying" | "held" | "cancelled" | "expired" | "failed" | "unknown";

interface Look {
  color: MantineColor;
  mark: string;
}

const LOOKS: Record<Status, Look> = {
  scheduled: { color: "blue", mark: "◷" },
  queued: { color: "blue", mark: "⋯" },
  sending: { color: "indigo", mark: "→" },
  sent: { color: "green", mark: "✓" },
  delivered: { color: "teal", mark: "✓✓" },
  undelivered: { color: "red", mark: "↩" },
  retrying: { color: "yellow", mark: "↻" },
  held: { color: "orange", mark: "‖" },
  cancelled: { color: "gray", mark: "–" },
  expired: { color: "gray", mark: "⌛︎" },
  failed: { color: "red", mark: "✕" },
  unknown: { color: "grape", mark: "?" },
};

const lookOf = (status: string): Look => (LOOKS as Partial<Record<string, Look>>)[status] ?? { color: "gray", mark: "•" };

/** The shape alone, where the word stands beside it or in its title. */
export function statusMark(status: string): string {
  return lookOf(status).mark;
}

export function StatusBadge({ status }: { status: string }) {
  const look = lookOf(status);
  return (
    <Badge color={look.color} variant="light" autoContrast leftSection={<span aria-hidden>{look.mark}</span>} tt="none" radius="sm">
      {status}
    </Badge>
  );
}

const CHANNELS: Record<string, string> = { slack: "Slack", email: "Email", whatsapp: "WhatsApp" };

export function channelName(channel: string): string {
  return CHANNELS[channel] ?? channel;
}

export function ChannelBadge({ channel }: { channel: string }) {
  return (
    <Group gap={6} wrap="nowrap">
      <Text component="span" size="sm">{channelName(channel)}</Text>
    </Group>
  );
}
