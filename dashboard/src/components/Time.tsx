import { Text, Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** "in 3 minutes", "2 hours ago": exact in the tooltip and for machines. */
export function Time({ at }: { at: string }) {
  const now = useNow(10_000);
  return (
    <Tooltip label={absolute.format(new Date(at))} events={{ hover: true, focus: true, touch: true }}>
      <Text component="time" dateTime={at} size="sm" inherit>{ago(Date.parse(at), now)}</Text>
    </Tooltip>
  );
}

export function ago(moment: number, now: number): string {
  const seconds = Math.round((moment - now) / 1000);
  const [unit, size] = STEPS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  return relative.format(Math.round(seconds / size), unit);
}

/** "1.4 s", "3 min": how long something took. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  if (milliseconds < 3_600_000) return `${Math.round(milliseconds / 60_000)} min`;
  return `${(milliseconds / 3_600_000).toFixed(1)} h`;
}

function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
