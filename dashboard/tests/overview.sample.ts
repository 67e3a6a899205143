/** A project's figures as `GET /v1/stats` answers them: a working day's wave, and an hour in which things failed. */

import type { Counts, Range, Statistics } from "@/features/overview/queries";

const STEPS: Record<Range, [seconds: number, buckets: number]> = {
  "15m": [60, 15], "1h": [60, 60], "6h": [300, 72], "24h": [900, 96], "7d": [7_200, 84], "30d": [28_800, 90],
};
const NOTHING: Counts = { accepted: 0, sent: 0, failed: 0, retried: 0, cancelled: 0, expired: 0, redriven: 0, corrected: 0 };
const SHARES = { email: 1, slack: 0.45, whatsapp: 0.2 };
const END = Date.parse("2026-11-22T14:15:00Z");

export function sample(range: Range = "24h"): Statistics {
  const [step, length] = STEPS[range];
  const buckets = Array.from({ length }, (_, index) => bucket(END - (length - 1 - index) * step * 1_000, step, index / length));
  const totals = sumOf(buckets.flatMap((each) => Object.values(each.channels)));
  const channels = Object.fromEntries(Object.keys(SHARES).map((name) => [name, channel(buckets, name)]));
  return {
    range,
    step_seconds: step,
    buckets,
    totals,
    success_rate: totals.sent / (totals.sent + totals.failed),
    time_to_provider: { p50_ms: 412, p99_ms: 3_910 },
    channels: channels,
    now: { scheduled: 12_480, queued: 37, sending: 9, retrying: 14, held: 212 },
    lanes: ["high", "normal", "low"].flatMap((priority) => Object.keys(SHARES).map((name) => lane(name, priority))),
    dead_letters_open: 43,
    integrations: [
      { id: "int_mail", name: "Brevo, production", channel: "email", held: false, held_deliveries: 0 },
      { id: "int_slack", name: "Acme workspace", channel: "slack", held: false, held_deliveries: 0 },
      { id: "int_phone", name: "WhatsApp Business", channel: "whatsapp", held: true, held_deliveries: 212 },
    ],
  };
}

/** A project to which nothing has happened. */
export function quiet(range: Range = "24h"): Statistics {
  const whole = sample(range);
  const none = { p50_ms: null, p99_ms: null };
  return {
    ...whole,
    buckets: whole.buckets.map(({ at }) => ({ at, channels: {}, time_to_provider: none })),
    totals: NOTHING,
    success_rate: null,
    time_to_provider: none,
    now: { scheduled: 0, queued: 0, sending: 0, retrying: 0, held: 0 },
    lanes: whole.lanes.map((each) => ({ ...each, queued: 0, oldest_seconds: 0 })),
    dead_letters_open: 0,
    integrations: [],
  };
}

function bucket(at: number, step: number, place: number): Statistics["buckets"][number] {
  const hour = new Date(at).getUTCHours() + new Date(at).getUTCMinutes() / 60;
  const wave = 0.25 + Math.max(0, Math.sin(((hour - 6) / 14) * Math.PI)) + 0.08 * Math.sin(at / 1.7e6);
  const trouble = place > 0.62 && place < 0.68;
  const channels = Object.fromEntries(Object.entries(SHARES).map(([name, share]) => {
    const volume = Math.round(wave * share * step * 0.9);
    const failed = Math.round(volume * (trouble && name !== "slack" ? 0.3 : 0.004));
    return [name, { ...NOTHING, accepted: volume, sent: volume - failed, failed, retried: failed * 2, cancelled: Math.round(volume * 0.006), expired: trouble ? Math.round(volume * 0.05) : 0 }];
  }));
  const slow = trouble ? 9 : 1 + 0.2 * Math.sin(at / 9e5);
  return {
    at: new Date(at).toISOString(),
    channels: channels,
    time_to_provider: { p50_ms: Math.round(380 * (trouble ? 2.1 : 1)), p99_ms: Math.round(2_900 * slow) },
  };
}

function channel(buckets: Statistics["buckets"], name: string) {
  const totals = sumOf(buckets.map((each) => (each.channels as Record<string, Counts>)[name] ?? NOTHING));
  return { totals, success_rate: totals.sent / (totals.sent + totals.failed), time_to_provider: { p50_ms: 412, p99_ms: 3_910 } };
}

function lane(name: string, priority: string): Statistics["lanes"][number] {
  const waiting: Partial<Record<string, [number, number]>> = {
    "email normal": [29, 4], "email low": [1_204, 186], "whatsapp normal": [8, 2],
  };
  const [queued, oldest] = waiting[`${name} ${priority}`] ?? [0, 0];
  return { channel: name, priority, queued, oldest_seconds: oldest } as Statistics["lanes"][number];
}

function sumOf(all: Counts[]): Counts {
  return all.reduce((total, each) => Object.fromEntries(
    Object.entries(total).map(([name, value]) => [name, value + each[name as keyof Counts]]),
  ) as unknown as Counts, NOTHING);
}
