import "@mantine/core/styles/Timeline.css";

import { Group, Text, Timeline as Line } from "@mantine/core";

import { channelName } from "@/components/badges";
import { duration } from "@/components/Time";
import type { Step } from "@/features/notifications/queries";

const BAD = new Set(["failed", "rejected", "expired", "undelivered"]);
const WAITS = new Set(["transient", "throttled", "unknown", "held", "requeued", "not_tried"]);
const GOOD = new Set(["accepted", "delivered"]);
const WORDS: Record<string, string> = {
  transient: "failed for now", not_tried: "not tried", unknown: "no answer", acknowledged: "written down",
};

/** Everything that is known to have happened, with how long each step took to follow the one before. */
export function Timeline({ steps, channels }: { steps: Step[]; channels: number }) {
  return (
    <Line bulletSize={12} lineWidth={2} active={steps.length}>
      {steps.map((each, index) => (
        <Line.Item key={index} color={colorOf(each)} title={<Head of={each} told={channels > 1} />}>
          {each.detail && <Text size="sm" c="dimmed" className="address">{plain(each.detail)}</Text>}
        </Line.Item>
      ))}
    </Line>
  );
}

function Head({ of, told }: { of: Step; told: boolean }) {
  return (
    <Group gap={8} justify="space-between" wrap="nowrap" align="baseline">
      <Text size="sm" fw={600}>
        {of.channel ? (WORDS[of.event] ?? of.event) : "accepted by Nofy"}
        {told && of.channel && <Text span size="sm" c="dimmed" fw={400}> · {channelName(of.channel)}</Text>}
      </Text>
      <Text size="xs" c="dimmed" style={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>
        {of.waited_ms !== null && <Text span inherit title="since the step before">+{duration(of.waited_ms)} </Text>}
        <time dateTime={of.at}>{precise(of.at)}</time>
      </Text>
    </Group>
  );
}

function colorOf({ event, channel }: Step): string {
  if (BAD.has(event)) return "red";
  if (WAITS.has(event)) return "yellow";
  return GOOD.has(event) && channel ? "green" : "indigo";
}

function precise(at: string): string {
  const moment = new Date(at);
  return `${moment.toLocaleTimeString(undefined, { hour12: false })}.${String(moment.getMilliseconds()).padStart(3, "0")}`;
}

const ISO = /\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/g;

/** Times within the words in the reader's own clock, and arrows as arrows. */
function plain(detail: string): string {
  return detail.replaceAll("->", "→").replace(ISO, (at) => new Date(at).toLocaleString());
}
